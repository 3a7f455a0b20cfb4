#include "sys/process.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/str.h"

namespace minke::sys {

Result<std::uint64_t> process_start_time(pid_t pid) {
  auto read = read_small_file(concat("/proc/", pid, "/stat"), 8192);
  if (!read) return std::move(read.error()).as(Errc::not_found);
  // The command name stands in parentheses and may hold anything, so the fields are counted from
  // the last ')'.
  std::size_t close = read->rfind(')');
  if (close == std::string::npos || close + 2 > read->size())
    return Error(Errc::internal, concat("/proc/", pid, "/stat: no command name"));
  auto fields = split(std::string_view(*read).substr(close + 2), ' ');
  constexpr std::size_t kState = 0, kStartTime = 19;  // fields 3 and 22 of proc(5)
  if (fields.size() <= kStartTime)
    return Error(Errc::internal, concat("/proc/", pid, "/stat: too short"));
  if (fields[kState] == "Z" || fields[kState] == "X")
    return Error(Errc::not_found, concat("process ", pid, " has ended"));
  auto ticks = parse_uint(fields[kStartTime]);
  if (!ticks) return Error(Errc::internal, concat("/proc/", pid, "/stat: bad start time"));
  return *ticks;
}

bool process_alive(pid_t pid, std::uint64_t start_time) {
  if (pid <= 0) return false;
  auto ticks = process_start_time(pid);
  return ticks && *ticks == start_time;
}

Result<Pidfd> Pidfd::open(pid_t pid, std::uint64_t start_time) {
  auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return Error::from_errno(errno, concat("pidfd_open ", pid));
  Pidfd owner{UniqueFd(fd)};
  if (start_time != 0 && !process_alive(pid, start_time))
    return Error::from_errno(ESRCH, concat("pidfd_open ", pid));
  return owner;
}

Status Pidfd::kill(int signal) const {
  if (::syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0) < 0)
    return Error::from_errno(errno, concat("send ", signal_name(signal)));
  return {};
}

Result<bool> Pidfd::wait_exit(int timeout_ms) const {
  pollfd entry{fd_.get(), POLLIN, 0};
  int n;
  do {
    n = ::poll(&entry, 1, timeout_ms);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Error::from_errno(errno, "poll pidfd");
  return n > 0;
}

namespace {

struct ChildPlan {
  const SpawnOptions* options;
  char* const* argv;
  char* const* env;
  const int* pass;  // duplicates above all target numbers
  std::size_t pass_count;
  volatile int failure = 0;
};

// Runs in the vfork child: system calls only.
[[noreturn]] void spawn_child(ChildPlan& plan) {
  const SpawnOptions& o = *plan.options;
  auto fail = [&plan]() {
    plan.failure = errno;
    ::_exit(127);
  };
  if (o.new_session) ::setsid();
  if (o.die_with_parent) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int i = 0; i < 3; ++i) {
    if (o.stdio[i] == -1) continue;
    int source = o.stdio[i] == -2 ? ::open("/dev/null", O_RDWR | O_CLOEXEC) : o.stdio[i];
    if (source < 0) fail();
    if (source == i ? ::fcntl(i, F_SETFD, 0) < 0 : ::dup2(source, i) < 0) fail();
  }
  for (std::size_t i = 0; i < plan.pass_count; ++i)
    if (::dup2(plan.pass[i], static_cast<int>(3 + i)) < 0) fail();
  ::syscall(SYS_close_range, 3 + static_cast<unsigned>(plan.pass_count), ~0U, 4 /* CLOEXEC */);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(o.path.c_str(), plan.argv, plan.env);
  fail();
  __builtin_unreachable();
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

Result<Spawned> spawn(const SpawnOptions& options) {
  std::vector<char*> argv = pointers(options.argv);
  std::vector<char*> env;
  if (options.env) env = pointers(*options.env);
  // Out of the way of the numbers they will get and of stdio.
  int floor = 3 + static_cast<int>(options.pass_fds.size());
  std::vector<UniqueFd> owners;
  std::vector<int> pass;
  for (int fd : options.pass_fds) {
    int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, floor);
    if (copy < 0) return Error::from_errno(errno, concat("dup of descriptor ", fd));
    owners.emplace_back(copy);
    pass.push_back(copy);
  }
  SpawnOptions moved = options;
  for (int& fd : moved.stdio) {
    if (fd < 0) continue;
    int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, floor);
    if (copy < 0) return Error::from_errno(errno, concat("dup of descriptor ", fd));
    owners.emplace_back(copy);
    fd = copy;
  }
  ChildPlan plan{&moved, argv.data(), options.env ? env.data() : environ, pass.data(), pass.size()};
  // NOLINTNEXTLINE(bugprone-unsafe-functions): what runs in between is ours and short
  pid_t pid = ::vfork();
  if (pid < 0) return Error::from_errno(errno, "vfork");
  if (pid == 0) spawn_child(plan);
  if (plan.failure != 0) {
    ignore(wait_pid(pid), "reaping the child that could not exec");
    return Error::from_errno(plan.failure, concat("exec ", options.path));
  }
  Spawned spawned;
  spawned.pid = pid;
  spawned.pidfd = TRY(Pidfd::open(pid));
  return spawned;
}

Result<int> wait_pid(pid_t pid) {
  int status = 0;
  pid_t got;
  do {
    got = ::waitpid(pid, &status, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Error::from_errno(errno, concat("waitpid ", pid));
  return status;
}

Result<int> run_and_wait(const SpawnOptions& options) {
  Spawned child = TRY(spawn(options));
  return wait_pid(child.pid);
}

int exit_code_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

namespace {

struct SignalRow {
  std::string_view name;
  int number;
};
constexpr SignalRow kSignals[] = {
    {"HUP", SIGHUP},       {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP},     {"ABRT", SIGABRT},   {"IOT", SIGIOT},   {"BUS", SIGBUS},
    {"FPE", SIGFPE},       {"KILL", SIGKILL},   {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2},     {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},   {"CLD", SIGCHLD},  {"CONT", SIGCONT},
    {"STOP", SIGSTOP},     {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},
    {"URG", SIGURG},       {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM},
    {"PROF", SIGPROF},     {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"POLL", SIGIO},
    {"PWR", SIGPWR},       {"SYS", SIGSYS},
};
// The kernel's numbers: glibc keeps 32 and 33 to itself, container programs may not.
constexpr int kRtMin = 34, kRtMax = 64;

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
  if (auto number = parse_int(text))
    return *number >= 1 && *number <= kRtMax ? std::optional(static_cast<int>(*number))
                                             : std::nullopt;
  std::string name = to_upper(text);
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (const SignalRow& row : kSignals)
    if (row.name == name) return row.number;
  if (name == "RTMIN") return kRtMin;
  if (name == "RTMAX") return kRtMax;
  std::optional<std::int64_t> offset;
  int base = 0;
  if (name.starts_with("RTMIN+")) {
    offset = parse_int(std::string_view(name).substr(6));
    base = kRtMin;
  } else if (name.starts_with("RTMAX-")) {
    offset = parse_int(std::string_view(name).substr(6));
    base = kRtMax;
    if (offset) offset = -*offset;
  }
  if (!offset || base + *offset < kRtMin || base + *offset > kRtMax) return std::nullopt;
  return static_cast<int>(base + *offset);
}

std::string signal_name(int signal) {
  for (const SignalRow& row : kSignals)
    if (row.number == signal) return concat("SIG", row.name);
  if (signal == kRtMin) return "SIGRTMIN";
  if (signal == kRtMax) return "SIGRTMAX";
  if (signal > kRtMin && signal < kRtMax) return concat("SIGRTMIN+", signal - kRtMin);
  return concat("signal ", signal);
}

}  // namespace minke::sys
