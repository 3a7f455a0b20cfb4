#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/select.h"
#include "view/status.h"

namespace minke::cli {
namespace {

struct LogsFlags {
  bool color = false, follow = false, latest = false, names = false, timestamps = false;
  std::string since, until;
  std::int64_t tail = -1;
};
using F = LogsFlags;
constexpr Option<F> kOptions[] = {
    {"color", 0, &F::color, "Output the containers with different colors in the log."},
    {"follow", 'f', &F::follow, "Follow log output."},
    {"latest", 'l', &F::latest, "Act on the latest container"},
    {"names", 'n', &F::names, "Output the container name in the log"},
    {"since", 0, &F::since, "Show logs since TIMESTAMP"},
    {"tail", 0, &F::tail,
     "Output the specified number of LINES at the end of the logs.  Defaults to -1, which prints "
     "all lines"},
    {"timestamps", 't', &F::timestamps, "Output the timestamps in the log"},
    {"until", 0, &F::until, "Show logs until TIMESTAMP"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

Result<std::optional<TimeNs>> time_of(const char* option, const std::string& text) {
  if (text.empty()) return std::optional<TimeNs>();
  auto time = parse_timestamp(text, now());
  if (!time)
    return Error(Errc::invalid_argument, concat("parsing --", option, " ", quote(text),
                                                ": unable to interpret time value"));
  return time;
}

// Lines of one container, each to the stream that it came from.
class Printer {
 public:
  Printer(Output& out, const LogsFlags& flags, std::string prefix)
      : outputs_{&out, &errors_},
        timestamps_(flags.timestamps),
        flush_(flags.follow),
        prefix_(std::move(prefix)) {}

  bool print(const monitor::LogLine& line) {
    const int stream = line.is_stderr ? 1 : 0;
    // The order between both streams is kept where they end in one terminal.
    if (stream != last_) ignore(outputs_[last_]->flush(), "seen again at the next piece");
    last_ = stream;
    Output& out = *outputs_[stream];
    if (!inside_[stream]) {
      out.text(prefix_);
      if (timestamps_) out.text(concat(format_rfc3339(line.time, 9), " "));
    }
    out.text(line.text);
    if (!line.partial) out.text("\n");
    inside_[stream] = line.partial;
    if (flush_) ignore(out.flush(), "seen below");
    return !out.broken();
  }
  Status finish() {
    TRY(errors_.flush());
    return outputs_[0]->flush();
  }

 private:
  Output errors_{STDERR_FILENO};
  Output* outputs_[2];
  bool timestamps_, flush_;
  std::string prefix_;
  bool inside_[2] = {false, false};  // the last piece had no newline
  int last_ = 0;
};

// "name " or "id " before each line when there are several containers.
Result<std::string> prefix_of(engine::Engine& engine, const LogsFlags& flags, const std::string& id,
                              std::size_t index) {
  std::string text = flags.names ? TRY(engine.summary(id)).name : view::short_id(id);
  text += ' ';
  if (!flags.color) return text;
  return concat("\033[", 31 + index % 6, "m", text, "\033[0m");
}

Status print_logs(Invocation& call, engine::Engine& engine, const LogsFlags& flags,
                  const monitor::LogQuery& query, const std::string& id, std::string prefix) {
  Printer printer(call.out, flags, std::move(prefix));
  Status read = engine.logs(
      id, query, [&printer](const monitor::LogLine& line) { return printer.print(line); });
  Status written = printer.finish();
  if (!read) return read;
  return written;
}

Result<int> logs(Invocation& call, LogsFlags& flags) {
  if (flags.latest && !call.args.empty())
    return Error(Errc::invalid_argument, "--latest and containers cannot be used together");
  if (!flags.latest && call.args.empty())
    return Error(Errc::invalid_argument, "specify at least one container name or ID to log");
  monitor::LogQuery query;
  query.since = TRY(time_of("since", flags.since));
  query.until = TRY(time_of("until", flags.until));
  if (flags.tail >= 0) query.tail = flags.tail;
  query.follow = flags.follow;
  engine::Engine* engine = TRY(call.engine());
  Selection selection =
      TRY(select(*engine, {.latest = flags.latest, .cidfile = {}, .filter = {}}, call.args));
  if (!selection.errors.empty()) return finish(std::move(selection.errors));
  const auto& containers = selection.containers;
  if (containers.size() == 1) {
    TRY(print_logs(call, *engine, flags, query, containers[0].id, {}));
    return 0;
  }
  // Each is read by a process of its own, so that all can be followed at once.
  std::vector<pid_t> readers;
  for (std::size_t i = 0; i < containers.size(); ++i) {
    std::string prefix = TRY(prefix_of(*engine, flags, containers[i].id, i));
    if (!flags.follow) {
      TRY(print_logs(call, *engine, flags, query, containers[i].id, std::move(prefix)));
      continue;
    }
    pid_t pid = ::fork();
    if (pid < 0) return Error::from_errno(errno, "fork");
    if (pid == 0) {
      Status done = print_logs(call, *engine, flags, query, containers[i].id, std::move(prefix));
      ::_exit(done ? 0 : 1);
    }
    readers.push_back(pid);
  }
  int worst = 0;
  for (pid_t pid : readers) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) worst = kExitFault;
  }
  return worst;
}

}  // namespace

const constinit Command kLogsCommand = make_command<LogsFlags, logs>(
    {.summary = "Fetch the logs of one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description = "Retrieves logs for one or more containers.\n\nThis does not guarantee "
                    "execution order when "
                    "combined with run (i.e., your run may not have generated any logs at the time "
                    "you execute "
                    "logs).",
     .examples =
         "ctrID\n--names ctrID1 ctrID2\n--color --names ctrID1 ctrID2\n--tail 2 mywebserver\n"
         "--follow=true --since 10m ctrID"},
    kTables);

}  // namespace minke::cli
