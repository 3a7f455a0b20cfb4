// What the results of health checks make a monitor do.
#include <signal.h>

#include <utility>

#include "monitor/monitor_internal.h"
#include "monitor/notify.h"

namespace minke::monitor {

// Its own count of restarts and their waits go on.
Status Monitor::replan(std::string_view payload) {
  Unpacker unpacker(payload);
  RestartPlan restart;
  HealthPlan health;
  unpacker("restart", restart);
  unpacker("health", health);
  TRY(unpacker.finish());
  plan_.restart.policy = restart.policy;
  plan_.restart.retries = restart.retries;
  if (plan_.restart.command.empty()) plan_.restart.command = std::move(restart.command);
  plan_.health = std::move(health);
  checks_.changed();
  return {};
}

void Monitor::act_on_health(const HealthResult& result) {
  if (init_status_ || ended_) return;
  if (result.status == "healthy" && plan_.sdnotify == "healthy" && !host_notify_.empty() &&
      !std::exchange(said_healthy_, true))
    ignore(notify_manager(host_notify_, "READY=1"), "no service manager listens");
  const std::string& action = plan_.health.on_failure;
  if (result.startup_failed || (result.became_unhealthy && action == "restart")) {
    wants_restart_ = true;
    ::kill(state_.pid, SIGKILL);
  } else if (result.became_unhealthy && action == "kill") {
    ::kill(state_.pid, SIGKILL);
  } else if (result.became_unhealthy && action == "stop") {
    stop_by_health();
  }
}

void Monitor::stop_by_health() {
  ignore(sys::write_file(plan_.bundle + "/stopped", "", 0600), "then a policy starts it again");
  ::kill(state_.pid, plan_.stop_signal);
  if (plan_.stop_timeout >= 0)
    loop_->add_timer(plan_.stop_timeout * 1000, [this] {
      if (!init_status_) ::kill(state_.pid, SIGKILL);
    });
}

}  // namespace minke::monitor
