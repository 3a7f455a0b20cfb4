#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstring>
#include <utility>

#include "oci/spec.h"
#include "runtime/child_internal.h"
#include "runtime/syscalls.h"

namespace minke::runtime {
namespace {

int fail(ChildState& c, Call call) {
  c.call = call;
  return -1;
}

int write_text(ChildState& c, int fd, const char* text) {
  if (fd < 0) return fail(c, Call::open_target);
  ssize_t n = ::write(fd, text, std::strlen(text));
  sys::close_keeping_errno(fd);
  return n < 0 ? fail(c, Call::write) : 0;
}

}  // namespace

int child_write_proc(ChildState& c, const char* path, const char* text) {
  // "self" and "thread-self" are plain links; nothing may be mounted in between.
  return write_text(c,
                    sys_openat2(c.proc, path, O_WRONLY, 0,
                                RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS),
                    text);
}

int child_sysctl(ChildState& c, const char* name, const char* value) {
  constexpr std::uint64_t kResolve =
      RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  int fd = sys_openat2(c.proc, name, O_WRONLY, 0, kResolve);
  if (fd < 0 && (errno == EXDEV || errno == EROFS)) {
    // Inside an outer container /proc/sys is covered: a procfs of our own is not.
    int context = sys_fsopen("proc");
    int proc = -1;
    if (context >= 0 && sys_fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0)
      proc = sys_fsmount(context, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (context >= 0) sys::close_keeping_errno(context);
    if (proc < 0) return fail(c, Call::open_target);
    fd = sys_openat2(proc, name, O_WRONLY, 0, kResolve);
    sys::close_keeping_errno(proc);
  }
  return write_text(c, fd, value);
}

// A program that opens /dev/stdout needs to own the pipe behind it. Files and terminals are the
// caller's: an exec in the foreground hands them on as they are, and their owner must stay.
int child_own_files(ChildState&, const Step& s) {
  const auto* fds = static_cast<const std::uint32_t*>(s.data);
  for (std::uint32_t i = 0; i < 3 && i < s.count; ++i) {
    struct stat st;
    int fd = static_cast<int>(fds[i]);
    if (::fstat(fd, &st) < 0 || st.st_uid == s.flags) continue;
    if (!S_ISFIFO(st.st_mode)) continue;
    // Unmapped owners: as good as it gets.
    if (::fchown(fd, static_cast<uid_t>(s.flags), static_cast<gid_t>(-1)) < 0 && errno != EINVAL &&
        errno != EPERM && errno != EROFS && errno != ENOENT)
      return -1;
  }
  return 0;
}

int child_rlimits(ChildState& c, const Step& s) {
  const auto* limits = static_cast<const RlimitPlan*>(s.data);
  for (std::uint32_t i = 0; i < s.count; ++i) {
    struct rlimit64 limit = limits[i].limit;
    if (::prlimit64(0, static_cast<__rlimit_resource>(limits[i].resource), &limit, nullptr) == 0)
      continue;
    struct rlimit64 now;
    if (errno != EPERM ||
        ::prlimit64(0, static_cast<__rlimit_resource>(limits[i].resource), nullptr, &now) < 0)
      return -1;
    if (limit.rlim_max > now.rlim_max) limit.rlim_max = now.rlim_max;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    if (::prlimit64(0, static_cast<__rlimit_resource>(limits[i].resource), &limit, nullptr) < 0)
      return -1;
    c.clamped |= 1U << limits[i].resource;
  }
  return 0;
}

int child_groups(ChildState& c, const Step& s) {
  if (::setgroups(s.count, static_cast<const gid_t*>(s.data)) == 0) return 0;
  if (errno != EPERM) return -1;
  // A namespace whose gid map was written by an ordinary user denies setgroups(2) for good: there
  // are no groups to drop, and those of the image's /etc/group are not mapped (as crun does).
  int fd = sys_openat2(c.proc, "self/setgroups", O_RDONLY, 0,
                       RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
  char text[8] = {};
  if (fd < 0 || ::read(fd, text, sizeof text - 1) < 0) return fail(c, Call::open_target);
  ::close(fd);
  if (std::strncmp(text, "deny", 4) == 0) return 0;
  errno = EPERM;
  return -1;
}

int child_drop_bounding(std::uint64_t keep) {
  // Beyond the last capability of this kernel the call says EINVAL.
  for (int i = 0; i < 64; ++i) {
    if ((keep >> i & 1) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) return errno == EINVAL && i > 0 ? 0 : -1;
  }
  return 0;
}

int child_capabilities(const CapSets& sets, bool ambient) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (int i = 0; i < 2; ++i) {
    data[i].effective = static_cast<std::uint32_t>(sets.effective >> (32 * i));
    data[i].permitted = static_cast<std::uint32_t>(sets.permitted >> (32 * i));
    data[i].inheritable = static_cast<std::uint32_t>(sets.inheritable >> (32 * i));
  }
  if (::syscall(SYS_capset, &header, data) < 0) return -1;
  if (!ambient) return 0;
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL) return -1;
  for (int i = 0; i < oci::kCapabilityCount; ++i)
    if ((sets.ambient >> i & 1) != 0 && ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
      return -1;
  return 0;
}

// The directory must lie inside the root: a descriptor leaked to us and a cwd of /proc/self/fd/N
// would be the host's file system (CVE-2024-21626). The kernel prefixes such a path with
// "(unreachable)".
int child_change_directory(ChildState& c, const Step& s) {
  if (c.in_directory) return 0;
  if (::chdir(s.target) < 0) return s.flags == 1 && errno == EACCES ? 0 : -1;
  char path[4096];
  path[0] = 0;  // a sanitizer does not see what the kernel writes here
  long n = ::syscall(SYS_getcwd, path, sizeof path);
  if (n <= 0 || path[0] != '/') {
    errno = EXDEV;
    return fail(c, Call::outside);
  }
  c.in_directory = true;
  return 0;
}

int child_find_program(ChildState& c) {
  int err = ENOENT;
  for (std::size_t i = 0; i < c.plan.programs.size(); ++i) {
    const char* path = c.plan.programs[i];
    struct stat st;
    if (::stat(path, &st) < 0) {
      if (errno == EACCES) err = EACCES;
      continue;
    }
    if (!S_ISREG(st.st_mode) || ::syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) < 0) {
      err = EACCES;
      continue;
    }
    c.program = static_cast<int>(i);
    return 0;
  }
  errno = err;
  return fail(c, Call::not_found);
}

// Closed here and not by exec: exec resolves the program's path first, and /proc/self/fd/N in it
// must not lead through a descriptor of ours (CVE-2024-21626).
int child_descriptors(ChildState& c, const Step& s) {
  const auto* fds = static_cast<const std::uint32_t*>(s.data);
  auto count = static_cast<int>(s.count);
  // What is used still, out of the way of the numbers to be given.
  for (int* own : {&c.socket, &c.start_listener, &c.pty}) {
    if (*own < 0 || *own >= count) continue;
    int moved = ::fcntl(*own, F_DUPFD_CLOEXEC, count);
    if (moved < 0) return -1;
    *own = moved;
  }
  for (int i = 0; i < count; ++i) {
    int fd = i < 3 && c.pty >= 0 ? c.pty : static_cast<int>(fds[i]);
    if (fd == i ? ::fcntl(i, F_SETFD, 0) < 0 : ::dup2(fd, i) < 0) return -1;
  }
  c.proc = c.root = c.pty = c.null_mount = c.empty_mount = -1;
  int first = c.socket, second = c.start_listener < 0 ? c.socket : c.start_listener;
  if (first > second) std::swap(first, second);
  auto close_between = [](int from, int to) {  // both included
    return from > to ? 0
                     : static_cast<int>(::syscall(SYS_close_range, static_cast<unsigned>(from),
                                                  static_cast<unsigned>(to), 0));
  };
  if (close_between(count, first - 1) < 0 || close_between(first + 1, second - 1) < 0) return -1;
  return close_between(second + 1, INT_MAX);
}

int child_reset_signals() {
  // clone3's CLONE_CLEAR_SIGHAND leaves ignored ones ignored, and exec would hand them on.
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int i = 1; i <= 64; ++i) ::sigaction(i, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  return ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace minke::runtime
