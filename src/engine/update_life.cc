// Changes of what the monitor does: the health check and the restart policy.
#include "base/str.h"
#include "base/time.h"
#include "engine/records.h"
#include "engine/update.h"

namespace minke::engine {
namespace {

template <typename T, typename F>
bool take(const std::optional<T>& changed, F* field) {
  if (changed) *field = *changed;
  return changed.has_value();
}

monitor::HealthCheck usual_check() {
  monitor::HealthCheck check;
  check.interval = check.timeout = 30 * kSecond;
  check.retries = 3;
  return check;
}

Status merge_check(const HealthUpdate& c, monitor::HealthPlan* plan) {
  monitor::HealthCheck check = plan->check.test.empty() ? usual_check() : plan->check;
  bool changed = take(c.interval, &check.interval);
  changed |= take(c.timeout, &check.timeout);
  changed |= take(c.retries, &check.retries);
  std::int64_t start_period = plan->start_period;
  changed |= take(c.start_period, &start_period);
  bool named = take(c.test, &check.test);
  if (changed && check.test.empty())
    return Error(Errc::invalid_argument, "healthcheck command is not set");
  if (!changed && !named) return {};
  plan->check = check.test == std::vector<std::string>{"NONE"} ? monitor::HealthCheck() : check;
  plan->start_period = start_period;
  return {};
}

Status merge_startup(const HealthUpdate& c, monitor::HealthPlan* plan) {
  monitor::HealthCheck check = plan->startup.test.empty() ? usual_check() : plan->startup;
  if (plan->startup.test.empty()) check.retries = 0;
  std::int32_t successes = plan->startup_successes;
  bool changed = take(c.startup_interval, &check.interval);
  changed |= take(c.startup_timeout, &check.timeout);
  changed |= take(c.startup_retries, &check.retries);
  changed |= take(c.startup_successes, &successes);
  bool named = take(c.startup_test, &check.test);
  if (changed && check.test.empty())
    return Error(Errc::invalid_argument, "startup healthcheck command is not set");
  if (!changed && !named) return {};
  plan->startup = check.test == std::vector<std::string>{"NONE"} ? monitor::HealthCheck() : check;
  plan->startup_successes = successes;
  return {};
}

// So that a clone has it, and whatever looks at what was asked for.
void record_request(const monitor::HealthPlan& plan, HealthRequest* request) {
  *request = HealthRequest();
  request->disabled = plan.check.test.empty();
  request->test = plan.check.test;
  request->interval = plan.check.interval;
  request->timeout = plan.check.timeout;
  request->retries = plan.check.retries;
  request->start_period = plan.start_period;
  request->startup_test = plan.startup.test;
  request->startup_interval = plan.startup.interval;
  request->startup_timeout = plan.startup.timeout;
  request->startup_retries = plan.startup.retries;
  request->startup_successes = plan.startup_successes;
  request->on_failure = plan.on_failure;
  request->log_destination = plan.log_destination;
  request->max_log_count = plan.max_log_count;
  request->max_log_size = plan.max_log_size;
}

bool policy_is_set(const CreateRequest& request) {
  return !request.restart.name.empty() && request.restart.name != "no";
}

Status check_together(const ContainerConfig& config) {
  bool by_health = config.health.on_failure == "restart";
  if (by_health && policy_is_set(config.request))
    return Error(Errc::invalid_argument,
                 "the --restart flag and --health-on-failure=restart cannot be used together");
  if (config.request.remove && (by_health || policy_is_set(config.request)))
    return Error(Errc::invalid_argument,
                 concat("container ", short_id(config.id),
                        " is removed at its end (--rm): it cannot be started again"));
  return {};
}

}  // namespace

Status merge_health(const HealthUpdate& changes, ContainerConfig* config) {
  if (!changes.any) return {};
  monitor::HealthPlan plan = config->health;
  if (changes.disabled) {
    plan.check = plan.startup = monitor::HealthCheck();
  } else {
    TRY(merge_check(changes, &plan));
    TRY(merge_startup(changes, &plan));
  }
  // Nothing is left for it to come before.
  if (plan.check.test.empty()) plan.startup = monitor::HealthCheck();
  take(changes.on_failure, &plan.on_failure);
  take(changes.log_destination, &plan.log_destination);
  take(changes.max_log_count, &plan.max_log_count);
  take(changes.max_log_size, &plan.max_log_size);
  config->health = plan;
  record_request(plan, &config->request.health);
  return changes.on_failure ? check_together(*config) : Status();
}

Status merge_restart(const RestartPolicy& policy, ContainerConfig* config) {
  config->request.restart = policy;
  return check_together(*config);
}

}  // namespace minke::engine
