// stop, restart, kill, pause, unpause: they all act on containers that are selected in the same
// ways.

#include "base/str.h"
#include "cli/commands.h"
#include "cli/select.h"
#include "sys/process.h"

namespace minke::cli {
namespace {

using engine::ContainerState;

struct StopFlags : SelectFlags {
  bool ignore = false;
  std::optional<std::int64_t> time;
};
using S = StopFlags;
constexpr Option<S> kStopOptions[] = {
    {"all", 'a', &S::all, "Stop all running containers"},
    {"cidfile", 0, &S::cidfile, "Read the container ID from the file"},
    {"filter", 'f', &S::filter, "Filter output based on conditions given"},
    {"ignore", 'i', &S::ignore, "Ignore errors when a specified container is missing"},
    {"latest", 'l', &S::latest, "Act on the latest container"},
    {"time",
     't',
     &S::time,
     "`Seconds` to wait for stop before killing the container",
     {.shown_default = "10"}},
};
constexpr OptionTable kStopTables[] = {option_table<S>(kStopOptions)};

// -1 waits for ever, as the time of a container does.
Status check_time(const std::optional<std::int64_t>& time) {
  if (time && *time < -1)
    return Error(Errc::invalid_argument, concat("invalid time ", *time, ": must be -1 or more"));
  return {};
}

Result<int> stop(Invocation& call, StopFlags& flags) {
  TRY(check_selection(flags, call.args.size()));
  TRY(check_time(flags.time));
  engine::Engine* engine = TRY(call.engine());
  SelectRules rules{.ignore_missing = flags.ignore, .all_states = {ContainerState::running}};
  if (!flags.all) rules.all_states.clear();
  Selection selection = TRY(select(*engine, flags, call.args, rules));
  engine->end_together(ids_of(selection), flags.time);
  return for_each_selected(call, std::move(selection), [&](const Selected& one) -> Status {
    Status done = engine->stop(one.id, flags.time);
    // One that removes itself at its end may be gone by now: then it has stopped.
    if (!done && done.error().code() == Errc::not_found) return {};
    return done;
  });
}

struct RestartFlags : SelectFlags {
  bool running = false;
  std::optional<std::int64_t> time;
};
using R = RestartFlags;
constexpr Option<R> kRestartOptions[] = {
    {"all", 'a', &R::all, "Restart all non-running containers"},
    {"cidfile", 0, &R::cidfile, "Read the container ID from the file"},
    {"filter", 'f', &R::filter, "Filter output based on conditions given"},
    {"latest", 'l', &R::latest, "Act on the latest container"},
    {"running", 0, &R::running, "Restart only running containers"},
    {"time",
     't',
     &R::time,
     "`Seconds` to wait for stop before killing the container",
     {.shown_default = "10"}},
};
constexpr OptionTable kRestartTables[] = {option_table<R>(kRestartOptions)};

Result<int> restart(Invocation& call, RestartFlags& flags) {
  SelectRules rules;
  if (flags.running) {
    if (!call.args.empty() || flags.latest || !flags.cidfile.empty())
      return Error(Errc::invalid_argument,
                   "--running cannot be used with names, --latest or --cidfile");
    flags.all = true;
    rules.all_states = {ContainerState::running};
  }
  TRY(check_selection(flags, call.args.size()));
  TRY(check_time(flags.time));
  engine::Engine* engine = TRY(call.engine());
  Selection selection = TRY(select(*engine, flags, call.args, rules));
  return for_each_selected(call, std::move(selection), [&](const Selected& one) {
    return engine->restart(one.id, flags.time);
  });
}

struct KillFlags : SelectFlags {
  std::string signal = "KILL";
};
using K = KillFlags;
constexpr Option<K> kKillOptions[] = {
    {"all", 'a', &K::all, "Signal all running containers"},
    {"cidfile", 0, &K::cidfile, "Read the container ID from the file"},
    {"latest", 'l', &K::latest, "Act on the latest container"},
    {"signal", 's', &K::signal, "Signal to send to the container"},
};
constexpr OptionTable kKillTables[] = {option_table<K>(kKillOptions)};

Result<int> kill(Invocation& call, KillFlags& flags) {
  auto signal = sys::parse_signal(flags.signal);
  if (!signal) return Error(Errc::invalid_argument, concat("invalid signal: ", flags.signal));
  TRY(check_selection(flags, call.args.size(), LatestText::containers));
  engine::Engine* engine = TRY(call.engine());
  SelectRules rules;
  if (flags.all) rules.all_states = {ContainerState::running};
  Selection selection = TRY(select(*engine, flags, call.args, rules));
  return for_each_selected(call, std::move(selection),
                           [&](const Selected& one) { return engine->kill(one.id, *signal); });
}

using P = SelectFlags;
constexpr Option<P> kPauseOptions[] = {
    {"all", 'a', &P::all, "Act on all containers in the fitting state"},
    {"cidfile", 0, &P::cidfile, "Read the container ID from the file"},
    {"filter", 'f', &P::filter, "Filter output based on conditions given"},
    {"latest", 'l', &P::latest, "Act on the latest container"},
};
constexpr OptionTable kPauseTables[] = {option_table<P>(kPauseOptions)};

Result<int> set_paused(Invocation& call, SelectFlags& flags, bool paused) {
  TRY(check_selection(flags, call.args.size()));
  engine::Engine* engine = TRY(call.engine());
  SelectRules rules;
  if (flags.all) rules.all_states = {paused ? ContainerState::running : ContainerState::paused};
  Selection selection = TRY(select(*engine, flags, call.args, rules));
  return for_each_selected(call, std::move(selection),
                           [&](const Selected& one) { return engine->pause(one.id, paused); });
}
Result<int> pause(Invocation& call, SelectFlags& flags) { return set_paused(call, flags, true); }
Result<int> unpause(Invocation& call, SelectFlags& flags) { return set_paused(call, flags, false); }

}  // namespace

const constinit Command kStopCommand = make_command<StopFlags, stop>(
    {.summary = "Stop one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description =
         "Stops one or more running containers.  The container name or ID can be used.\n\n"
         "A timeout to forcibly stop the container can also be set but defaults to 10 seconds "
         "otherwise.",
     .examples = "ctrID\n--latest\n--time 2 mywebserver 6e534f14da9d"},
    kStopTables);

const constinit Command kRestartCommand = make_command<RestartFlags, restart>(
    {.summary = "Restart one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description =
         "Restarts one or more running containers. The container ID or name can be used.\n\n"
         "A timeout before forcibly stopping can be set, but defaults to 10 seconds.",
     .examples = "ctrID\n--latest\nctrID1 ctrID2"},
    kRestartTables);

const constinit Command kKillCommand = make_command<KillFlags, kill>(
    {.summary = "Kill one or more running containers with a specific signal",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description =
         "The main process inside each container specified will be sent SIGKILL, or any signal "
         "specified with option --signal.",
     .examples = "mywebserver\n860a4b23\n--signal TERM ctrID"},
    kKillTables);

const constinit Command kPauseCommand = make_command<SelectFlags, pause>(
    {.summary = "Pause all the processes in one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description = "Pauses one or more running containers.  The container name or ID can be used.",
     .examples = "mywebserver\n860a4b23\n--all"},
    kPauseTables);

const constinit Command kUnpauseCommand = make_command<SelectFlags, unpause>(
    {.summary = "Unpause the processes in one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description = "Unpauses one or more previously paused containers.  The container name or ID "
                    "can be used.",
     .examples = "ctrID\n--all"},
    kPauseTables);

}  // namespace minke::cli
