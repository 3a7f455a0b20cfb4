#include "build/scan.h"

#include <algorithm>

#include "base/str.h"
#include "codec/json.h"

namespace minke::build {
namespace {

// Lines with their ends, counted.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool next(std::string_view* line) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    *line = rest_.substr(0, end == std::string_view::npos ? end : end + 1);
    rest_.remove_prefix(line->size());
    ++number_;
    return true;
  }
  int number() const { return number_; }  // of the line that next() gave last
  struct Place {
    std::string_view rest;
    int number;
  };
  Place place() const { return {rest_, number_}; }
  void go_back(const Place& place) {
    rest_ = place.rest;
    number_ = place.number;
  }

 private:
  std::string_view rest_;
  int number_ = 0;
};

std::string_view trim_start(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view without_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

bool is_comment(std::string_view line) { return trim_start(line).starts_with('#'); }

// Takes the escape at the end of the line away; false when there is none, or when it is itself
// escaped.
bool take_continuation(std::string_view* line, char escape) {
  std::string_view bare = *line;
  while (!bare.empty() && (bare.back() == ' ' || bare.back() == '\t')) bare.remove_suffix(1);
  if (bare.empty() || bare.back() != escape) return false;
  bare.remove_suffix(1);
  if (!bare.empty() && bare.back() == escape) return false;
  *line = bare;
  return true;
}

std::string strip_tabs(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (char c : text) {
    if (at_start && c == '\t') continue;
    at_start = c == '\n';
    out += c;
  }
  return out;
}

// Quotes and escapes taken away; `quoted` says whether there was one. Nothing when a quote is left
// open.
std::optional<std::string> unquote(std::string_view text, bool* quoted) {
  std::string out;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      *quoted = true;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      const char following = text[++i];
      if (quote == '"' && following != '"' && following != '$' && following != '\\') out += c;
      out += following;
    } else {
      out += c;
    }
  }
  if (quote != 0) return std::nullopt;
  return out;
}

// Words that begin a heredoc; one whose name stands apart ("<< EOF") comes as one.
std::vector<std::string> heredoc_words(std::string_view line) {
  std::vector<std::string> words = split_quoted(line, '\\');
  for (std::size_t i = 0; i + 1 < words.size(); ++i)
    if (words[i].ends_with("<<") || words[i].ends_with("<<-")) words[i] += " " + words[i + 1];
  return words;
}

class Scanner {
 public:
  Scanner(std::string_view text, std::string_view filename) : reader_(text), filename_(filename) {}

  Result<ScannedFile> run() {
    std::string_view line;
    while (reader_.next(&line)) {
      const bool first = reader_.number() == 1;
      if (first && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
      std::string_view bare = trim_start(without_end(line));
      TRY(directive(bare));
      if (bare.empty() || bare.front() == '#') continue;
      TRY(instruction(bare));
    }
    return std::move(file_);
  }

 private:
  Error fault(int line, std::string_view what) const {
    return Error(Errc::invalid_argument, concat(filename_, ":", line, ": ", what));
  }

  // "# name=value" before everything else. The first line that is none ends them.
  Status directive(std::string_view line) {
    if (directives_done_) return {};
    directives_done_ = true;
    if (!line.starts_with('#')) return {};
    auto pair = split_once(line.substr(1), '=');
    if (!pair) return {};
    const std::string name = to_lower(trim(pair->first));
    const std::string value(trim(pair->second));
    std::string* place = name == "syntax"  ? &file_.syntax
                         : name == "check" ? &file_.check
                                           : nullptr;
    if (value.empty() || (place == nullptr && name != "escape")) return {};
    directives_done_ = false;
    bool& seen = name == "syntax" ? seen_syntax_ : name == "check" ? seen_check_ : seen_escape_;
    if (seen) return fault(reader_.number(), concat("the directive ", name, " is given twice"));
    seen = true;
    if (place != nullptr) {
      *place = value;
    } else if (value != "\\" && value != "`") {
      return fault(reader_.number(), concat("escape=", value, ": the escape character is \\ or `"));
    } else {
      file_.escape = value[0];
    }
    return {};
  }

  Status instruction(std::string_view line) {
    const int first = reader_.number();
    bool goes_on = take_continuation(&line, file_.escape);
    std::string whole(line);
    std::string_view next;
    bool empty_line = false;
    while (goes_on && reader_.next(&next)) {
      if (is_comment(next)) continue;
      std::string_view bare = without_end(next);
      if (trim_start(bare).empty()) {
        empty_line = true;
        continue;
      }
      goes_on = take_continuation(&bare, file_.escape);
      whole += bare;
    }
    if (empty_line)
      file_.warnings.push_back(
          concat(first, ": an instruction goes on over an empty line (remove the line)"));
    ScannedLine scanned = split_instruction(whole);
    if (scanned.keyword.empty()) return {};  // an escape and nothing else
    scanned.lines.first = first;
    if (takes_heredocs(scanned)) TRY(read_heredocs(whole, &scanned));
    scanned.lines.last = reader_.number();
    file_.lines.push_back(std::move(scanned));
    return {};
  }

  static bool takes_heredocs(const ScannedLine& line) {
    if (line.original.find("<<") == std::string::npos) return false;
    if (line.keyword == "ONBUILD") {
      // One in another is refused later: a line of many must not be copied for each.
      const ScannedLine inner = split_instruction(line.rest);
      return inner.keyword != "ONBUILD" && takes_heredocs(inner);
    }
    if (line.keyword != "RUN" && line.keyword != "COPY" && line.keyword != "ADD") return false;
    auto json = parse_json_words(line.rest);
    return !json || !*json;
  }

  Status read_heredocs(std::string_view whole, ScannedLine* scanned) {
    for (const std::string& word : heredoc_words(whole)) {
      std::optional<Heredoc> heredoc = parse_heredoc_word(word);
      if (!heredoc) continue;
      const Reader::Place before = reader_.place();
      if (!read_content(&*heredoc)) {
        // "1 << 2" is arithmetic.
        if (word.find(' ') != std::string::npos) {
          reader_.go_back(before);
          continue;
        }
        return fault(scanned->lines.first,
                     concat("the heredoc ", word, " never ends (add a line that is only ",
                            heredoc->name, ")"));
      }
      scanned->heredocs.push_back(std::move(*heredoc));
    }
    return {};
  }

  bool read_content(Heredoc* heredoc) {
    std::string_view line;
    while (reader_.next(&line)) {
      std::string_view end = without_end(line);
      if (heredoc->strip_tabs)
        while (end.starts_with('\t')) end.remove_prefix(1);
      if (end == heredoc->name) {
        if (heredoc->strip_tabs) heredoc->content = strip_tabs(heredoc->content);
        return true;
      }
      heredoc->content += line;
    }
    return false;
  }

  Reader reader_;
  std::string filename_;
  ScannedFile file_;
  bool directives_done_ = false;
  bool seen_syntax_ = false, seen_check_ = false, seen_escape_ = false;
};

// One flag from the front of `text`, which begins with "--"; quotes go, a backslash escapes.
std::string take_flag(std::string_view* text) {
  std::string flag;
  char quote = 0;
  std::size_t at = 0;
  for (; at < text->size(); ++at) {
    const char c = (*text)[at];
    if (quote == 0 && is_blank(c)) break;
    if (c == '\\') {
      if (++at < text->size()) flag += (*text)[at];
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else {
      flag += c;
    }
  }
  text->remove_prefix(std::min(at, text->size()));
  return flag;
}

}  // namespace

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

Result<ScannedFile> scan(std::string_view text, std::string_view filename) {
  return Scanner(text, filename).run();
}

ScannedLine split_instruction(std::string_view line) {
  ScannedLine out;
  std::string_view rest = trim_start(line);
  while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
  out.original = rest;
  const auto end = std::find_if(rest.begin(), rest.end(), is_blank);
  const auto length = static_cast<std::size_t>(end - rest.begin());
  out.keyword = to_upper(rest.substr(0, length));
  rest = trim_start(rest.substr(length));
  while (rest.starts_with("--")) {
    std::string flag = take_flag(&rest);
    rest = trim_start(rest);
    if (flag == "--") break;
    out.flags.push_back(std::move(flag));
  }
  out.rest = rest;
  return out;
}

Result<std::optional<std::vector<std::string>>> parse_json_words(std::string_view text) {
  using Words = std::optional<std::vector<std::string>>;
  text = trim_start(text);
  if (!text.starts_with('[')) return Words();
  auto value = json::parse(text);
  if (!value) return Words();
  std::vector<std::string> words;
  for (const json::Value& item : *value->as_array()) {
    const std::string* word = item.as_string();
    if (word == nullptr)
      return Error(Errc::invalid_argument,
                   concat("the JSON form takes strings only, not ", item.type_name(),
                          " (put it into double quotes)"));
    words.push_back(*word);
  }
  return Words(std::move(words));
}

std::optional<Heredoc> parse_heredoc_word(std::string_view word) {
  Heredoc heredoc;
  std::size_t digits = 0;
  while (digits < word.size() && word[digits] >= '0' && word[digits] <= '9') ++digits;
  auto fd = parse_uint(word.substr(0, digits));
  if (digits != 0 && (!fd || *fd > 1024)) return std::nullopt;
  heredoc.fd = static_cast<int>(fd.value_or(0));
  word.remove_prefix(digits);
  if (!word.starts_with("<<")) return std::nullopt;
  word.remove_prefix(2);
  heredoc.strip_tabs = word.starts_with('-');
  if (heredoc.strip_tabs) word.remove_prefix(1);
  word = trim_start(word);
  if (word.empty() || word.find('<') != std::string_view::npos) return std::nullopt;
  if (split_quoted(word, '\\').size() != 1) return std::nullopt;
  bool quoted = false;
  auto name = unquote(word, &quoted);
  if (!name || name->empty()) return std::nullopt;
  heredoc.name = std::move(*name);
  heredoc.expand = !quoted;
  return heredoc;
}

std::vector<std::string> split_quoted(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && is_blank(c)) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
      continue;
    }
    in_word = true;
    if (c == escape && quote != '\'') {
      if (i + 1 == text.size()) break;  // nothing is escaped
      word += c;
      word += text[++i];
      continue;
    }
    if (quote == 0 && (c == '\'' || c == '"'))
      quote = c;
    else if (quote == c)
      quote = 0;
    word += c;
  }
  if (in_word && !word.empty()) words.push_back(std::move(word));
  return words;
}

std::vector<std::string> split_blanks(std::string_view text) {
  std::vector<std::string> words;
  for (text = trim_start(text); !text.empty(); text = trim_start(text)) {
    const auto end = std::find_if(text.begin(), text.end(), is_blank);
    words.emplace_back(text.begin(), end);
    text.remove_prefix(words.back().size());
  }
  return words;
}

}  // namespace minke::build
