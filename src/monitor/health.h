// Health checks: one process in the container, its output and exit code, and what follows from
// them. The same for the monitor, which does it at its times in a child, and for `healthcheck run`.
//
//   RUNROOT/containers/ID/health.json  HealthRecord, replaced by rename under the lock health.lock
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "monitor/plan.h"

namespace minke::monitor {

struct HealthLogEntry {
  std::string start, end;  // RFC 3339
  std::int32_t exit_code = 0;
  std::string output;
};
struct HealthRecord {
  std::string status;  // starting healthy unhealthy
  std::int32_t failing_streak = 0;
  std::vector<HealthLogEntry> log;  // oldest first
  bool startup_passed = false;
  std::int32_t startup_successes = 0, startup_failures = 0;
};
void bind(json::Binder& b, HealthLogEntry& e);
void bind(json::Binder& b, HealthRecord& r);

Result<std::optional<HealthRecord>> load_health(const std::string& run_dir);
// At each start: the record of a container that was not looked at yet.
Status reset_health(const std::string& run_dir);

struct HealthResult {
  bool passed = false;
  std::string status;             // of the container after it
  bool startup_passed = false;    // or there is no startup check
  bool became_unhealthy = false;  // on_failure is due
  bool startup_failed = false;    // the container is to be started anew
};
// Runs the check that is due and records what came of it. Errors: it is not running, or the record
// cannot be written; a command that cannot be run is a check that failed. `extra_env` ("K=V") is
// what the spec, which is a file, does not hold.
Result<HealthResult> check_health(const Plan& plan, const std::vector<std::string>& extra_env);

// How a check went, without the container: what the next record is.
HealthResult apply_check(const HealthPlan& plan, bool passed, bool in_start_period,
                         HealthRecord* record);

// An exit code that says a HealthResult, for the monitor's child, and back.
int health_exit_code(const HealthResult& result);
HealthResult health_of_exit_code(int code);

}  // namespace minke::monitor
