#include "build/parse.h"

#include <algorithm>
#include <cctype>

#include "base/str.h"
#include "build/parse_internal.h"
#include "build/variables.h"

namespace minke::build {

Error wrong(std::string_view what) { return Error(Errc::invalid_argument, std::string(what)); }

std::string did_you_mean(std::string_view text, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t least = SIZE_MAX;
  for (std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(text, candidate);
    if (distance > 2 || distance >= text.size()) continue;
    // Who mistypes seldom does so in the first letter.
    const std::size_t rank = 2 * distance + (candidate[0] == text[0] ? 0 : 1);
    if (rank >= least) continue;
    least = rank;
    best = candidate;
  }
  return best.empty() ? "" : concat(" (did you mean ", best, "?)");
}

Status read_flags(const ScannedLine& line, std::initializer_list<FlagRow> rows) {
  std::vector<std::string> seen;
  for (const std::string& flag : line.flags) {
    const std::size_t equals = flag.find('=');
    const std::string name = flag.substr(2, equals == std::string::npos ? equals : equals - 2);
    const bool has_value = equals != std::string::npos;
    const std::string value = has_value ? flag.substr(equals + 1) : "";
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const FlagRow& candidate) { return candidate.name == name; });
    if (row == rows.end()) {
      std::vector<std::string_view> names;
      for (const FlagRow& known : rows) names.push_back(known.name);
      std::string hint = did_you_mean(name, names);
      if (names.empty()) hint = concat(" (", line.keyword, " takes none)");
      return wrong(concat("unknown flag --", name, " of ", line.keyword, hint));
    }
    if (auto* list = std::get_if<std::vector<std::string>*>(&row->value)) {
      if (!has_value) return wrong(concat("--", name, " wants a value (--", name, "=...)"));
      (*list)->push_back(value);
      continue;
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      return wrong(concat("--", name, " is given twice"));
    seen.push_back(name);
    if (auto* text = std::get_if<std::string*>(&row->value)) {
      if (!has_value) return wrong(concat("--", name, " wants a value (--", name, "=...)"));
      **text = value;
      continue;
    }
    const std::string lower = to_lower(value);
    if (has_value && lower != "true" && lower != "false")
      return wrong(concat("--", name, "=", value, ": expected true or false"));
    const bool on = lower != "false";
    if (auto* plain = std::get_if<bool*>(&row->value))
      **plain = on;
    else
      *std::get<std::optional<bool>*>(row->value) = on;
  }
  return {};
}

Result<CommandLine> parse_command(std::string_view text, std::string_view keyword) {
  CommandLine command;
  if (auto json = TRY(parse_json_words(text))) {
    command.shell_form = false;
    command.words = std::move(*json);
  } else if (text.empty()) {
    return wrong(concat(keyword, " wants a command"));
  } else {
    command.words.emplace_back(text);
  }
  return command;
}

namespace {

// Who needs whom is found by recursion.
constexpr std::size_t kMaxStages = 1000;

Status no_flags(const ScannedLine& line) { return read_flags(line, {}); }

// name=value ..., or the old form: name and the rest of the line.
Result<std::vector<KeyValue>> parse_pairs(const ScannedLine& line, char escape) {
  TRY(no_flags(line));
  std::vector<std::string> words = split_quoted(line.rest, escape);
  if (words.empty()) return wrong(concat(line.keyword, " wants name=value"));
  std::vector<KeyValue> pairs;
  if (words[0].find('=') == std::string::npos) {
    std::string_view rest = line.rest;
    const auto end = std::find_if(rest.begin(), rest.end(), is_blank);
    const std::string key(rest.begin(), end);
    rest.remove_prefix(key.size());
    rest = trim(rest);
    if (rest.empty())
      return wrong(
          concat(line.keyword, " ", key, " has no value (", line.keyword, " ", key, "=VALUE)"));
    pairs.push_back({key, std::string(rest)});
    return pairs;
  }
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos)
      return wrong(concat("no = in ", quote(word),
                          " (each is name=value; put a value with blanks into quotes)"));
    if (equals == 0) return wrong(concat(quote(word), " has no name before the ="));
    pairs.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  return pairs;
}

Result<Node> parse_env(const ScannedLine& line, char escape) {
  return Node(node::Env{TRY(parse_pairs(line, escape))});
}
Result<Node> parse_label(const ScannedLine& line, char escape) {
  return Node(node::Label{TRY(parse_pairs(line, escape))});
}

Result<Node> parse_arg(const ScannedLine& line, char escape) {
  TRY(no_flags(line));
  node::Arg arg;
  for (const std::string& word : split_quoted(line.rest, escape)) {
    const std::size_t equals = word.find('=');
    if (equals == 0) return wrong(concat(quote(word), " has no name before the ="));
    node::Arg::Item item{word.substr(0, equals), std::nullopt};
    if (equals != std::string::npos) item.value = word.substr(equals + 1);
    arg.items.push_back(std::move(item));
  }
  if (arg.items.empty()) return wrong("ARG wants a name (ARG NAME or ARG NAME=VALUE)");
  return Node(std::move(arg));
}

Result<std::string> one_text(const ScannedLine& line, std::string_view what) {
  TRY(no_flags(line));
  if (line.rest.empty()) return wrong(concat(line.keyword, " wants ", what));
  return line.rest;
}

Result<Node> parse_workdir(const ScannedLine& line, char) {
  return Node(node::Workdir{TRY(one_text(line, "a path"))});
}
Result<Node> parse_user(const ScannedLine& line, char) {
  return Node(node::User{TRY(one_text(line, "a user"))});
}
Result<Node> parse_stopsignal(const ScannedLine& line, char) {
  return Node(node::Stopsignal{TRY(one_text(line, "a signal"))});
}
Result<Node> parse_maintainer(const ScannedLine& line, char) {
  return Node(node::Maintainer{TRY(one_text(line, "a name"))});
}

Result<Node> parse_expose(const ScannedLine& line, char) {
  TRY(no_flags(line));
  node::Expose expose{split_blanks(line.rest)};
  if (expose.ports.empty()) return wrong("EXPOSE wants a port");
  return Node(std::move(expose));
}

Result<Node> parse_volume(const ScannedLine& line, char) {
  TRY(no_flags(line));
  auto json = TRY(parse_json_words(line.rest));
  node::Volume volume{json ? std::move(*json) : split_blanks(line.rest)};
  if (volume.paths.empty()) return wrong("VOLUME wants a path");
  for (const std::string& path : volume.paths)
    if (trim(path).empty()) return wrong("VOLUME has an empty path");
  return Node(std::move(volume));
}

Result<Node> parse_shell(const ScannedLine& line, char) {
  TRY(no_flags(line));
  auto json = TRY(parse_json_words(line.rest));
  if (!json) return wrong(R"(SHELL wants the JSON form (SHELL ["/bin/bash", "-c"]))");
  if (json->empty()) return wrong("SHELL wants a program");
  return Node(node::Shell{std::move(*json)});
}

Result<Node> parse_cmd(const ScannedLine& line, char) {
  TRY(no_flags(line));
  return Node(node::Cmd{TRY(parse_command(line.rest, line.keyword))});
}
Result<Node> parse_entrypoint(const ScannedLine& line, char) {
  TRY(no_flags(line));
  return Node(node::Entrypoint{TRY(parse_command(line.rest, line.keyword))});
}

Result<TimeNs> read_duration(std::string_view flag, const std::string& text) {
  if (text.empty()) return TimeNs{0};
  auto value = parse_duration(text);
  if (!value || *value < 0)
    return wrong(concat("--", flag, "=", text, ": expected a duration, as in 30s or 1m30s"));
  if (*value != 0 && *value < 1'000'000)
    return wrong(concat("--", flag, "=", text, ": at least 1ms"));
  return *value;
}

Result<Node> parse_healthcheck(const ScannedLine& line, char) {
  node::Healthcheck check;
  std::string interval, timeout, start_period, start_interval, retries;
  TRY(read_flags(line, {{"interval", &interval},
                        {"timeout", &timeout},
                        {"start-period", &start_period},
                        {"start-interval", &start_interval},
                        {"retries", &retries}}));
  std::string_view rest = line.rest;
  const auto end = std::find_if(rest.begin(), rest.end(), is_blank);
  const std::string type(rest.begin(), end);
  const std::string kind = to_upper(type);
  rest = trim(rest.substr(type.size()));
  if (kind == "NONE") {
    if (!rest.empty() || !line.flags.empty()) return wrong("HEALTHCHECK NONE takes nothing else");
    check.none = true;
    return Node(std::move(check));
  }
  if (kind != "CMD") return wrong(concat("HEALTHCHECK ", type, ": expected CMD or NONE"));
  check.command = TRY(parse_command(rest, "HEALTHCHECK CMD"));
  if (check.command.words.empty()) return wrong("HEALTHCHECK CMD wants a command");
  check.interval = TRY(read_duration("interval", interval));
  check.timeout = TRY(read_duration("timeout", timeout));
  check.start_period = TRY(read_duration("start-period", start_period));
  check.start_interval = TRY(read_duration("start-interval", start_interval));
  if (!retries.empty()) {
    auto number = parse_uint(retries);
    if (!number || *number > INT32_MAX)
      return wrong(concat("--retries=", retries, ": expected a number"));
    check.retries = static_cast<std::int32_t>(*number);
  }
  return Node(std::move(check));
}

Result<Node> parse_run_row(const ScannedLine& line, char) { return parse_run(line); }
Result<Node> parse_copy_row(const ScannedLine& line, char) { return parse_copy(line); }
Result<Node> parse_onbuild(const ScannedLine& line, char escape);

struct KeywordRow {
  std::string_view keyword;
  Result<Node> (*parse)(const ScannedLine& line, char escape);
};
constexpr KeywordRow kKeywords[] = {
    {"ADD", parse_copy_row},
    {"ARG", parse_arg},
    {"CMD", parse_cmd},
    {"COPY", parse_copy_row},
    {"ENTRYPOINT", parse_entrypoint},
    {"ENV", parse_env},
    {"EXPOSE", parse_expose},
    {"HEALTHCHECK", parse_healthcheck},
    {"LABEL", parse_label},
    {"MAINTAINER", parse_maintainer},
    {"ONBUILD", parse_onbuild},
    {"RUN", parse_run_row},
    {"SHELL", parse_shell},
    {"STOPSIGNAL", parse_stopsignal},
    {"USER", parse_user},
    {"VOLUME", parse_volume},
    {"WORKDIR", parse_workdir},
};

Result<Instruction> parse_line(ScannedLine line, char escape) {
  for (const KeywordRow& row : kKeywords) {
    if (row.keyword != line.keyword) continue;
    Node what = TRY(row.parse(line, escape));
    return Instruction{std::move(what), line.keyword, std::move(line.original), line.lines};
  }
  std::vector<std::string_view> names{"FROM"};
  for (const KeywordRow& row : kKeywords) names.push_back(row.keyword);
  return wrong(concat("unknown instruction ", line.keyword, did_you_mean(line.keyword, names)));
}

Status check_trigger(const ScannedLine& line) {
  if (line.keyword == "ONBUILD") return wrong("ONBUILD cannot stand behind ONBUILD");
  if (line.keyword == "FROM" || line.keyword == "MAINTAINER")
    return wrong(concat(line.keyword, " cannot stand behind ONBUILD"));
  return {};
}

Result<Node> parse_onbuild(const ScannedLine& line, char escape) {
  TRY(no_flags(line));
  if (line.rest.empty()) return wrong("ONBUILD wants an instruction");
  ScannedLine inner = split_instruction(line.rest);
  TRY(check_trigger(inner));
  inner.heredocs = line.heredocs;
  TRY(parse_line(inner, escape));
  node::Onbuild onbuild{line.rest};
  for (const Heredoc& heredoc : line.heredocs)
    onbuild.trigger += concat("\n", heredoc.content, heredoc.name);
  return Node(std::move(onbuild));
}

bool is_stage_name(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

Result<Stage> parse_from(const ScannedLine& line) {
  Stage stage;
  TRY(read_flags(line, {{"platform", &stage.platform}}));
  std::vector<std::string> words = split_blanks(line.rest);
  if (words.size() != 1 && !(words.size() == 3 && to_lower(words[1]) == "as"))
    return wrong("FROM wants an image, or an image and a name (FROM IMAGE AS NAME)");
  stage.base = words[0];
  if (words.size() == 3) {
    stage.name = to_lower(words[2]);
    if (!is_stage_name(stage.name))
      return wrong(concat("invalid stage name ", quote(words[2]),
                          " (a letter, then letters, digits, - _ .)"));
  }
  stage.original = line.original;
  stage.lines = line.lines;
  return stage;
}

Status add_line(ScannedLine line, Containerfile* file) {
  if (line.keyword == "FROM") {
    if (file->stages.size() == kMaxStages) return wrong("more than 1000 stages");
    file->stages.push_back(TRY(parse_from(line)));
    return {};
  }
  Instruction instruction = TRY(parse_line(std::move(line), file->escape));
  if (!file->stages.empty()) {
    file->stages.back().instructions.push_back(std::move(instruction));
  } else if (instruction.as<node::Arg>() != nullptr) {
    file->globals.push_back(std::move(instruction));
  } else {
    return wrong(concat(instruction.keyword, " before the first FROM (only ARG can stand there)"));
  }
  return {};
}

}  // namespace

Result<Containerfile> parse(std::string_view text, std::string_view filename) {
  ScannedFile scanned = TRY(scan(text, filename));
  Containerfile file;
  file.filename = filename;
  file.escape = scanned.escape;
  file.syntax = std::move(scanned.syntax);
  file.check = std::move(scanned.check);
  file.warnings = std::move(scanned.warnings);
  for (ScannedLine& line : scanned.lines) {
    const SourceLines at = line.lines;
    if (Status added = add_line(std::move(line), &file); !added)
      return at_line(std::move(added.error()), file, at);
  }
  if (file.stages.empty())
    return Error(
        Errc::invalid_argument,
        concat(filename, ": no FROM (a Containerfile begins with FROM IMAGE or FROM scratch)"));
  return file;
}

Result<Instruction> parse_trigger(std::string_view text, std::string_view image) {
  const std::string where = concat("ONBUILD of ", image);
  ScannedFile scanned = TRY(scan(text, where));
  if (scanned.lines.size() != 1)
    return wrong(concat(where, ": ", quote(text.substr(0, 200)), " is not one instruction"));
  ScannedLine& line = scanned.lines[0];
  TRY_CTX(check_trigger(line), where);
  return TRY_CTX(parse_line(std::move(line), scanned.escape), where);
}

}  // namespace minke::build
