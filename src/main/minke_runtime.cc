// minke-runtime: an OCI runtime for other engines (and for people), over the library that minke's
// own monitor uses.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "main/runtime_cli.h"
#include "runtime/protect.h"

namespace minke::runtime_cli {
namespace {

const std::vector<OptionRow> kCreateOptions = {
    {"bundle", 'b', true, "folder with config.json (default: .)"},
    {"config", 'f', true, "other name of config.json"},
    {"console-socket", 0, true, "unix socket that gets the terminal's master"},
    {"pid-file", 0, true, "file to write init's pid to"},
    {"no-pivot", 0, false, "change the root without pivot_root"},
    {"no-new-keyring", 0, false, "keep the session keyring"},
    {"preserve-fds", 0, true, "number of descriptors after stdio that init gets"},
    {"no-subreaper", 0, false, "accepted: there is no subreaper"},
};

std::vector<OptionRow> run_options() {
  std::vector<OptionRow> rows = kCreateOptions;
  rows.push_back({"keep", 0, false, "keep the state after the end"});
  rows.push_back({"detach", 'd', false, "do not wait"});
  return rows;
}

}  // namespace

const std::vector<OptionRow>& global_options() {
  static const std::vector<OptionRow> kRows = {
      {"root", 0, true, "folder of container states"},
      {"log", 0, true, "file to write failures to"},
      {"log-format", 0, true, "text or json"},
      {"log-level", 0, true, "error, warning, info or debug"},
      {"debug", 0, false, "tell more"},
      {"systemd-cgroup", 0, false, "cgroups by systemd; cgroupsPath is SLICE:PREFIX:NAME"},
      {"cgroup-manager", 0, true, "cgroupfs, systemd or disabled"},
      {"rootless", 0, true, "accepted; it is found out"},
      {"criu", 0, true, "accepted; not used"},
      {"help", 'h', false, "show help"},
      {"version", 'v', false, "show version"},
  };
  return kRows;
}

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands = {
      {"create", "create [options] ID", "make a container: everything but its program",
       kCreateOptions, -1, run_create},
      {"run", "run [options] ID", "create, start, wait, delete", run_options(), -1, run_run},
      {"start", "start ID", "run the program of a created container", {}, -1, run_start},
      {"state", "state ID", "say what it is doing, as JSON", {}, -1, run_state},
      {"kill",
       "kill [--all] ID [SIGNAL]",
       "send a signal, SIGTERM where none is named",
       {{"all", 'a', false, "every process"}, {"regex", 'r', false, "ID is a regular expression"}},
       -1,
       run_kill},
      {"delete",
       "delete [--force] ID",
       "remove what is left of a stopped container",
       {{"force", 'f', false, "kill it first"},
        {"regex", 'r', false, "ID is a regular expression"}},
       -1,
       run_delete},
      {"exec",
       "exec [options] ID COMMAND [ARG...]",
       "run a further program in a running container",
       {{"process", 'p', true, "file with the process as in config.json"},
        {"cwd", 0, true, "working directory"},
        {"env", 'e', true, "NAME=VALUE"},
        {"tty", 't', false, "with a terminal"},
        {"user", 'u', true, "UID[:GID]"},
        {"additional-gids", 'g', true, "further group"},
        {"cap", 'c', true, "further capability"},
        {"detach", 'd', false, "do not wait"},
        {"pid-file", 0, true, "file to write the pid to"},
        {"console-socket", 0, true, "unix socket that gets the terminal's master"},
        {"preserve-fds", 0, true, "number of descriptors after stdio to hand over"},
        {"no-new-privs", 0, false, "forbid set-uid programs"},
        {"process-label", 0, true, "SELinux label"},
        {"apparmor", 0, true, "AppArmor profile"},
        {"cgroup", 0, true, "group below the container's own"},
        {"ignore-paused", 0, false, "also in a paused container"}},
       1,
       run_exec},
      {"list",
       "list [-q] [-f table|json]",
       "name the containers below --root",
       {{"quiet", 'q', false, "ids only"}, {"format", 'f', true, "table or json"}},
       -1,
       run_list},
      {"ps",
       "ps [-f table|json] ID [PS-OPTION...]",
       "list a container's processes",
       {{"format", 'f', true, "table or json"}},
       1,
       run_ps},
      {"pause", "pause ID", "freeze every process", {}, -1, run_pause},
      {"resume", "resume ID", "let them go on", {}, -1, run_resume},
      {"update",
       "update [options] ID",
       "change the limits of a running container",
       {{"resources", 'r', true, "file with linux.resources, - for stdin"},
        {"memory", 0, true, "bytes"},
        {"memory-reservation", 0, true, "bytes"},
        {"memory-swap", 0, true, "memory and swap together, bytes; -1 unlimited"},
        {"cpu-period", 0, true, "microseconds"},
        {"cpu-quota", 0, true, "microseconds"},
        {"cpu-burst", 0, true, "microseconds"},
        {"cpu-share", 0, true, "relative weight"},
        {"cpu-idle", 0, true, "1: only when nothing else runs"},
        {"cpu-rt-period", 0, true, "microseconds, of realtime scheduling"},
        {"cpu-rt-runtime", 0, true, "microseconds, of realtime scheduling"},
        {"cpuset-cpus", 0, true, "list"},
        {"cpuset-mems", 0, true, "list"},
        {"blkio-weight", 0, true, "10 to 1000"},
        {"pids-limit", 0, true, "processes; -1 unlimited"},
        {"l3-cache-schema", 0, true, "cache lines of the class of service, L3:0=f"},
        {"mem-bw-schema", 0, true, "memory bandwidth of the class of service, MB:0=50"},
        {"kernel-memory", 0, true, "refused: the kernel has no such limit any more"},
        {"kernel-memory-tcp", 0, true, "refused likewise"}},
       -1,
       run_update},
      {"events",
       "events [--stats] [--interval DURATION] ID",
       "print statistics and out-of-memory events, as JSON",
       {{"stats", 0, false, "once, then end"}, {"interval", 0, true, "time between two, like 5s"}},
       -1,
       run_events},
      {"spec",
       "spec [--rootless] [-b BUNDLE]",
       "write a config.json to start from",
       {{"rootless", 0, false, "for an ordinary user"},
        {"bundle", 'b', true, "folder to write config.json to"}},
       -1,
       run_spec},
      {"features", "features", "say what this runtime can do, as JSON", {}, -1, run_features},
  };
  return kCommands;
}

Result<Arguments> parse_arguments(const std::vector<std::string>& argv,
                                  const std::vector<OptionRow>& options, int stop_after_words) {
  Arguments out;
  auto find = [&](std::string_view name) -> const OptionRow* {
    for (const OptionRow& row : options)
      if (row.name == name || (name.size() == 1 && name[0] == row.letter)) return &row;
    return nullptr;
  };
  for (std::size_t i = 0; i < argv.size(); ++i) {
    const std::string& word = argv[i];
    bool full =
        stop_after_words >= 0 && out.words.size() >= static_cast<std::size_t>(stop_after_words);
    if (full || word.size() < 2 || word[0] != '-') {
      out.words.push_back(word);
      if (stop_after_words >= 0 && out.words.size() >= static_cast<std::size_t>(stop_after_words)) {
        out.words.insert(out.words.end(), argv.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                         argv.end());
        break;
      }
      continue;
    }
    if (word == "--") {
      out.words.insert(out.words.end(), argv.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                       argv.end());
      break;
    }
    std::string_view text = std::string_view(word).substr(word[1] == '-' ? 2 : 1);
    auto pair = split_once(text, '=');
    std::string_view name = pair ? pair->first : text;
    const OptionRow* row = find(name);
    if (row == nullptr) return Error(Errc::invalid_argument, concat("unknown option ", word));
    if (row->takes_value) {
      if (pair) {
        out.values[row->name].emplace_back(pair->second);
      } else if (i + 1 < argv.size()) {
        out.values[row->name].push_back(argv[++i]);
      } else {
        return Error(Errc::invalid_argument, concat("option ", word, " needs a value"));
      }
    } else if (pair) {
      auto value = parse_bool(pair->second);
      if (!value)
        return Error(Errc::invalid_argument, concat("option ", word, ": not true or false"));
      out.values.erase(row->name);
      out.off.erase(row->name);
      if (*value)
        out.values[row->name].emplace_back("true");
      else
        out.off.insert(row->name);
    } else {
      out.values[row->name].emplace_back("true");
    }
  }
  return out;
}

namespace {

std::string default_root() {
  if (::geteuid() == 0) {
    // Root of a rootless user namespace has no place in /run.
    const char* dir = ::getenv("XDG_RUNTIME_DIR");
    auto map = sys::read_small_file("/proc/self/uid_map", 4096);
    bool initial = !map || map->find("4294967295") != std::string::npos;
    if (initial || dir == nullptr || *dir == 0) return "/run/minke-runtime";
    return concat(dir, "/minke-runtime");
  }
  const char* dir = ::getenv("XDG_RUNTIME_DIR");
  if (dir != nullptr && *dir != 0) return concat(dir, "/minke-runtime");
  return concat("/tmp/minke-runtime-", ::geteuid());
}

void write_log(const Global& g, std::string_view level, std::string_view message) {
  if (g.log.empty()) return;
  auto file = sys::open(g.log, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (!file) return;
  std::string line;
  std::string time = format_rfc3339(now(), -1, true);
  if (g.log_format == "json") {
    json::Object o;
    o.set("level", level);
    o.set("msg", message);
    o.set("time", time);
    line = json::dump(json::Value(std::move(o)));
  } else {
    line = concat("time=\"", time, "\" level=", level, " msg=", quote(message));
  }
  ignore(sys::write_all(file->get(), line + "\n"), "the log is only a copy of what stderr gets");
}

Result<Global> make_global(const Arguments& a) {
  Global g;
  g.root = a.get("root", default_root());
  g.log = a.get("log");
  g.log_format = a.get("log-format", "text");
  g.debug = a.has("debug");
  if (g.log_format != "text" && g.log_format != "json")
    return Error(Errc::invalid_argument, concat("unknown log format ", quote(g.log_format)));
  if (a.has("systemd-cgroup")) g.cgroup_manager = "systemd";
  if (a.has("cgroup-manager")) g.cgroup_manager = a.get("cgroup-manager");
  if (g.cgroup_manager != "cgroupfs" && g.cgroup_manager != "systemd" &&
      g.cgroup_manager != "disabled")
    return Error(Errc::invalid_argument,
                 concat("unknown cgroup manager ", quote(g.cgroup_manager)));
  return g;
}

void tell(const Global& g, const Error& error) {
  ::fprintf(stderr, "%s\n", error.message().c_str());
  write_log(g, "error", error.message());
}

int report(const Global& g, const Error& error) {
  tell(g, error);
  return error.exit_code() != 0 ? error.exit_code() : 1;
}

// Splits the words at the command: what stands before it is global.
int run(const std::vector<std::string>& argv) {
  Global global;
  auto args = parse_arguments(argv, global_options(), 1);
  if (!args) return report(global, args.error());
  if (args->has("version")) {
    ::printf("minke-runtime version %s\nspec: 1.2.0\n", MINKE_VERSION);
    return 0;
  }
  if (args->has("help") || args->words.empty() || args->words[0] == "help") {
    print_help();
    return args->has("help") || !args->words.empty() ? 0 : 1;
  }
  if (args->words[0] == "generate-man") {
    print_man_page();
    return 0;
  }
  auto made = make_global(*args);
  if (!made) return report(global, made.error());
  global = std::move(*made);
  for (const Command& command : commands()) {
    if (args->words[0] != command.name) continue;
    std::vector<std::string> rest(args->words.begin() + 1, args->words.end());
    if (!rest.empty() && (rest[0] == "--help" || rest[0] == "-h")) {
      print_help(command);
      return 0;
    }
    auto parsed = parse_arguments(rest, command.options, command.stop_after_words);
    if (!parsed) return report(global, parsed.error());
    auto code = command.run(global, *parsed);
    if (code) return *code;
    // As runc: apart from what a process that ran may have ended with.
    if (command.run != run_exec) return report(global, code.error());
    tell(global, code.error());
    return 255;
  }
  Error unknown(Errc::invalid_argument, concat("unknown command ", quote(args->words[0])));
  return report(global, unknown);
}

}  // namespace
}  // namespace minke::runtime_cli

int main(int argc, char** argv) {
  // Before anything else: what a container could get hold of as /proc/self/exe must not be
  // writable.
  minke::Status safe = minke::runtime::protect_own_binary();
  if (!safe) {
    ::fprintf(stderr, "%s\n", safe.error().message().c_str());
    return 1;
  }
  return minke::runtime_cli::run({argv + 1, argv + argc});
}
