#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/select.h"

namespace minke::cli {
namespace {

struct WaitFlags {
  std::vector<std::string> condition;
  bool exit_first_match = false, ignore = false, latest = false;
  std::string interval = "250ms";
};
using F = WaitFlags;
constexpr Option<F> kOptions[] = {
    {"condition",
     0,
     &F::condition,
     "Condition to wait on",
     {.shown_default = "exited,stopped", .csv = true}},
    {"exit-first-match", 0, &F::exit_first_match,
     "Exit after the first container matches a condition"},
    {"ignore", 0, &F::ignore,
     "Ignore errors when a specified container is missing and wait on the others"},
    {"interval", 'i', &F::interval, "Time Interval to wait before polling for completion"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

constexpr std::string_view kStates[] = {"created", "initialized", "running",  "paused", "stopping",
                                        "stopped", "exited",      "removing", "unknown"};

Status check_conditions(const std::vector<std::string>& conditions) {
  for (const std::string& condition : conditions) {
    if (condition == "healthy" || condition == "unhealthy") continue;
    if (std::find(std::begin(kStates), std::end(kStates), condition) == std::end(kStates))
      return Error(Errc::invalid_argument,
                   concat("unknown container state: ", condition, ": invalid argument"));
  }
  return {};
}

// Milliseconds; a bare number means those.
Result<std::int64_t> interval_of(const std::string& text) {
  auto ns = parse_duration(text);
  if (!ns) ns = parse_duration(text + "ms");
  if (!ns || *ns <= 0)
    return Error(Errc::invalid_argument, concat("time: invalid duration ", quote(text)));
  return std::max<std::int64_t>(1, *ns / 1'000'000);
}

// Looks at each in turn until one is as wanted.
Result<int> wait_for_first(engine::Engine& engine, const std::vector<Selected>& containers,
                           const std::vector<std::string>& conditions, std::int64_t interval_ms) {
  using engine::ContainerState;
  for (;;) {
    for (const Selected& one : containers) {
      auto live = engine.summary(one.id);
      if (!live && live.error().code() != Errc::not_found) return std::move(live.error());
      if (!live) return engine.wait(one.id, conditions, interval_ms);
      const bool ended =
          live->state == ContainerState::exited || live->state == ContainerState::stopped;
      bool wanted = conditions.empty() && ended;
      for (const std::string& condition : conditions)
        wanted = wanted || condition == engine::state_name(live->state) ||
                 (live->state == ContainerState::running && condition == live->health) ||
                 (ended && (condition == "stopped" || condition == "exited"));
      if (wanted) return ended ? live->exit_code : -1;
    }
    ::usleep(static_cast<useconds_t>(std::min<std::int64_t>(interval_ms, 1000) * 1000));
  }
}

Result<int> wait(Invocation& call, WaitFlags& flags) {
  std::int64_t interval = TRY(interval_of(flags.interval));
  if (call.args.empty() && !flags.latest)
    return Error(Errc::invalid_argument,
                 concat(quote(call.full_path()), " requires a name, id, or the \"--latest\" flag"));
  if (!call.args.empty() && flags.latest)
    return Error(Errc::invalid_argument, "--latest and containers cannot be used together");
  TRY(check_conditions(flags.condition));
  engine::Engine* engine = TRY(call.engine());
  std::vector<std::string> words = call.args;
  if (flags.latest) words.push_back(TRY(engine->latest_id()));

  ErrorList errors;
  std::vector<Selected> first;
  for (const std::string& word : words) {
    // Twice the same name gives its code twice.
    auto id = engine->resolve_id(word);
    if (!id) {
      if (id.error().code() == Errc::not_found && flags.ignore)
        call.out.line("-1");
      else
        errors.add(std::move(id.error()));
      continue;
    }
    if (flags.exit_first_match) {
      first.push_back({std::move(*id), word});
      continue;
    }
    auto code = engine->wait(*id, flags.condition, interval);
    if (code) {
      call.out.line(concat(*code));
      ignore(call.out.flush(), "seen at the end of the command");
    } else {
      errors.add(std::move(code.error()));
    }
  }
  if (!first.empty()) {
    int code = TRY(wait_for_first(*engine, first, flags.condition, interval));
    call.out.line(concat(code));
  }
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kWaitCommand = make_command<WaitFlags, wait>(
    {.summary = "Block on one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description = "Block until one or more containers stop and then print their exit codes.",
     .examples = "--interval 5s ctrID\nctrID1 ctrID2"},
    kTables);

}  // namespace minke::cli
