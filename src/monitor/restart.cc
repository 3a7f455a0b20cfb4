#include "monitor/restart.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/str.h"
#include "monitor/child.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/program.h"

namespace minke::monitor {
namespace {

constexpr std::int64_t kFirstDelayMs = 100, kLongestDelayMs = 60'000;
// One that ran this long did well: the next wait is the shortest again.
constexpr std::int64_t kRanWell = 10 * kSecond;

std::string path_of(const std::string& run_dir) { return run_dir + "/restart"; }

// As 3, 4, ..., with nothing open behind them. False when there are no descriptors for that.
bool keep_only(const std::vector<sys::UniqueFd>& listeners) {
  const int count = static_cast<int>(listeners.size());
  constexpr int kFirst = 3;
  std::vector<int> high;  // out of the way of the numbers that they get
  for (const sys::UniqueFd& fd : listeners) {
    int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirst + count);
    if (copy < 0) return false;
    high.push_back(copy);
  }
  for (int i = 0; i < count; ++i)
    if (::dup2(high[static_cast<std::size_t>(i)], kFirst + i) < 0) return false;
  ::close_range(static_cast<unsigned>(kFirst + count), ~0U, 0);
  return true;
}

// No other descriptor of the monitor's is kept: clients, and whoever waits for the monitor, see its
// end.
[[noreturn]] void wait_and_start(const RestartPlan& plan, std::int64_t delay_ms,
                                 const std::vector<sys::UniqueFd>& listeners) {
  if (!keep_only(listeners)) ::_exit(126);
  if (!listeners.empty()) {
    ::setenv("LISTEN_FDS", concat(listeners.size()).c_str(), 1);
    ::setenv("LISTEN_PID", concat(::getpid()).c_str(), 1);
  }
  ::prctl(PR_SET_PDEATHSIG, 0);
  unblock_signals();
  timespec rest{delay_ms / 1000, delay_ms % 1000 * 1'000'000L};
  while (::nanosleep(&rest, &rest) < 0 && errno == EINTR) {
  }
  // The mark of this program's own start: the next monitor protects itself anew.
  ::unsetenv(sys::kOwnProgram);
  std::vector<char*> argv;
  for (const std::string& word : plan.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

void bind(json::Binder& b, RestartRecord& r) {
  b("count", r.count);
  b("delay_ms", r.delay_ms);
  b("pid", r.pid);
  b("start_time", r.start_time);
}

Result<std::optional<RestartRecord>> load_restart(const std::string& run_dir) {
  auto text = sys::read_small_file(path_of(run_dir), 4096);
  if (!text) {
    if (text.error().code() == Errc::not_found) return std::optional<RestartRecord>();
    return std::move(text.error());
  }
  RestartRecord record = TRY_CTX(json::parse_struct<RestartRecord>(*text), path_of(run_dir));
  return std::optional<RestartRecord>(record);
}

Status save_restart(const std::string& run_dir, const RestartRecord& record) {
  return sys::write_file(path_of(run_dir), json::dump_struct(record), 0600);
}

bool policy_restarts(const RestartPlan& plan, int exit_code, bool stopped_by_user) {
  if (stopped_by_user) return false;
  if (plan.policy == "always" || plan.policy == "unless-stopped") return true;
  return plan.policy == "on-failure" && exit_code != 0 &&
         (plan.retries == 0 || plan.count < plan.retries);
}

std::int64_t next_delay_ms(std::int64_t delay_ms, std::int64_t ran_ns) {
  if (delay_ms <= 0 || ran_ns >= kRanWell) return kFirstDelayMs;
  return std::min(delay_ms * 2, kLongestDelayMs);
}

Status schedule_restart(const Plan& plan, std::int64_t ran_ns,
                        const std::vector<sys::UniqueFd>& listeners) {
  RestartRecord record;
  record.count = plan.restart.count + 1;
  record.delay_ms = next_delay_ms(plan.restart.delay_ms, ran_ns);
  pid_t child = ::fork();
  if (child < 0) return Error::from_errno(errno, "fork");
  if (child == 0) wait_and_start(plan.restart, record.delay_ms, listeners);
  record.pid = child;
  if (auto ticks = sys::process_start_time(child)) record.start_time = *ticks;
  return save_restart(plan.run_dir, record);
}

}  // namespace minke::monitor
