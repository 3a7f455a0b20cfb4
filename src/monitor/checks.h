// The monitor's health checks: each at its time, beside everything else that the monitor does. It
// waits for nothing: a command that hangs, or a container that is frozen, holds nothing up. What a
// check needs is worked out once, so that it costs one clone and one small record (health.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "monitor/health.h"
#include "monitor/plan.h"
#include "sys/event_loop.h"
#include "sys/fd.h"

namespace minke::monitor {

class Checks {
 public:
  // Both outlive it.
  Checks(sys::EventLoop& loop, const Plan& plan) : loop_(loop), plan_(plan) {}

  std::function<void(const HealthResult&)> on_result;
  void begin(const StateRecord& state);  // the container runs
  void changed();                        // the plan's checks are others now
  void end();                            // it has ended
  // Whether the child that has ended was the check at work.
  bool reaped(pid_t pid, int status);

 private:
  // The check at work.
  struct Run {
    runtime::PreparedExec::Begun process;
    sys::UniqueFd output;
    CheckOutcome outcome;
    std::uint64_t timer = 0;
    bool failed = false;  // it never became the program: its exit code is not what counts
    bool timed_out = false;
    bool stale = false;  // of a check that is not wanted any more
  };
  bool startup_due() const { return !plan_.health.startup.test.empty() && !startup_passed_; }
  void plan_next(std::int64_t delay_ms);
  void plan_after_interval();
  void start();
  Status launch();
  void on_report();
  void kill_run();
  void drop_run();
  void finish();
  void record(const CheckOutcome& outcome, bool startup, int tries);

  sys::EventLoop& loop_;
  const Plan& plan_;
  std::optional<StateRecord> state_;  // while it runs
  std::optional<Probe> probe_;
  std::optional<Run> run_;
  sys::UniqueFd null_;
  std::uint64_t timer_ = 0;
  bool has_check_ = false, startup_passed_ = false, recording_ = false;
};

}  // namespace minke::monitor
