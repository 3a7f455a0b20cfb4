// Restart policies and health checks, as far as commands have a part in them; the monitor does the
// rest (monitor/restart.h, monitor/health.h).
#include "monitor/restart.h"

#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/records.h"
#include "monitor/health.h"
#include "state/object_lock.h"
#include "sys/process.h"

namespace minke::engine {

Status Engine::mark_stopped(const Container& container) {
  if (!has_restarts(container.live)) return {};
  return sys::write_file(container.dir + "/stopped", "", 0600);
}

bool Engine::cancel_restart(const std::string& run_dir) {
  auto record = monitor::load_restart(run_dir);
  if (!record || !*record || (*record)->pid <= 0) return false;
  bool waited = false;
  if (auto waiting = sys::Pidfd::open((*record)->pid, (*record)->start_time))
    waited = waiting->kill(SIGKILL).ok();
  (*record)->pid = -1;
  ignore(monitor::save_restart(run_dir, **record), "a dead process starts nothing");
  return waited;
}

Status Engine::heal_restart(const std::string& id) {
  ContainerPaths paths(host_, id);
  ContainerConfig config = TRY(load_config(paths.dir));
  monitor::RestartRecord record =
      TRY(monitor::load_restart(paths.run_dir)).value_or(monitor::RestartRecord());
  bool was_waiting = record.pid > 0;
  if (was_waiting && sys::process_alive(record.pid, record.start_time)) return {};
  auto end = TRY(load_exit(paths.dir));
  monitor::Plan plan;
  plan.run_dir = paths.run_dir;
  plan.restart = restart_plan(config, host_);
  plan.restart.delay_ms = record.delay_ms;
  // The restart that nobody waits for any more is in the count already.
  plan.restart.count = was_waiting && record.count > 0 ? record.count - 1 : record.count;
  bool stopped = sys::exists(paths.dir + "/stopped");
  if (!monitor::policy_restarts(plan.restart, end ? end->exit_code : 0, stopped)) return {};
  return monitor::schedule_restart(plan, end ? end->finished_at - end->started_at : 0);
}

Status Engine::restart_by_policy(const std::string& id) {
  TRY(enter());
  ContainerPaths paths(host_, id);
  if (!sys::exists(paths.dir)) return {};
  Container container = TRY(find_container(id));
  TRY(start_dependencies(container.config));
  sys::FileLock lock = TRY(lock_to_start(container));
  if (!sys::exists(paths.dir)) return {};
  auto record = TRY(monitor::load_restart(paths.run_dir));
  if (!record || record->pid != ::getpid() || sys::exists(paths.dir + "/stopped")) return {};
  TRY(cleanup_locked(id));
  bool unused = false;
  container.live = TRY(load_summary(host_, id, &unused));
  if (container.live.pid > 0) return {};
  // Until it runs again it is shown as restarting, and whoever kills us here has it healed: the
  // monitor clears the record.
  auto started = start_locked(container, lock, false, false);
  if (started) return {};
  record->pid = -1;
  TRY(monitor::save_restart(paths.run_dir, *record));
  return std::move(started.error());
}

Result<std::string> Engine::check_health(const std::string& id) {
  TRY(enter());
  Container container = TRY(find_container(id));
  if (container.config.health.check.test.empty())
    return Error(Errc::invalid_argument, concat("container ", id, " has no defined healthcheck"));
  if (container.live.state != ContainerState::running)
    return Error(Errc::conflict, concat("container ", id, " is not running"));
  monitor::Plan plan = TRY(make_plan(container));
  std::vector<std::string> secrets;
  TRY(add_secret_env(container.config, container.run_dir, &secrets));
  monitor::HealthResult result = TRY(monitor::check_health(plan, secrets));
  if (result.passed) return std::string("healthy");
  return std::string(result.status == "starting" ? "starting" : "unhealthy");
}

}  // namespace minke::engine
