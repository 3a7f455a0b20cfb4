// Signals and ends. No lock is held while anybody waits for a process.
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/str.h"
#include "base/time.h"
#include "engine/container_root.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/records.h"
#include "runtime/cgroup.h"
#include "state/object_lock.h"
#include "sys/process.h"

namespace minke::engine {
namespace {

// How long a monitor may take to write the exit record of an init that has ended.
constexpr int kRecordWaitMs = 10000;

bool is_up(ContainerState state) {
  return state == ContainerState::running || state == ContainerState::paused ||
         state == ContainerState::stopping || state == ContainerState::initialized;
}

Error wrong_state(std::string_view what, const ContainerSummary& live) {
  return Error(Errc::conflict, concat(what, " ", live.id, " is in state ", state_name(live.state),
                                      ": container state improper"));
}

// After init's end the monitor writes the record and ends; a container without one is healed by
// cleanup.
void wait_for_record(const ContainerSummary& live) {
  auto monitor = sys::Pidfd::open(live.monitor_pid);
  if (!monitor) return;
  ignore(monitor->wait_exit(kRecordWaitMs), "cleanup looks for itself");
}

}  // namespace

Status Engine::end_process(const ContainerSummary& live, int signal,
                           std::optional<std::int64_t> timeout) {
  auto init = open_init(host_, live);
  if (!init) {
    if (init.error().code() != Errc::not_found) return std::move(init.error());
    // It has just ended: its monitor is about to say so.
    wait_for_record(live);
    return {};
  }
  Status sent = init->process.kill(signal);
  if (!sent && sent.error().sys() != ESRCH) return sent;
  failpoint("engine.stop", 2);  // the signal is on its way
  if (signal != SIGKILL) {
    int wait_ms = !timeout || *timeout < 0
                      ? -1
                      : static_cast<int>(std::min<std::int64_t>(*timeout, 1 << 20) * 1000);
    bool ended = TRY(init->process.wait_exit(wait_ms));
    if (!ended) {
      sent = init->process.kill(SIGKILL);
      if (!sent && sent.error().sys() != ESRCH) return sent;
    }
  }
  if (!TRY(init->process.wait_exit(kRecordWaitMs)))
    return Error(Errc::timeout, concat("container ", short_id(live.id), ": process ", live.pid,
                                       " does not end after SIGKILL"));
  wait_for_record(live);
  return {};
}

Status Engine::stop(const std::string& id, std::optional<std::int64_t> timeout) {
  TRY(enter());
  Container container = TRY(find_container(id));
  if (container.live.state == ContainerState::paused)
    return wrong_state("can only stop created or running containers.", container.live);
  TRY(mark_stopped(container));
  failpoint("engine.stop", 1);  // the user's word is recorded
  if (!is_up(container.live.state)) {
    if (!has_restarts(container.live)) return {};
    // It may be about to be started anew, or just have been.
    sys::FileLock lock =
        TRY(state::lock_object(container.run_dir, concat("container ", short_id(id))));
    cancel_restart(container.run_dir);
    bool unused = false;
    container.live = TRY(load_summary(host_, id, &unused));
    if (!is_up(container.live.state)) return {};
  }
  // What only waits to be started has nothing to tidy up and takes no other signal.
  int signal =
      container.live.state == ContainerState::initialized ? SIGKILL : container.config.stop_signal;
  TRY(end_process(container.live, signal,
                  timeout ? timeout : std::optional(container.config.stop_timeout)));
  failpoint("engine.stop", 3);  // it has ended
  emit_container(host_, "stop", container.config);
  failpoint("engine.stop", 4);  // not tidied up
  return cleanup(id);
}

void Engine::end_together(const std::vector<std::string>& ids,
                          std::optional<std::int64_t> timeout) {
  struct Ending {
    sys::Pidfd init;
    std::int64_t due_ns;  // of KILL
  };
  std::vector<Ending> endings;
  if (ids.size() < 2 || !enter()) return;
  for (const std::string& id : ids) {
    auto container = find_container(id);
    if (!container || container->live.state != ContainerState::running) continue;
    if (!mark_stopped(*container)) continue;
    std::int64_t seconds = timeout.value_or(container->config.stop_timeout);
    auto init = open_init(host_, container->live);
    // One that may take for ever is left to its own stop.
    if (!init || seconds < 0 || !init->process.kill(container->config.stop_signal)) continue;
    endings.push_back({std::move(init->process), monotonic_ns() + seconds * kSecond});
  }
  for (Ending& ending : endings) {
    std::int64_t rest_ms =
        std::clamp<std::int64_t>((ending.due_ns - monotonic_ns()) / 1'000'000, 0, 1 << 30);
    auto ended = ending.init.wait_exit(static_cast<int>(rest_ms));
    if (ended && !*ended) ignore(ending.init.kill(SIGKILL), "its own stop looks again");
  }
}

Status Engine::kill(const std::string& id, int signal) {
  TRY(enter());
  Container container = TRY(find_container(id));
  const ContainerSummary& live = container.live;
  // As for stop: a user's signal that ends it is his last word.
  constexpr int kEnding[] = {SIGKILL, SIGTERM, SIGINT, SIGQUIT};
  bool ending = signal == container.config.stop_signal ||
                std::find(std::begin(kEnding), std::end(kEnding), signal) != std::end(kEnding);
  if (ending) TRY(mark_stopped(container));
  if (ending && live.restarting) {
    sys::FileLock lock =
        TRY(state::lock_object(container.run_dir, concat("container ", short_id(id))));
    if (cancel_restart(container.run_dir)) return {};
  }
  if (live.state != ContainerState::running && live.state != ContainerState::paused &&
      live.state != ContainerState::stopping)
    return wrong_state("can only kill running containers.", live);
  auto init = open_init(host_, live);
  if (!init) {
    if (init.error().code() != Errc::not_found) return std::move(init.error());
    ContainerSummary ended = live;
    ended.state = ContainerState::exited;  // at this moment
    return wrong_state("can only kill running containers.", ended);
  }
  TRY(init->process.kill(signal));
  emit_container(host_, "kill", live);
  // A frozen process takes the signal only when it thaws; KILL must end it all the same.
  if (signal == SIGKILL && live.state == ContainerState::paused) return pause(id, false);
  return {};
}

Status Engine::pause(const std::string& id, bool paused) {
  TRY(enter());
  ContainerSummary live = TRY(summary(id));
  const bool is_paused = live.state == ContainerState::paused;
  if (paused ? live.state != ContainerState::running : !is_paused) {
    std::string why = !paused ? concat(quote(id), " is not paused, can't unpause")
                      : is_paused
                          ? concat(quote(id), " is already paused")
                          : concat(quote(state_name(live.state)), " is not running, can't pause");
    return Error(Errc::conflict, why + ": container state improper");
  }
  runtime::Cgroup cgroup = TRY(runtime::Cgroup::open(live.cgroup));
  TRY(cgroup.freeze(paused));
  emit_container(host_, paused ? "pause" : "unpause", live);
  return {};
}

Status Engine::restart(const std::string& id, std::optional<std::int64_t> timeout) {
  Container container = TRY(find_container(id));
  if (container.live.state == ContainerState::paused)
    return Error(Errc::conflict,
                 "unable to restart a container in a paused or unknown state: container state "
                 "improper");
  emit_container(host_, "restart", container.config);
  if (is_up(container.live.state)) TRY(stop(id, timeout));
  TRY(start(container, {}));
  return {};
}

Result<int> Engine::wait(const std::string& id, const std::vector<std::string>& conditions,
                         std::int64_t interval_ms) {
  auto wanted = [&conditions](const ContainerSummary& container) {
    ContainerState state = container.state;
    if (conditions.empty())
      return state == ContainerState::exited || state == ContainerState::stopped;
    std::string_view name = state_name(state);
    for (const std::string& condition : conditions)
      if (condition == name ||
          (state == ContainerState::running && condition == container.health) ||
          (condition == "stopped" && state == ContainerState::exited))
        return true;
    return false;
  };
  bool for_end = conditions.empty();
  for (const std::string& condition : conditions)
    for_end = for_end || condition == "exited" || condition == "stopped";
  auto record_of_removed = [this, &id]() -> Result<int> {
    std::string text = TRY(sys::read_small_file(exits_dir(host_) + "/" + id));
    auto record = TRY(json::parse_struct<monitor::ExitRecord>(text));
    return record.exit_code;
  };
  for (;;) {
    auto live = summary(id);
    if (!live) {
      if (live.error().code() != Errc::not_found) return std::move(live.error());
      if (auto code = record_of_removed()) return code;
      return std::move(live.error());
    }
    if (wanted(*live))
      return for_end && live->state == ContainerState::exited ? live->exit_code : -1;
    if (conditions.empty() && live->state == ContainerState::created) return 0;
    // With an end in view the kernel tells it; other states have to be looked for.
    auto monitor = for_end && live->monitor_pid > 0
                       ? sys::Pidfd::open(live->monitor_pid)
                       : Result<sys::Pidfd>(Error(Errc::not_found, ""));
    if (monitor)
      TRY(monitor->wait_exit(conditions.size() > 1 ? static_cast<int>(interval_ms) : -1));
    else
      ::usleep(static_cast<useconds_t>(std::clamp<std::int64_t>(interval_ms, 1, 1000) * 1000));
  }
}

}  // namespace minke::engine
