#include "monitor/health.h"

#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "monitor/event_log.h"
#include "monitor/starter.h"
#include "oci/spec.h"
#include "runtime/cgroup.h"
#include "runtime/container.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::monitor {
namespace {

// Output beyond it is read, so that the command does not wait, and forgotten.
constexpr std::size_t kOutputMax = 1 << 20;
constexpr int kAfterKillMs = 2000;
constexpr std::int32_t kNotRun = -1;
constexpr TimeNs kNotedAgain = 60 * kSecond;

std::string record_path(const std::string& run_dir) { return run_dir + "/health.json"; }

std::vector<std::string> command_of(const std::vector<std::string>& test) {
  if (test[0] == "CMD-SHELL") return {"/bin/sh", "-c", join({test.begin() + 1, test.end()}, " ")};
  if (test[0] == "CMD") return {test.begin() + 1, test.end()};
  return test;
}

// Reads what the process writes until it ends; false when its time is over first. What it leaves
// behind may keep the pipe open: nobody waits for that.
bool wait_for(const sys::Pidfd& process, int pipe, std::int64_t timeout_ns, std::string* output) {
  const std::int64_t end = monotonic_ns() + timeout_ns;
  pollfd wanted[] = {{process.get(), POLLIN, 0}, {pipe, POLLIN, 0}};
  for (;;) {
    int timeout_ms = -1;
    if (timeout_ns > 0)
      timeout_ms = static_cast<int>(
          std::clamp<std::int64_t>((end - monotonic_ns() + 999'999) / 1'000'000, 0, 1 << 30));
    int ready = ::poll(wanted, 2, timeout_ms);
    if (ready < 0 && errno == EINTR) continue;
    take_output(pipe, output);
    if (wanted[0].revents != 0) return true;
    if (ready <= 0) return false;
    if ((wanted[1].revents & (POLLHUP | POLLERR)) != 0) wanted[1].fd = -1;
  }
}

Result<CheckOutcome> run_command(const Probe& probe) {
  CheckOutcome out;
  out.began = now();
  auto pipe = TRY(sys::make_pipe());
  TRY(sys::set_nonblocking(pipe.first.get(), true));
  sys::UniqueFd null = TRY(sys::open("/dev/null", O_RDONLY));
  auto execed = probe.exec->run({null.get(), pipe.second.get(), pipe.second.get()});
  pipe.second.reset();
  if (!execed) {
    out.exit_code = failure_code(execed.error());
    out.output = execed.error().message();
    return out;
  }
  bool ended = wait_for(execed->pidfd, pipe.first.get(), probe.timeout, &out.output);
  if (!ended) {
    // It leads a session of its own: the group is all that it has started and that stayed in it.
    ::kill(-execed->pid, SIGKILL);
    ignore(execed->pidfd.kill(SIGKILL), "it may have left its group");
    take_output(pipe.first.get(), &out.output);
  }
  // A frozen one dies when it thaws.
  if (TRY(execed->pidfd.wait_exit(kAfterKillMs)))
    out.exit_code = sys::exit_code_of(TRY(sys::wait_pid(execed->pid)));
  if (!ended) time_out(probe, &out);
  return out;
}

HealthRecord not_checked() {
  HealthRecord record;
  record.status = "starting";
  return record;
}

bool startup_due(const HealthPlan& plan, const HealthRecord& record) {
  return !plan.startup.test.empty() && !record.startup_passed;
}

void add_to_log(const HealthPlan& plan, HealthLogEntry entry, HealthRecord* record) {
  if (plan.max_log_size > 0 && entry.output.size() > plan.max_log_size)
    entry.output.resize(plan.max_log_size);
  record->log.push_back(std::move(entry));
  if (plan.max_log_count > 0 && record->log.size() > plan.max_log_count)
    record->log.erase(record->log.begin(),
                      record->log.end() - static_cast<std::ptrdiff_t>(plan.max_log_count));
}

// --health-log-destination names a folder: the record lies there too, under Podman's name.
Status save_record(const Plan& plan, const HealthRecord& record) {
  std::string text = json::dump_struct(record);
  TRY(sys::write_file(record_path(plan.run_dir), text, 0600));
  if (plan.health.log_destination.starts_with('/'))
    TRY(sys::write_file(concat(plan.health.log_destination, '/', plan.id, "-healthcheck.log"), text,
                        0600));
  return {};
}

void note_status(const Plan& plan, const HealthRecord& record) {
  Event event;
  event.type = "container";
  event.status = "health_status";
  event.id = plan.id;
  event.name = plan.name;
  event.image = plan.image_name;
  event.attributes = plan.labels;
  event.health_status = record.status;
  event.health_failing_streak = record.failing_streak;
  if (plan.health.log_destination == "events_logger" && !record.log.empty()) {
    HealthLogEntry last = record.log.back();
    event.health_log = json::dump_struct(last);
  }
  ignore(record_event(plan.events, event), "the record holds it too");
}

// Whether an event is due: a line for each check of each second would push all others out of the
// log within a day.
bool is_news(const Plan& plan, const HealthRecord& record, const std::string& before,
             Noting noting) {
  if (plan.health.no_events) return false;
  return noting == Noting::always || record.status != before ||
         plan.health.log_destination == "events_logger" || now() - record.noted >= kNotedAgain;
}

}  // namespace

void bind(json::Binder& b, HealthLogEntry& e) {
  b("Start", e.start);
  b("End", e.end);
  b("ExitCode", e.exit_code);
  b("Output", e.output);
}
void bind(json::Binder& b, HealthRecord& r) {
  b("Status", r.status);
  b("FailingStreak", r.failing_streak);
  b("Log", r.log);
  b("StartupPassed", r.startup_passed);
  b("StartupSuccesses", r.startup_successes);
  b("StartupFailures", r.startup_failures);
  b("Noted", r.noted);
}

Result<std::optional<HealthRecord>> load_health(const std::string& run_dir) {
  auto text = sys::read_small_file(record_path(run_dir));
  if (!text) {
    if (text.error().code() == Errc::not_found) return std::optional<HealthRecord>();
    return std::move(text.error());
  }
  HealthRecord record = TRY_CTX(json::parse_struct<HealthRecord>(*text), record_path(run_dir));
  return std::optional<HealthRecord>(std::move(record));
}

Status reset_health(const std::string& run_dir) {
  HealthRecord record = not_checked();
  return sys::write_file(record_path(run_dir), json::dump_struct(record), 0600);
}

HealthResult apply_check(const HealthPlan& plan, bool passed, bool in_start_period,
                         HealthRecord* record) {
  HealthResult result;
  result.passed = passed;
  if (startup_due(plan, *record)) {
    record->startup_successes = passed ? record->startup_successes + 1 : 0;
    record->startup_failures = passed ? 0 : record->startup_failures + 1;
    record->startup_passed = record->startup_successes >= std::max(1, plan.startup_successes);
    result.startup_failed =
        plan.startup.retries > 0 && record->startup_failures >= plan.startup.retries;
  } else if (passed) {
    record->failing_streak = 0;
    record->status = "healthy";
  } else if (!in_start_period) {
    ++record->failing_streak;
    if (record->failing_streak >= std::max(1, plan.check.retries)) {
      result.became_unhealthy = true;
      record->status = "unhealthy";
    }
  }
  result.startup_passed = !startup_due(plan, *record);
  result.status = record->status;
  return result;
}

Result<Probe> prepare_check(const Plan& plan, const StateRecord& state, bool startup,
                            const std::vector<std::string>& extra_env) {
  std::string path = plan.bundle + "/spec.json";
  std::string text = TRY(sys::read_small_file(path));
  oci::Spec spec = TRY_CTX(oci::parse_spec(text), path);
  if (!spec.process) return Error(Errc::corrupt, concat(path, ": it has no process"));
  const HealthCheck& check = startup ? plan.health.startup : plan.health.check;
  oci::Process& process = *spec.process;
  process.args = command_of(check.test);
  process.terminal = false;
  process.console_size.reset();
  process.env.insert(process.env.end(), extra_env.begin(), extra_env.end());
  runtime::ExecRequest request;
  request.init_pid = state.pid;
  request.init_start_time = state.start_time;
  request.spec = &spec;
  request.process = &process;
  request.cgroup = state.cgroup;
  request.die_with_parent = true;
  Probe probe;
  probe.startup = startup;
  probe.timeout = check.timeout;
  auto exec = runtime::PreparedExec::make(request);
  if (exec) {
    probe.exec = std::move(*exec);
  } else {
    probe.exit_code = failure_code(exec.error());
    probe.fault = exec.error().message();
  }
  return probe;
}

std::int32_t failure_code(const Error& error) {
  return error.exit_code() != 0 ? error.exit_code() : 1;
}

void time_out(const Probe& probe, CheckOutcome* outcome) {
  outcome->exit_code = kNotRun;
  outcome->output +=
      concat("Healthcheck command exceeded timeout of ", format_duration(probe.timeout));
}

void take_output(int pipe, std::string* output) {
  char buffer[4096];
  ssize_t n;
  while ((n = ::read(pipe, buffer, sizeof buffer)) > 0)
    if (output->size() < kOutputMax) output->append(buffer, static_cast<std::size_t>(n));
}

Result<std::optional<HealthResult>> record_check(const Plan& plan, const StateRecord& state,
                                                 bool startup, const CheckOutcome& outcome,
                                                 Noting noting) {
  // Two checks at once: each finds the record of the other.
  sys::UniqueFd lock =
      TRY(sys::open(plan.run_dir + "/health.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  while (::flock(lock.get(), noting == Noting::always ? LOCK_EX : LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) return std::optional<HealthResult>();
    if (errno != EINTR) return Error::from_errno(errno, "lock the health record");
  }
  HealthRecord record = TRY(load_health(plan.run_dir)).value_or(not_checked());
  // The other one has just ended the time of startup checks: this says nothing any more.
  if (startup && !startup_due(plan.health, record)) {
    HealthResult result;
    result.startup_passed = true;
    result.status = record.status;
    return std::optional<HealthResult>(std::move(result));
  }
  HealthLogEntry entry;
  entry.start = format_rfc3339(outcome.began);
  entry.end = format_rfc3339(now());
  entry.exit_code = outcome.exit_code;
  entry.output = outcome.output;
  bool in_start_period =
      record.status == "starting" && outcome.began < state.started_at + plan.health.start_period;
  std::string before = record.noted == 0 ? "" : record.status;
  HealthResult result = apply_check(plan.health, outcome.exit_code == 0, in_start_period, &record);
  add_to_log(plan.health, std::move(entry), &record);
  bool news = is_news(plan, record, before, noting);
  if (news) record.noted = now();
  TRY(save_record(plan, record));
  if (news) note_status(plan, record);
  return std::optional<HealthResult>(std::move(result));
}

Result<HealthResult> check_health(const Plan& plan, const std::vector<std::string>& extra_env) {
  auto text = sys::read_small_file(plan.run_dir + "/state");
  if (!text) return Error(Errc::conflict, "the container is not running");
  StateRecord state = TRY(json::parse_struct<StateRecord>(*text));
  HealthRecord record = TRY(load_health(plan.run_dir)).value_or(not_checked());
  Probe probe = TRY(prepare_check(plan, state, startup_due(plan.health, record), extra_env));
  CheckOutcome outcome{now(), probe.exit_code, probe.fault};
  if (probe.exec) outcome = TRY(run_command(probe));
  auto result = TRY(record_check(plan, state, probe.startup, outcome, Noting::always));
  return result.value_or(HealthResult());
}

}  // namespace minke::monitor
