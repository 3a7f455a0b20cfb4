#include "runtime/launch.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

#include "base/str.h"
#include "runtime/child.h"
#include "sys/socket.h"

namespace minke::runtime {
namespace {

// clone3(2) like fork: the child goes on here with a copy of our memory.
pid_t clone_child(const LaunchPlan& plan, bool sibling, int* pidfd) {
  struct clone_args args {};
  args.flags = plan.clone_flags | CLONE_CLEAR_SIGHAND | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(pidfd);
  if (plan.cgroup_fd >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(plan.cgroup_fd);
  }
  if (sibling)
    args.flags |= CLONE_PARENT;  // the end signal is then our own
  else
    args.exit_signal = SIGCHLD;
  return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
}

struct Between {
  const LaunchPlan* plan;
  volatile pid_t pid = -1;
  volatile int err = 0;
  const char* volatile what = "";
};

// In a process that shares our memory while we stand still, or has a copy of it: enters the
// namespaces that only its children get, or that we could not leave again, and clones the child as
// our own.
[[noreturn]] void clone_from_between(Between& b) {
  const LaunchPlan& plan = *b.plan;
  auto fail = [&](const char* what) {
    b.err = errno;
    b.what = what;
    ::_exit(1);
  };
  if (plan.join_pidfd >= 0) {
    // Nobody in there may trace us or look at our descriptors (CVE-2016-9962).
    if (::setns(plan.join_pidfd, static_cast<int>(plan.join_flags)) < 0)
      fail("join the container's namespaces");
  } else {
    if (::setns(plan.user_namespace_fd, CLONE_NEWUSER) < 0) fail("join user namespace");
    if (plan.pid_namespace_fd >= 0 && ::setns(plan.pid_namespace_fd, CLONE_NEWPID) < 0)
      fail("join pid namespace");
  }
  int pidfd = -1;
  pid_t pid = clone_child(plan, true, &pidfd);
  if (pid < 0) fail("clone");
  if (pid == 0) child_main(plan);
  b.pid = pid;
  ::_exit(0);
}

// The step between as a process that is born in the cgroup, so that its child is there too: to move
// that one costs milliseconds. The kernel has no vfork into a cgroup, hence the copy of our memory.
// -1: it may not, or there is no room; then the child is moved.
pid_t launch_between_in_cgroup(const LaunchPlan& plan) {
  void* page =
      ::mmap(nullptr, sizeof(Between), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return -1;
  auto* between = new (page) Between{&plan};
  struct clone_args args {};
  args.flags = CLONE_INTO_CGROUP;
  args.cgroup = static_cast<std::uint64_t>(plan.between_cgroup_fd);
  args.exit_signal = SIGCHLD;
  auto helper = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
  if (helper == 0) {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    clone_from_between(*between);
  }
  if (helper > 0)
    while (::waitpid(helper, nullptr, 0) < 0 && errno == EINTR) {
    }
  pid_t pid = between->pid;
  ::munmap(page, sizeof(Between));
  return pid;
}

Result<Launched> launch_between(const LaunchPlan& plan, Launched launched) {
  if (plan.join_pidfd >= 0 && plan.between_cgroup_fd >= 0) {
    launched.pid = launch_between_in_cgroup(plan);
    if (launched.pid > 0) {
      launched.in_cgroup = true;
      launched.pidfd = TRY(sys::Pidfd::open(launched.pid));
      return launched;
    }
  }
  Between between{&plan};
  bool dumpable = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
  if (plan.join_pidfd >= 0) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  // NOLINTNEXTLINE(bugprone-unsafe-functions): what runs in between is ours and short
  pid_t helper = ::vfork();
  if (helper == 0) clone_from_between(between);
  int err = errno;
  // The flag belongs to the memory, which was shared; our own stays as it was.
  if (plan.join_pidfd >= 0 && dumpable) ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (helper < 0) return Error::from_errno(err, "vfork");
  while (::waitpid(helper, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (between.pid < 0) return Error::from_errno(between.err, between.what);
  launched.pid = between.pid;
  launched.pidfd = TRY(sys::Pidfd::open(launched.pid));
  return launched;
}

// The next child is born in the joined pid namespace; we ourselves stay where we are.
Result<Launched> launch_into_pid_namespace(const LaunchPlan& plan, Launched launched) {
  sys::UniqueFd own = TRY(sys::open("/proc/self/ns/pid", O_RDONLY));
  if (::setns(plan.pid_namespace_fd, CLONE_NEWPID) < 0)
    return Error::from_errno(errno, "join pid namespace");
  int pidfd = -1;
  pid_t pid = clone_child(plan, plan.clone_parent, &pidfd);
  if (pid == 0) child_main(plan);
  int err = errno;
  if (::setns(own.get(), CLONE_NEWPID) < 0 && pid > 0) err = errno;
  if (pid < 0) return Error::from_errno(err, "clone");
  launched.pid = pid;
  launched.pidfd = sys::Pidfd(sys::UniqueFd(pidfd));
  return launched;
}

}  // namespace

Result<Launched> launch(LaunchPlan* plan) {
  auto sockets = TRY(sys::make_seqpacket_pair());
  Launched launched;
  launched.socket = std::move(sockets.first);
  // Kept by the plan until the clone is made; the child's copy lives on in the child.
  sys::UniqueFd child_end = std::move(sockets.second);
  plan->socket = child_end.get();
  plan->parent_socket = launched.socket.get();
  if (plan->join_pidfd >= 0 || plan->user_namespace_fd >= 0)
    return launch_between(*plan, std::move(launched));
  if (plan->pid_namespace_fd >= 0) return launch_into_pid_namespace(*plan, std::move(launched));
  int pidfd = -1;
  pid_t pid = clone_child(*plan, plan->clone_parent, &pidfd);
  if (pid == 0) child_main(*plan);
  if (pid < 0) {
    int err = errno;
    if (err == EPERM && (plan->clone_flags & CLONE_NEWUSER) == 0)
      return Error::from_errno(
          err, "clone with new namespaces (without root a user namespace is needed)");
    return Error::from_errno(err, "clone with new namespaces");
  }
  launched.pid = pid;
  launched.pidfd = sys::Pidfd(sys::UniqueFd(pidfd));
  return launched;
}

Status send_order(int socket, Order order, std::string_view text, const std::vector<int>& fds) {
  std::string message(1, static_cast<char>(order));
  message += text;
  return sys::send_message(socket, message, fds);
}

Result<std::optional<Report>> receive_report(int socket) {
  Report report;
  ssize_t n;
  do {
    // ECONNRESET: the child ended with an order unread. It comes once, ahead of the report that is
    // queued.
    n = ::recv(socket, &report, sizeof report, 0);
  } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
  if (n < 0) return Error::from_errno(errno, "read from the container's init");
  if (n == 0) return std::optional<Report>();
  if (n != sizeof report)
    return Error(Errc::internal, "read from the container's init: a torn report");
  report.text[sizeof report.text - 1] = 0;
  return std::optional<Report>(report);
}

}  // namespace minke::runtime
