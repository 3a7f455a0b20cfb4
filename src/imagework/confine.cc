#include "imagework/confine.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "sys/landlock.h"
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
    SYS_recvmsg,  // of layers that are still arriving, from minke-transfer
    SYS_shutdown,
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

Status confine(const std::vector<sys::PathAccess>& reachable, std::vector<std::string>* notes) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return Error::from_errno(errno, "no_new_privs");
  TRY(sys::restrict_paths(reachable, sys::LandlockNet::none, "the image worker", notes));
  TRY(drop_capabilities());
  TRY(set_limits());
  if (MINKE_SANITIZED) return {};
  return sys::install_syscall_filter({kAllowed, std::size(kAllowed)},
                                     sys::FilterScope::new_threads);
}

}  // namespace minke::imagework
