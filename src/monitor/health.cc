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

struct Outcome {
  std::int32_t exit_code = 0;
  std::string output;
};

std::string record_path(const std::string& run_dir) { return run_dir + "/health.json"; }

std::vector<std::string> command_of(const std::vector<std::string>& test) {
  if (test[0] == "CMD-SHELL") return {"/bin/sh", "-c", join({test.begin() + 1, test.end()}, " ")};
  if (test[0] == "CMD") return {test.begin() + 1, test.end()};
  return test;
}

void take_output(int pipe, std::string* output) {
  char buffer[4096];
  ssize_t n;
  while ((n = ::read(pipe, buffer, sizeof buffer)) > 0)
    if (output->size() < kOutputMax) output->append(buffer, static_cast<std::size_t>(n));
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

Result<Outcome> run_command(const Plan& plan, const StateRecord& state, const HealthCheck& check,
                            const std::vector<std::string>& extra_env) {
  std::string path = plan.bundle + "/spec.json";
  std::string text = TRY(sys::read_small_file(path));
  oci::Spec spec = TRY_CTX(oci::parse_spec(text), path);
  if (!spec.process) return Error(Errc::corrupt, concat(path, ": it has no process"));
  oci::Process process = *spec.process;
  process.args = command_of(check.test);
  process.terminal = false;
  process.console_size.reset();
  process.env.insert(process.env.end(), extra_env.begin(), extra_env.end());
  auto pipe = TRY(sys::make_pipe());
  TRY(sys::set_nonblocking(pipe.first.get(), true));
  sys::UniqueFd null = TRY(sys::open("/dev/null", O_RDONLY));
  runtime::ExecRequest request;
  request.init_pid = state.pid;
  request.init_start_time = state.start_time;
  request.spec = &spec;
  request.process = &process;
  request.cgroup = state.cgroup;
  request.stdio[0] = null.get();
  request.stdio[1] = request.stdio[2] = pipe.second.get();
  request.die_with_parent = true;
  Outcome out;
  auto execed = runtime::exec(request);
  pipe.second.reset();
  if (!execed) {
    out.exit_code = execed.error().exit_code() != 0 ? execed.error().exit_code() : 1;
    out.output = execed.error().message();
    return out;
  }
  bool ended = wait_for(execed->pidfd, pipe.first.get(), check.timeout, &out.output);
  if (!ended) {
    // It leads a session of its own: the group is all that it has started and that stayed in it.
    ::kill(-execed->pid, SIGKILL);
    ignore(execed->pidfd.kill(SIGKILL), "it may have left its group");
    take_output(pipe.first.get(), &out.output);
  }
  // A frozen one dies when it thaws.
  if (TRY(execed->pidfd.wait_exit(kAfterKillMs)))
    out.exit_code = sys::exit_code_of(TRY(sys::wait_pid(execed->pid)));
  if (!ended) {
    out.exit_code = kNotRun;
    out.output +=
        concat("Healthcheck command exceeded timeout of ", format_duration(check.timeout));
  }
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

void note_status(const Plan& plan, const std::string& status) {
  Event event;
  event.type = "container";
  event.status = "health_status";
  event.id = plan.id;
  event.name = plan.name;
  event.image = plan.image_name;
  event.attributes = plan.labels;
  event.health_status = status;
  ignore(record_event(plan.events, event), "the record holds it too");
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

Result<HealthResult> check_health(const Plan& plan, const std::vector<std::string>& extra_env) {
  auto text = sys::read_small_file(plan.run_dir + "/state");
  if (!text) return Error(Errc::conflict, "the container is not running");
  StateRecord state = TRY(json::parse_struct<StateRecord>(*text));
  HealthRecord record = TRY(load_health(plan.run_dir)).value_or(not_checked());
  const HealthCheck& check =
      startup_due(plan.health, record) ? plan.health.startup : plan.health.check;
  HealthLogEntry entry;
  TimeNs began = now();
  Outcome outcome = TRY(run_command(plan, state, check, extra_env));
  entry.start = format_rfc3339(began);
  entry.end = format_rfc3339(now());
  entry.exit_code = outcome.exit_code;
  entry.output = std::move(outcome.output);
  // Two checks at once: each finds the record of the other.
  sys::UniqueFd lock =
      TRY(sys::open(plan.run_dir + "/health.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  while (::flock(lock.get(), LOCK_EX) < 0 && errno == EINTR) {
  }
  record = TRY(load_health(plan.run_dir)).value_or(not_checked());
  bool in_start_period =
      record.status == "starting" && began < state.started_at + plan.health.start_period;
  HealthResult result = apply_check(plan.health, outcome.exit_code == 0, in_start_period, &record);
  add_to_log(plan.health, std::move(entry), &record);
  TRY(save_record(plan, record));
  note_status(plan, record.status);
  return result;
}

int health_exit_code(const HealthResult& result) {
  return (result.passed ? 1 : 0) | (result.startup_passed ? 2 : 0) |
         (result.became_unhealthy ? 4 : 0) | (result.startup_failed ? 8 : 0) |
         (result.status == "healthy" ? 16 : 0);
}

HealthResult health_of_exit_code(int code) {
  HealthResult result;
  result.passed = (code & 1) != 0;
  result.startup_passed = (code & 2) != 0;
  result.became_unhealthy = (code & 4) != 0;
  result.startup_failed = (code & 8) != 0;
  result.status = (code & 16) != 0 ? "healthy" : "";
  return result;
}

}  // namespace minke::monitor
