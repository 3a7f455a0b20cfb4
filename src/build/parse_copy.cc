// COPY and ADD.
#include "base/str.h"
#include "build/mode.h"
#include "build/parse_internal.h"

namespace minke::build {

Status check_mode(std::string_view text) {
  TRY(FileMode::parse(text));
  return {};
}

Result<Node> parse_copy(const ScannedLine& line) {
  node::Copy copy;
  copy.add = line.keyword == "ADD";
  if (copy.add) {
    TRY(read_flags(line, {{"chown", &copy.chown},
                          {"chmod", &copy.chmod},
                          {"link", &copy.link},
                          {"exclude", &copy.exclude},
                          {"checksum", &copy.checksum},
                          {"keep-git-dir", &copy.keep_git_dir},
                          {"unpack", &copy.unpack}}));
  } else {
    TRY(read_flags(line, {{"from", &copy.from},
                          {"chown", &copy.chown},
                          {"chmod", &copy.chmod},
                          {"link", &copy.link},
                          {"parents", &copy.parents},
                          {"exclude", &copy.exclude}}));
  }
  if (!copy.chmod.empty() && copy.chmod.find('$') == std::string::npos)
    TRY_CTX(check_mode(copy.chmod), concat("--chmod=", copy.chmod));
  auto json = TRY(parse_json_words(line.rest));
  std::vector<std::string> words = json ? std::move(*json) : split_blanks(line.rest);
  if (words.size() < 2)
    return wrong(concat(line.keyword, " wants at least one source and a destination",
                        words.empty() ? "" : concat(" (only ", quote(words[0]), " is given)")));
  copy.destination = std::move(words.back());
  words.pop_back();
  if (!json && parse_heredoc_word(copy.destination))
    return wrong(concat(copy.destination, ": a heredoc cannot be the destination"));
  copy.heredocs = line.heredocs;
  std::size_t heredocs = 0;
  for (std::string& word : words) {
    node::Copy::Source source{std::move(word), -1};
    if (auto heredoc = json ? std::nullopt : parse_heredoc_word(source.path)) {
      if (heredocs == copy.heredocs.size() || copy.heredocs[heredocs].name != heredoc->name)
        return wrong(
            concat(source.path, ": the name of a heredoc stands right behind << and is one word"));
      source = {heredoc->name, static_cast<int>(heredocs++)};
    }
    copy.sources.push_back(std::move(source));
  }
  if (heredocs != copy.heredocs.size())
    return wrong(concat("<<", copy.heredocs[heredocs].name,
                        ": the name of a heredoc stands right behind << and is one word"));
  if (!copy.from.empty() && heredocs != 0) return wrong("a heredoc comes from no --from");
  return Node(std::move(copy));
}

}  // namespace minke::build
