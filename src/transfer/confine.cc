#include "transfer/confine.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iterator>

#include "sys/syscall_filter.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MINKE_SANITIZED 1
#else
#define MINKE_SANITIZED 0
#endif

namespace minke::transfer {
namespace {

// Names of hosts, certificate authorities, and the libraries that the C library and OpenSSL load
// when they are first asked.
constexpr const char* kReadable[] = {
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/usr/share/pki",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/nscd",
    "/dev/null",
    "/dev/urandom",
};

constexpr int kAllowed[] = {
    SYS_bind,
    SYS_brk,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_close,
    SYS_connect,
    SYS_dup,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_exit,
    SYS_exit_group,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_fcntl,
    SYS_fdatasync,
    SYS_flock,
    SYS_fstat,
    SYS_fstatfs,
    SYS_fsync,
    SYS_ftruncate,
    SYS_futex,
    SYS_getdents64,
    SYS_getegid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getpeername,
    SYS_getpid,
    SYS_getrandom,
    SYS_getsockname,
    SYS_getsockopt,
    SYS_gettid,
    SYS_getuid,
    SYS_ioctl,
    SYS_lseek,
    SYS_madvise,
    SYS_mmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_munmap,
    SYS_nanosleep,
    SYS_newfstatat,
    SYS_openat,
    SYS_openat2,
    SYS_pipe2,
    SYS_ppoll,
    SYS_pread64,
    SYS_prlimit64,
    SYS_pselect6,
    SYS_pwrite64,
    SYS_read,
    SYS_readlinkat,
    SYS_readv,
    SYS_recvfrom,
    SYS_recvmmsg,
    SYS_recvmsg,
    SYS_restart_syscall,
    SYS_rseq,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_sched_getaffinity,
    SYS_sched_yield,
    SYS_sendmmsg,
    SYS_sendmsg,
    SYS_sendto,
    SYS_set_robust_list,
    SYS_setsockopt,
    SYS_shutdown,
    SYS_sigaltstack,
    SYS_socket,
    SYS_socketpair,
    SYS_statx,
    SYS_sync_file_range,
    SYS_tgkill,
    SYS_umask,
    SYS_uname,
    SYS_unlinkat,
    SYS_write,
    SYS_writev,
#ifdef SYS_poll
    SYS_access,
    SYS_lstat,
    SYS_open,
    SYS_poll,
    SYS_readlink,
    SYS_select,
    SYS_stat,
    SYS_time,
    SYS_gettimeofday,
    SYS_epoll_wait,
    SYS_epoll_create,
#endif
};

void allow_reading(const char* path, std::vector<sys::PathAccess>* reachable) {
  int fd = ::open(path, O_PATH | O_CLOEXEC);
  if (fd >= 0) reachable->push_back({fd, false});  // until the process ends
}

}  // namespace

Status confine(std::vector<sys::PathAccess> reachable, const std::vector<std::string>& cert_files,
               std::vector<std::string>* notes) {
  for (const char* path : kReadable) allow_reading(path, &reachable);
  for (const std::string& path : cert_files) allow_reading(path.c_str(), &reachable);
  for (const char* name : {"SSL_CERT_FILE", "SSL_CERT_DIR"})
    if (const char* path = ::getenv(name)) allow_reading(path, &reachable);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return Error::from_errno(errno, "no_new_privs");
  TRY(sys::restrict_paths(reachable, sys::LandlockNet::as_it_is, "minke-transfer", notes));
  TRY(sys::keep_capabilities({nullptr, 0}));
  struct rlimit no_core {};
  if (::setrlimit(RLIMIT_CORE, &no_core) < 0) return Error::from_errno(errno, "setrlimit");
  if (MINKE_SANITIZED) return {};
  return sys::install_syscall_filter({kAllowed, std::size(kAllowed)},
                                     sys::FilterScope::new_threads);
}

}  // namespace minke::transfer
