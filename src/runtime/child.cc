// Walks the steps of a plan. Order and reasons stand in the plan builder; here is how each is done.
#include "runtime/child.h"

#include <grp.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>

#include "runtime/child_internal.h"
#include "runtime/syscalls.h"

namespace minke::runtime {
namespace {

int fail(ChildState& c, Call call) {
  c.call = call;
  return -1;
}

void send_report(ChildState& c, ReportKind kind, int err) {
  Report r;
  r.kind = kind;
  r.call = static_cast<std::uint8_t>(c.call);
  r.step = c.step;
  r.err = err;
  std::memcpy(r.text, c.text, sizeof r.text);
  ssize_t n;
  do {
    n = ::send(c.socket, &r, sizeof r, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
}

// One message of the parent: what it orders, and what comes along.
int receive_order(ChildState& c) {
  std::uint8_t order = 0;
  iovec parts[2] = {{&order, 1}, {c.state_text, sizeof c.state_text}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof c.received)];
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t n;
  do {
    n = ::recvmsg(c.socket, &header, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return fail(c, Call::wait);
  if (n == 0) ::_exit(1);  // the parent is gone: nobody to run for
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
    auto count = static_cast<int>((item->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(c.received + c.received_count, CMSG_DATA(item),
                static_cast<std::size_t>(count) * sizeof(int));
    c.received_count += count;
  }
  if (order == kOrderState) c.state_size = static_cast<std::uint32_t>(n - 1);
  c.orders |= order;
  return 0;
}

int wait_order(ChildState& c, std::uint64_t order) {
  while ((c.orders & order) == 0)
    if (receive_order(c) < 0) return -1;
  return 0;
}

int become_root() {
  // The namespace may have no id 0; then we keep our ids, and the capabilities that came with it.
  if (::setresgid(0, 0, 0) < 0 && errno != EINVAL) return -1;
  if (::setresuid(0, 0, 0) < 0 && errno != EINVAL) return -1;
  return 0;
}

int session_keyring(const char* name) {
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) >= 0) return 0;
  // No keys in this kernel, none left of the quota (the container then sees the keyring it may not
  // read), or an outer seccomp filter.
  return errno == ENOSYS || errno == EDQUOT || errno == EPERM || errno == EACCES ? 0 : -1;
}

int propagate(ChildState& c, std::uint64_t flags) {
  if (::mount(nullptr, "/", nullptr, flags, nullptr) < 0) return -1;
  // pivot_root refuses below a shared mount; the top one is dropped after the pivot anyway.
  if ((flags & MS_SHARED) != 0 && ::mount(nullptr, "/", nullptr, MS_PRIVATE, nullptr) < 0)
    return fail(c, Call::mount);
  return 0;
}

int pivot(ChildState& c, bool shared) {
  int old_root = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (old_root < 0) return -1;
  if (::fchdir(c.root) < 0) return fail(c, Call::open_target);
  if (sys_pivot_root(".", ".") < 0) return -1;
  // The old root now lies on top of the new one. What is unmounted here must not be unmounted on
  // the host, should it still be shared with it.
  if (::fchdir(old_root) < 0) return fail(c, Call::umount);
  if (shared && ::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) < 0)
    return fail(c, Call::umount);
  if (::umount2(".", MNT_DETACH) < 0) return fail(c, Call::umount);
  ::close(old_root);
  return ::chdir("/");
}

int change_root(ChildState& c) {
  if (::fchdir(c.root) < 0) return -1;
  if (::chroot(".") < 0) return -1;
  return ::chdir("/");
}

int enter_root_of(ChildState& c, const Step& s) {
  c.root = s.fd;
  if (::fchdir(s.fd) < 0) return -1;
  if (::chroot(".") < 0) return -1;
  return ::chdir("/");
}

int root_readonly(ChildState& c) {
  if (c.old_api) return old_set_attributes(c.root, MOUNT_ATTR_RDONLY, 0);
  struct mount_attr attr {};
  attr.attr_set = MOUNT_ATTR_RDONLY;
  return sys_mount_setattr(c.root, "", AT_EMPTY_PATH, &attr);
}

int run_hooks(ChildState& c, const Step& s) {
  const auto* hooks = static_cast<const HookPlan*>(s.data);
  if (wait_order(c, kOrderState) < 0) return -1;
  for (std::uint32_t i = 0; i < s.count; ++i) {
    int status = 0;
    if (child_run_hook(hooks[i], c.state_text, c.state_size, &c.call, &status) < 0) {
      std::strncpy(c.text, hooks[i].path, sizeof c.text - 1);
      return -1;
    }
  }
  return 0;
}

int wait_start(ChildState& c) {
  send_report(c, ReportKind::ready, static_cast<int>(c.clamped));
  if (c.start_listener < 0) return wait_order(c, kOrderStart);
  // Nobody would find us whose creator was killed before it wrote down that we are.
  if (wait_order(c, kOrderKeep) < 0) return -1;
  // Whoever starts us is another process: failures go to it from here on.
  int peer;
  do {
    peer = ::accept4(c.start_listener, nullptr, nullptr, SOCK_CLOEXEC);
  } while (peer < 0 && errno == EINTR);
  if (peer < 0) return -1;
  ::close(c.start_listener);
  ::close(c.socket);
  c.socket = peer;
  return wait_order(c, kOrderStart);
}

int load_seccomp(ChildState& c, const SeccompPlan& p) {
  struct {
    unsigned short length;
    const void* program;
  } prog{p.length, p.program};
  if (p.listener) {
    // The descriptor gets the lowest free number. The parent is told before the filter stands,
    // since afterwards our own calls may be the ones that wait for the listener.
    int probe = ::dup(c.socket);
    if (probe < 0) return -1;
    ::close(probe);
    send_report(c, ReportKind::listener, probe);
  }
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, p.flags, &prog) < 0) return -1;
  return p.listener ? wait_order(c, kOrderListener) : 0;
}

[[noreturn]] void die(ChildState& c, int err) {
  send_report(c, ReportKind::failed, err);
  ::_exit(1);
}

int execute(ChildState& c) {
  const LaunchPlan& p = c.plan;
  int index = c.program < 0 ? 0 : c.program;
  ::execve(p.programs[static_cast<std::size_t>(index)], p.argv.data(), p.env.data());
  return -1;
}

// Who may make a network namespace but not set it up (no CAP_NET_ADMIN) leaves it as it is.
int loopback_up() {
  int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP;
  int done = ::ioctl(fd, SIOCSIFFLAGS, &request);
  int err = errno;
  ::close(fd);
  errno = err;
  return done < 0 && err == EPERM ? 0 : done;
}

int run_step(ChildState& c, const Step& s) {
  switch (s.op) {
    case Op::wait_order:
      return wait_order(c, s.flags);
    case Op::report:
      return send_report(c, static_cast<ReportKind>(s.flags), 0), 0;
    case Op::become_root:
      return become_root();
    case Op::not_dumpable:
      return ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    case Op::join_namespace:
      return ::setns(s.fd, static_cast<int>(s.flags));
    case Op::enter_cgroup:
      return ::write(s.fd, "0", 1) == 1 ? 0 : -1;
    case Op::unshare:
      return ::unshare(static_cast<int>(s.flags));
    case Op::time_offsets:
      return child_write_proc(c, "self/timens_offsets", s.source);
    case Op::new_session:
      return ::setsid() < 0 && errno != EPERM ? -1 : 0;
    case Op::session_keyring:
      return session_keyring(s.source);
    case Op::enter_root_of:
      return enter_root_of(c, s);
    case Op::propagate:
      return propagate(c, s.flags);
    case Op::root_overlay:
      return child_root_overlay(c, *static_cast<const OverlayPlan*>(s.data));
    case Op::root_bind:
      return child_root_bind(c, s.source, s.fd);
    case Op::mount:
      return child_mount(c, *static_cast<const MountPlan*>(s.data));
    case Op::remount_readonly:
      return child_remount_readonly(c, s.target);
    case Op::device:
      return child_device(c, *static_cast<const DevicePlan*>(s.data));
    case Op::symlink: {
      int result = child_symlink(c, s.source, s.target);
      return (s.flags & kLinkMayFail) != 0 ? 0 : result;  // a root that is read-only
    }
    case Op::make_folder: {
      int fd = open_or_make(c, s.target, true);
      if (fd >= 0) ::close(fd);
      return fd < 0 ? -1 : 0;
    }
    case Op::hooks:
      return run_hooks(c, s);
    case Op::mask:
      return child_mask(c, s.target);
    case Op::readonly:
      return child_readonly(c, s.target);
    case Op::console:
      return child_console(c, *static_cast<const ConsolePlan*>(s.data));
    case Op::pivot:
      return pivot(c, s.flags != 0);
    case Op::change_root:
      return change_root(c);
    case Op::root_propagation:
      return ::mount(nullptr, "/", nullptr, s.flags, nullptr);
    case Op::root_readonly:
      return root_readonly(c);
    case Op::loopback_up:
      return loopback_up();
    case Op::hostname:
      return ::sethostname(s.source, std::strlen(s.source));
    case Op::domainname:
      return ::setdomainname(s.source, std::strlen(s.source));
    case Op::sysctl:
      return child_sysctl(c, s.target, s.source);
    case Op::own_files:
      return child_own_files(c, s);
    case Op::rlimits:
      return child_rlimits(c, s);
    case Op::scheduler:
      return static_cast<int>(::syscall(SYS_sched_setattr, 0, s.data, 0));
    case Op::io_priority:
      return static_cast<int>(::syscall(SYS_ioprio_set, 1 /* process */, 0, s.flags));
    case Op::personality:
      return ::personality(s.flags) < 0 ? -1 : 0;
    case Op::cpu_affinity:
      return ::sched_setaffinity(0, s.count * sizeof(std::uint64_t),
                                 static_cast<const cpu_set_t*>(s.data));
    case Op::umask:
      return ::umask(static_cast<mode_t>(s.flags)), 0;
    case Op::exec_label:
    case Op::key_label:
      return child_write_proc(c, s.target, s.source);
    case Op::groups:
      return child_groups(c, s);
    case Op::set_gid:
      return ::setresgid(s.flags, s.flags, s.flags);
    case Op::keep_capabilities:
      return ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    case Op::drop_bounding:
      return child_drop_bounding(s.flags);
    case Op::set_uid:
      return ::setresuid(s.flags, s.flags, s.flags);
    case Op::capabilities:
    case Op::final_capabilities:
      return child_capabilities(*static_cast<const CapSets*>(s.data), s.op == Op::capabilities);
    case Op::death_signal:
      return ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    case Op::change_directory:
      return child_change_directory(c, s);
    case Op::find_program:
      return child_find_program(c);
    case Op::home:
      return child_find_home(c, const_cast<char*>(c.plan.home), sizeof c.plan.home);
    case Op::no_new_privileges:
      return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case Op::descriptors:
      return child_descriptors(c, s);
    case Op::reset_signals:
      return child_reset_signals();
    case Op::wait_start:
      return wait_start(c);
    case Op::seccomp:
      return load_seccomp(c, *static_cast<const SeccompPlan*>(s.data));
    case Op::execute:
      return execute(c);
  }
  errno = ENOSYS;
  return -1;
}

}  // namespace

[[noreturn]] void child_main(const LaunchPlan& plan) {
  ChildState c(plan);
  ::close(plan.parent_socket);
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    c.step = static_cast<std::uint16_t>(i);
    c.call = Call::itself;
    if (run_step(c, plan.steps[i]) < 0) die(c, errno);
  }
  die(c, ENOEXEC);  // a plan ends with execute
}

}  // namespace minke::runtime
