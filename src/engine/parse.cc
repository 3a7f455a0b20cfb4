// Option texts that stand alone: limits, namespaces, restart policy, entrypoint, env and label
// files.
#include "engine/parse.h"

#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "codec/json.h"
#include "engine/parse_internal.h"
#include "sys/fd.h"

namespace minke::engine {

static constexpr std::string_view kUlimitNames[] = {
    "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
    "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack",
};

Result<Ulimit> parse_ulimit(std::string_view text) {
  if (text == "host") return Ulimit{"host", 0, 0};
  auto fail = [&](const std::string& why) {
    return Error(Errc::invalid_argument,
                 concat("ulimit option ", quote(text),
                        " requires name=SOFT:HARD, failed to be parsed: ", why));
  };
  auto pair = split_once(text, '=');
  if (!pair) return fail(concat("invalid ulimit argument: ", text));
  Ulimit limit;
  limit.name = to_lower(pair->first);
  if (limit.name.starts_with("rlimit_")) limit.name.erase(0, 7);
  if (std::find(std::begin(kUlimitNames), std::end(kUlimitNames), limit.name) ==
      std::end(kUlimitNames))
    return fail(concat("invalid ulimit type: ", pair->first));
  std::vector<std::string_view> values = split(pair->second, ':');
  if (values.size() > 2)
    return fail(concat("too many limit value arguments - ", pair->second,
                       ", can only have up to two, `soft[:hard]`"));
  auto number = [](std::string_view value) -> std::optional<std::int64_t> {
    if (value == "unlimited") return -1;
    auto n = parse_int(value);
    return n && *n >= -1 ? n : std::nullopt;
  };
  auto soft = number(values[0]), hard = number(values.back());
  if (!soft || !hard)
    return fail(concat("strconv.ParseInt: parsing ", quote(soft ? values.back() : values[0]),
                       ": invalid syntax"));
  if (*hard != -1 && (*soft == -1 || *soft > *hard))
    return fail(concat("ulimit soft limit must be less than or equal to hard limit: ", *soft, " > ",
                       *hard));
  limit.soft = *soft;
  limit.hard = *hard;
  return limit;
}

// Which modes a namespace flag takes; the ones with a value follow a colon.
struct NamespaceModes {
  std::string_view flag;
  std::vector<std::string_view> plain, with_value;
};
static const NamespaceModes& modes_of(std::string_view flag) {
  static const NamespaceModes table[] = {
      {"pid", {"private", "host", "pod"}, {"container", "ns"}},
      {"ipc", {"private", "host", "none", "shareable", "pod"}, {"container", "ns"}},
      {"uts", {"private", "host", "pod"}, {"container", "ns"}},
      {"cgroupns", {"private", "host", "pod"}, {"container", "ns"}},
      {"userns",
       {"private", "host", "keep-id", "auto", "nomap", "pod"},
       {"container", "ns", "keep-id", "auto"}},
  };
  for (const NamespaceModes& row : table)
    if (row.flag == flag) return row;
  return table[0];
}

Result<NamespaceMode> parse_namespace(std::string_view flag, std::string_view text) {
  NamespaceMode mode;
  if (text.empty() || text == "default") return mode;
  auto pair = split_once(text, ':');
  mode.mode = pair ? pair->first : text;
  mode.value = pair ? pair->second : std::string_view();
  // A network is also named by its own name, so that any text is one; resolve_config() knows which
  // there are.
  if (flag == "network" || flag == "net") {
    if ((mode.mode == "container" || mode.mode == "ns") && mode.value.empty())
      return Error(Errc::invalid_argument,
                   concat("must provide a value for network mode ", quote(mode.mode)));
    return mode;
  }
  const NamespaceModes& known = modes_of(flag);
  const auto& list = pair ? known.with_value : known.plain;
  if (std::find(list.begin(), list.end(), mode.mode) == list.end() ||
      (pair && (mode.mode == "container" || mode.mode == "ns") && mode.value.empty()))
    return Error(Errc::invalid_argument, concat("unrecognized namespace mode ", text, " passed"));
  return mode;
}

Result<RestartPolicy> parse_restart(std::string_view text) {
  RestartPolicy policy;
  std::vector<std::string_view> parts = split(text, ':');
  policy.name = parts[0];
  if (policy.name != "" && policy.name != "no" && policy.name != "always" &&
      policy.name != "on-failure" && policy.name != "unless-stopped")
    return Error(Errc::invalid_argument,
                 concat(quote(policy.name), " is not a valid restart policy: invalid argument"));
  if (parts.size() == 1) return policy;
  if (parts.size() > 2)
    return Error(Errc::invalid_argument,
                 "invalid restart policy: may specify retries at most once");
  if (policy.name != "on-failure")
    return Error(Errc::invalid_argument,
                 "restart policy retries can only be specified with on-failure restart policy");
  auto retries = parse_int(parts[1]);
  if (!retries)
    return Error(Errc::invalid_argument,
                 concat("parsing restart policy retry count: strconv.Atoi: parsing ",
                        quote(parts[1]), ": invalid syntax"));
  if (*retries < 0 || *retries > INT32_MAX)
    return Error(Errc::invalid_argument,
                 "must specify restart policy retry count as a number greater than 0");
  policy.retries = static_cast<std::uint32_t>(*retries);
  return policy;
}

Result<std::vector<std::string>> parse_entrypoint(std::string_view text) {
  // Podman takes whatever is no JSON array of strings as one word.
  auto value = json::parse(text);
  const json::Array* items = value ? value->as_array() : nullptr;
  std::vector<std::string> words;
  if (items != nullptr) {
    for (const json::Value& item : *items) {
      if (item.as_string() == nullptr) return std::vector<std::string>{std::string(text)};
      words.push_back(*item.as_string());
    }
    if (!words.empty()) return words;
    return std::vector<std::string>{""};
  }
  return std::vector<std::string>{std::string(text)};
}

// The caller's variables that `name` stands for: one, or all that begin with PREFIX of "PREFIX*".
void append_caller_env(std::string_view name, std::vector<std::string>* out) {
  const bool prefix = !name.empty() && name.back() == '*';
  std::string_view wanted = prefix ? name.substr(0, name.size() - 1) : name;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view variable(*entry);
    std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view key = variable.substr(0, equals);
    if (prefix ? key.starts_with(wanted) : key == wanted) out->emplace_back(variable);
  }
}

static constexpr std::string_view kBlanks = " \t";

Result<std::vector<std::string>> parse_env_file(const std::string& path) {
  std::string text =
      TRY_CTX(sys::read_small_file(path, 8 << 20), concat("parsing env file ", quote(path)));
  std::vector<std::string> env;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.empty() || line[0] == '#') continue;
    std::string_view name = line.substr(0, line.find('='));
    if (name.empty())
      return Error(Errc::invalid_argument, concat("parsing env file ", quote(path),
                                                  ": invalid environment variable: ", quote(line)));
    if (name.find_first_of(kBlanks) != std::string_view::npos)
      return Error(Errc::invalid_argument,
                   concat("parsing env file ", quote(path), ": name ", quote(name),
                          " has white spaces, poorly formatted name"));
    if (name.size() < line.size())
      env.emplace_back(line);
    else
      append_caller_env(name, &env);
  }
  return env;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_label_file(const std::string& path) {
  std::string text = TRY_CTX(sys::read_small_file(path, 8 << 20), "unable to process labels");
  std::vector<std::pair<std::string, std::string>> labels;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.empty() || line[0] == '#') continue;
    auto pair = split_once(line, '=');
    std::string_view key = pair ? pair->first : line;
    if (key.empty())
      return Error(Errc::invalid_argument,
                   concat("unable to process labels: invalid label format: ", quote(line)));
    if (key.find_first_of(kBlanks) != std::string_view::npos)
      return Error(Errc::invalid_argument, concat("unable to process labels: name ", quote(key),
                                                  " has white spaces, poorly formatted name"));
    labels.emplace_back(key, pair ? pair->second : std::string_view());
  }
  return labels;
}

}  // namespace minke::engine
