// Runs one hook: state on its stdin, a limit on its time. Used between clone and exec and outside,
// so it allocates nothing.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "runtime/child.h"
#include "runtime/syscalls.h"

namespace minke::runtime {
namespace {

std::int64_t now_ms() {
  struct timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1000000;
}

// A hook that reads slowly, or not at all, must not hold us: the pipe takes what it can, the rest
// after POLLOUT.
int feed_and_wait(int pipe, int pidfd, const char* state, std::size_t size, int timeout_ms,
                  bool* timed_out) {
  std::int64_t deadline = timeout_ms < 0 ? 0 : now_ms() + timeout_ms;
  for (;;) {
    struct pollfd polls[2] = {{pidfd, POLLIN, 0}, {pipe, POLLOUT, 0}};
    int left = -1;
    if (timeout_ms >= 0) {
      std::int64_t rest = deadline - now_ms();
      left = rest < 0 ? 0 : static_cast<int>(rest);
    }
    int n = ::poll(polls, pipe >= 0 ? 2 : 1, left);
    if (n < 0 && errno != EINTR) return -1;
    if (n == 0) {
      *timed_out = true;
      return 0;
    }
    if (n < 0) continue;
    if (polls[0].revents != 0) {
      if (pipe >= 0) ::close(pipe);
      return 0;
    }
    if (pipe >= 0 && polls[1].revents != 0) {
      ssize_t done = ::write(pipe, state, size);
      if (done > 0) {
        state += done;
        size -= static_cast<std::size_t>(done);
      }
      if (size == 0 || (done < 0 && errno != EAGAIN && errno != EINTR)) {
        ::close(pipe);
        pipe = -1;
      }
    }
  }
}

}  // namespace

int child_run_hook(const HookPlan& hook, const char* state, std::size_t size, Call* call,
                   int* status) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return -1;
  // A hook that never reads gets SIGPIPE's errno, not us its signal.
  struct sigaction ignore_action {
  }, before{};
  ignore_action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore_action, &before);
  volatile int exec_error = 0;
  // NOLINTNEXTLINE(bugprone-unsafe-functions): what runs in between is ours and short
  pid_t pid = ::vfork();
  if (pid == 0) {
    ::setpgid(0, 0);  // so that what a hook started ends with it when its time is up
    ::sigaction(SIGPIPE, &before, nullptr);
    if (::dup2(ends[0], 0) < 0) {
      exec_error = errno;
      ::_exit(127);
    }
    ::syscall(SYS_close_range, 3, ~0U, 4 /* CLOEXEC */);
    // A bundle that cannot be entered is no reason not to run.
    if (hook.folder != nullptr && ::chdir(hook.folder) < 0) exec_error = 0;
    ::execve(hook.path, hook.argv.data(), hook.env.data());
    exec_error = errno;
    ::_exit(127);
  }
  int saved = errno;
  ::close(ends[0]);
  if (pid < 0 || exec_error != 0) {
    ::close(ends[1]);
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    ::sigaction(SIGPIPE, &before, nullptr);
    *call = Call::hook_exec;
    errno = pid < 0 ? saved : exec_error;
    return -1;
  }
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  bool timed_out = false;
  int result =
      pidfd < 0 ? -1 : feed_and_wait(ends[1], pidfd, state, size, hook.timeout_ms, &timed_out);
  saved = errno;
  if (result < 0 || timed_out) ::kill(-pid, SIGKILL);
  int wait_status = 0;
  while (::waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
  }
  if (pidfd >= 0) ::close(pidfd);
  if (result < 0 || timed_out) ::close(ends[1]);
  ::sigaction(SIGPIPE, &before, nullptr);
  errno = saved;
  if (result < 0) {
    *call = Call::wait;
    return -1;
  }
  if (timed_out) {
    *call = Call::hook_timeout;
    errno = ETIMEDOUT;
    return -1;
  }
  *status = wait_status;
  if (wait_status != 0) {
    *call = Call::hook_status;
    errno = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    return -1;
  }
  return 0;
}

}  // namespace minke::runtime
