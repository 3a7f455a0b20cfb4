#include "monitor/checks.h"

#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "sys/process.h"

namespace minke::monitor {
namespace {

// After KILL; a frozen process dies when it thaws.
constexpr std::int64_t kAfterKillMs = 2000;
// Somebody else records at this moment.
constexpr std::int64_t kTryAgainMs = 20;
constexpr int kTries = 250;

}  // namespace

void Checks::begin(const StateRecord& state) {
  state_ = state;
  has_check_ = !plan_.health.check.test.empty();
  if (has_check_) plan_next(0);
}

void Checks::changed() {
  if (!run_) probe_.reset();  // else when it has ended
  startup_passed_ = false;    // a new startup check may be due: the record knows
  if (!state_) return;
  bool had_check = std::exchange(has_check_, !plan_.health.check.test.empty());
  if (run_) {
    run_->stale = true;
    return kill_run();
  }
  if (recording_) return;
  loop_.cancel_timer(std::exchange(timer_, 0));
  if (!has_check_) return;
  if (!had_check)
    plan_next(0);
  else
    plan_after_interval();
}

void Checks::end() {
  loop_.cancel_timer(std::exchange(timer_, 0));
  if (run_) kill_run();  // one that shares another container's processes does not end with init
  drop_run();
  probe_.reset();
  state_.reset();
}

void Checks::plan_next(std::int64_t delay_ms) {
  loop_.cancel_timer(timer_);
  timer_ = loop_.add_timer(delay_ms, [this] { start(); });
}

void Checks::plan_after_interval() {
  if (!state_ || !has_check_) return;
  const HealthCheck& next = startup_due() ? plan_.health.startup : plan_.health.check;
  if (next.interval > 0) plan_next(std::max<std::int64_t>(next.interval / 1'000'000, 1));
}

void Checks::start() {
  timer_ = 0;
  if (!state_ || run_ || recording_) return;
  if (probe_ && probe_->startup != startup_due()) probe_.reset();
  if (!probe_) {
    auto probe = prepare_check(plan_, *state_, startup_due(), plan_.secret_env);
    // Without its spec nothing can be said about the container.
    if (!probe) return plan_after_interval();
    probe_ = std::move(*probe);
  }
  if (!probe_->exec)
    return record({now(), probe_->exit_code, probe_->fault}, probe_->startup, kTries);
  // Nothing runs in a paused container, and nothing is wrong with it.
  if (probe_->exec->is_frozen()) return plan_after_interval();
  TimeNs began = now();
  Status launched = launch();
  if (launched) return;
  if (run_->process.pid > 0) kill_run();
  drop_run();
  record({began, failure_code(launched.error()), std::string(launched.error().message())},
         probe_->startup, kTries);
}

Status Checks::launch() {
  if (!null_) null_ = TRY(sys::open("/dev/null", O_RDONLY));
  auto pipe = TRY(sys::make_pipe());
  TRY(sys::set_nonblocking(pipe.first.get(), true));
  run_ = Run();  // emplace() asks too early for clang, within this very class
  run_->outcome.began = now();
  run_->process = TRY(probe_->exec->begin({null_.get(), pipe.second.get(), pipe.second.get()}));
  run_->output = std::move(pipe.first);
  TRY(loop_.add(run_->process.reports.get(), EPOLLIN, [this](std::uint32_t) { on_report(); }));
  TRY(loop_.add(run_->output.get(), EPOLLIN, [this](std::uint32_t events) {
    take_output(run_->output.get(), &run_->outcome.output);
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) loop_.remove(run_->output.get());
  }));
  if (probe_->timeout > 0)
    run_->timer = loop_.add_timer(std::max<std::int64_t>(probe_->timeout / 1'000'000, 1), [this] {
      run_->timed_out = true;
      kill_run();
    });
  return {};
}

// The program runs, or never will.
void Checks::on_report() {
  auto running = probe_->exec->is_running(run_->process);
  if (running && !*running) return;
  loop_.remove(run_->process.reports.get());
  run_->process.reports.reset();
  if (running) return;
  run_->outcome.exit_code = failure_code(running.error());
  run_->outcome.output = running.error().message();
  run_->failed = true;
}

// It leads a session of its own: the group is all that it has started and that stayed in it.
void Checks::kill_run() {
  ::kill(-run_->process.pid, SIGKILL);
  ::kill(run_->process.pid, SIGKILL);
  loop_.cancel_timer(run_->timer);
  run_->timer = loop_.add_timer(kAfterKillMs, [this] { finish(); });
}

void Checks::drop_run() {
  if (!run_) return;
  loop_.cancel_timer(run_->timer);
  if (run_->output) loop_.remove(run_->output.get());
  if (run_->process.reports) loop_.remove(run_->process.reports.get());
  run_.reset();
}

bool Checks::reaped(pid_t pid, int status) {
  if (!run_ || run_->process.pid != pid) return false;
  // The report of a start that failed may still lie there.
  while (run_->process.reports) on_report();
  if (!run_->failed) run_->outcome.exit_code = sys::exit_code_of(status);
  finish();
  return true;
}

void Checks::finish() {
  take_output(run_->output.get(), &run_->outcome.output);
  if (run_->timed_out) time_out(*probe_, &run_->outcome);
  CheckOutcome outcome = std::move(run_->outcome);
  bool startup = probe_->startup, stale = run_->stale;
  drop_run();
  if (!stale) return record(outcome, startup, kTries);
  probe_.reset();
  plan_after_interval();
}

void Checks::record(const CheckOutcome& outcome, bool startup, int tries) {
  recording_ = false;
  if (!state_ || !has_check_) return;
  auto result = record_check(plan_, *state_, startup, outcome, Noting::when_news);
  if (result && !*result && tries > 0) {
    recording_ = true;
    loop_.add_timer(kTryAgainMs, [this, outcome, startup, tries] {
      if (state_) record(outcome, startup, tries - 1);
    });
    return;
  }
  if (result && *result) startup_passed_ = (*result)->startup_passed;
  plan_after_interval();
  if (result && *result && on_result) on_result(**result);
}

}  // namespace minke::monitor
