#include "imagework/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>

#include "base/str.h"
#include "sys/syscall_filter.h"

// Sanitizers need system calls and address space of their own: there everything but these two
// holds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MINKE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MINKE_SANITIZED 1
#endif
#endif
#ifndef MINKE_SANITIZED
#define MINKE_SANITIZED 0
#endif

namespace minke::imagework {
namespace {

// Rights by their numbers: Debian 12's headers end at Landlock's version 2.
constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kVersion1 = (std::uint64_t{1} << 13) - 1;  // execute to make_sym
constexpr std::uint64_t kRefer = std::uint64_t{1} << 13;           // 2
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;        // 3
constexpr std::uint64_t kIoctlDev = std::uint64_t{1} << 15;        // 5
constexpr std::uint64_t kNetAll = 3;                               // 4: bind and connect TCP

struct RulesetAttr {
  std::uint64_t fs, net, scoped;
};

Status restrict_paths(const std::vector<Access>& reachable, std::vector<std::string>* notes) {
  long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) {
    notes->push_back(concat("the image worker runs without Landlock: ",
                            errno == EOPNOTSUPP ? "it is switched off" : "the kernel lacks it"));
    return {};
  }
  RulesetAttr attr{kVersion1, 0, 0};
  std::size_t size = sizeof attr.fs;
  if (version >= 2) attr.fs |= kRefer;
  if (version >= 3) attr.fs |= kTruncate;
  if (version >= 5) attr.fs |= kIoctlDev;
  if (version >= 4) {
    attr.net = kNetAll;
    size = offsetof(RulesetAttr, scoped);
  }
  if (version >= 6) {
    attr.scoped = 3;  // no abstract sockets, no signals to the outside
    size = sizeof attr;
  }
  auto ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attr, size, 0));
  if (ruleset < 0) return Error::from_errno(errno, "landlock_create_ruleset");
  for (const Access& access : reachable) {
    struct landlock_path_beneath_attr rule {};
    rule.allowed_access =
        access.write ? attr.fs & ~(kIoctlDev | LANDLOCK_ACCESS_FS_EXECUTE) : kRead;
    rule.parent_fd = access.dir;
    if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
      int err = errno;
      ::close(ruleset);
      return Error::from_errno(err, "landlock_add_rule");
    }
  }
  long rc = ::syscall(SYS_landlock_restrict_self, ruleset, 0);
  int err = errno;
  ::close(ruleset);
  if (rc < 0) return Error::from_errno(err, "landlock_restrict_self");
  return {};
}

Status drop_capabilities() {
  constexpr int kKeep[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,
                           CAP_FSETID, CAP_MKNOD,        CAP_SETFCAP};
  return sys::keep_capabilities({kKeep, std::size(kKeep)});
}

Status set_limits() {
  struct Row {
    int resource;
    rlim_t value;
  };
  constexpr Row kRows[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 512}, {RLIMIT_DATA, rlim_t{2} << 30}};
  for (const Row& row : kRows) {
    if (MINKE_SANITIZED && row.resource == RLIMIT_DATA) continue;
    struct rlimit limit {};
    if (::getrlimit(static_cast<__rlimit_resource_t>(row.resource), &limit) < 0)
      return Error::from_errno(errno, "getrlimit");
    limit.rlim_max = std::min(limit.rlim_max, row.value);
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(static_cast<__rlimit_resource_t>(row.resource), &limit) < 0)
      return Error::from_errno(errno, "setrlimit");
  }
  return {};
}

// Everything that reading archives, writing files and threads need. The rest answers EPERM.
constexpr int kAllowed[] = {
    SYS_read,
    SYS_write,
    SYS_pread64,
    SYS_pwrite64,
    SYS_readv,
    SYS_writev,
    SYS_close,
    SYS_openat,
    SYS_openat2,
    SYS_lseek,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_fcntl,
    SYS_dup,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_copy_file_range,
    SYS_fsync,
    SYS_fdatasync,
    SYS_fchown,
    SYS_fchownat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_utimensat,
    SYS_umask,
    SYS_fsetxattr,
    SYS_fgetxattr,
    SYS_flistxattr,
    SYS_fremovexattr,
    SYS_lgetxattr,
    SYS_llistxattr,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_brk,
    SYS_futex,
    SYS_rseq,
    SYS_set_robust_list,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_gettid,
    SYS_getpid,
    SYS_tgkill,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_getrandom,
    SYS_exit,
    SYS_exit_group,
    SYS_restart_syscall,
    SYS_ppoll,
#ifdef SYS_unlink
    SYS_unlink,
    SYS_rename,
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_poll,
    SYS_dup2,
#endif
};

}  // namespace

Status confine(const std::vector<Access>& reachable, std::vector<std::string>* notes) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return Error::from_errno(errno, "no_new_privs");
  TRY(restrict_paths(reachable, notes));
  TRY(drop_capabilities());
  TRY(set_limits());
  if (MINKE_SANITIZED) return {};
  return sys::install_syscall_filter({kAllowed, std::size(kAllowed)},
                                     sys::FilterScope::new_threads);
}

}  // namespace minke::imagework
