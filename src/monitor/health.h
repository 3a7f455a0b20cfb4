// Health checks: one process in the container, its output and exit code, and what follows from
// them. The same for the monitor, which does it at its times and never waits (checks.h), and for
// `healthcheck run`.
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
#include "runtime/container.h"

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
  TimeNs noted = 0;  // when the last event of it was written
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
// The command of a check with all that can be worked out before it runs.
struct Probe {
  bool startup = false;  // of the startup check
  std::int64_t timeout = 0;
  std::optional<runtime::PreparedExec> exec;
  // Where it cannot run: what the check says each time.
  std::int32_t exit_code = 0;
  std::string fault = "";
};
// `extra_env` ("K=V") is what the spec, which is a file, does not hold.
Result<Probe> prepare_check(const Plan& plan, const StateRecord& state, bool startup,
                            const std::vector<std::string>& extra_env);
std::int32_t failure_code(const Error& error);

struct CheckOutcome {
  TimeNs began = 0;
  std::int32_t exit_code = 0;
  std::string output;
};
// A check whose time was over: -1, and a word about it below what it has said.
void time_out(const Probe& probe, CheckOutcome* outcome);
// What is there to be read of the output; what goes beyond a bound is forgotten.
void take_output(int pipe, std::string* output);

// Records what came of a check. An event is written for each one, or (the monitor) when the status
// has changed and otherwise once a minute. With when_news it does not wait for another that records
// at this moment: nothing then, and it is to be tried again.
enum class Noting { always, when_news };
Result<std::optional<HealthResult>> record_check(const Plan& plan, const StateRecord& state,
                                                 bool startup, const CheckOutcome& outcome,
                                                 Noting noting);
// The check that is due, now. Errors: it is not running, or the record cannot be written; a command
// that cannot be run is a check that failed.
Result<HealthResult> check_health(const Plan& plan, const std::vector<std::string>& extra_env);

// How a check went, without the container: what the next record is.
HealthResult apply_check(const HealthPlan& plan, bool passed, bool in_start_period,
                         HealthRecord* record);

}  // namespace minke::monitor
