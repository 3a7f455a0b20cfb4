#include "runtime/seccomp_default.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/str.h"

namespace minke::runtime {
namespace {

constexpr std::string_view kAllowed =
    "_llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset "
    "chdir chmod "
    "chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
    "clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect "
    "copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old "
    "epoll_pwait "
    "epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group "
    "faccessat "
    "faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 "
    "fchown "
    "fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr file_getattr flistxattr flock fork "
    "fremovexattr "
    "fsconfig fsetxattr fsmount fsopen fspick fstat fstat64 fstatat64 fstatfs fstatfs64 fsync "
    "ftruncate "
    "ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat "
    "get_mempolicy "
    "get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid "
    "geteuid32 "
    "getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid "
    "getpriority "
    "getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname "
    "getsockopt "
    "gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init "
    "inotify_init1 "
    "inotify_rm_watch io_cancel io_destroy io_getevents io_setup io_submit ioctl ioprio_get "
    "ioprio_set ipc "
    "keyctl kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 "
    "lgetxattr "
    "link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr "
    "lsm_get_self_attr lsm_list_modules lstat lstat64 madvise map_shadow_stack mbind membarrier "
    "memfd_create "
    "memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mount "
    "mount_setattr "
    "move_mount mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
    "mq_timedsend "
    "mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock "
    "munlockall munmap "
    "name_to_handle_at nanosleep newfstatat open open_tree open_tree_attr openat openat2 pause "
    "pidfd_getfd "
    "pidfd_open pidfd_send_signal pipe pipe2 pivot_root pkey_alloc pkey_free pkey_mprotect poll "
    "ppoll "
    "ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv "
    "process_vm_writev "
    "pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readdir readlink "
    "readlinkat "
    "readv reboot recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr "
    "removexattrat "
    "rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending "
    "rt_sigprocmask "
    "rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 "
    "rt_tgsigqueueinfo "
    "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam "
    "sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity "
    "sched_setattr "
    "sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop "
    "semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_mempolicy "
    "set_mempolicy_home_node "
    "set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 "
    "setgid setgid32 "
    "setgroups setgroups32 setitimer setns setpgid setpriority setregid setregid32 setresgid "
    "setresgid32 "
    "setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 "
    "setxattr "
    "setxattrat shmat shmctl shmdt shmget shutdown sigaction sigaltstack signal signalfd signalfd4 "
    "sigpending "
    "sigprocmask sigreturn sigsuspend socketcall socketpair splice stat stat64 statfs statfs64 "
    "statmount "
    "statx symlink symlinkat sync sync_file_range syncfs syscall sysinfo tee tgkill time "
    "timer_create "
    "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 "
    "timerfd "
    "timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times "
    "tkill truncate "
    "truncate64 ugetrlimit umask umount umount2 uname unlink unlinkat utime utimensat "
    "utimensat_time64 utimes vfork wait4 waitid waitpid write writev ";

// Known, and no business of a container: the honest answer is EPERM.
constexpr std::string_view kRefused =
    "bdflush io_pgetevents kexec_file_load kexec_load migrate_pages move_pages nfsservctl nice "
    "oldfstat "
    "oldlstat oldolduname oldstat olduname pciconfig_iobase pciconfig_read pciconfig_write "
    "sgetmask ssetmask "
    "swapcontext swapoff swapon sysfs uselib userfaultfd ustat vm86 vm86old vmsplice ";

struct Conditional {
  std::string_view capability, or_capability;
  std::string_view names;
};
constexpr Conditional kConditional[] = {
    {"CAP_DAC_READ_SEARCH", "", "open_by_handle_at"},
    {"CAP_SYS_ADMIN", "",
     "fanotify_init lookup_dcookie quotactl quotactl_fd setdomainname sethostname"},
    {"CAP_SYS_ADMIN", "CAP_BPF", "bpf"},
    {"CAP_SYS_ADMIN", "CAP_PERFMON", "perf_event_open"},
    {"CAP_SYS_CHROOT", "", "chroot"},
    {"CAP_SYS_MODULE", "", "delete_module finit_module init_module query_module"},
    {"CAP_SYS_PACCT", "", "acct"},
    {"CAP_SYS_PTRACE", "", "kcmp process_madvise"},
    {"CAP_SYS_RAWIO", "", "ioperm iopl"},
    {"CAP_SYS_TIME", "", "clock_settime clock_settime64 settimeofday stime"},
    {"CAP_SYS_TTY_CONFIG", "", "vhangup"},
    {"CAP_SYSLOG", "", "syslog"},
};

// Of Linux and of 32-bit Linux, each also without address randomisation, and the question for the
// present one.
constexpr std::uint64_t kPersonalities[] = {0, 8, 0x20000, 0x20008, 0xffffffff};

// The kernel looks at the lower half of an int argument only, so a comparison must too: otherwise a
// set bit above leads past it.
constexpr std::uint64_t kIntMask = 0xffffffff;
constexpr unsigned kFamilyCount = 46;  // AF_MAX of Linux 6.12
constexpr unsigned kAlg = 38,
                   kVsock =
                       40;  // reach kernel code that has no place in a container (CVE-2026-31431)
constexpr unsigned kNetlinkAudit = 9;
constexpr std::uint64_t kNewCgroup = 0x02000000;  // CLONE_NEWCGROUP

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view word : split(text, ' '))
    if (!word.empty()) out.emplace_back(word);
  return out;
}

oci::SeccompRule rule(std::vector<std::string> names, std::string_view action,
                      std::optional<std::uint32_t> err = std::nullopt) {
  oci::SeccompRule r;
  r.names = std::move(names);
  r.action = action;
  r.errno_ret = err;
  return r;
}

oci::SeccompArg equal(std::uint32_t index, std::uint64_t value) {
  oci::SeccompArg a;
  a.index = index;
  a.op = "SCMP_CMP_MASKED_EQ";
  a.value = kIntMask;
  a.value_two = value;
  return a;
}

void add_architectures(oci::Seccomp* s) {
#if defined(__x86_64__)
  s->architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#elif defined(__aarch64__)
  s->architectures = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#else
  (void)s;  // the native one alone
#endif
}

void add_architecture_calls(oci::Seccomp* s) {
#if defined(__x86_64__)
  s->syscalls.push_back(rule({"arch_prctl", "modify_ldt"}, "SCMP_ACT_ALLOW"));
#elif defined(__aarch64__)
  s->syscalls.push_back(rule({"arm_fadvise64_64", "arm_sync_file_range", "breakpoint", "cacheflush",
                              "set_tls", "sync_file_range2"},
                             "SCMP_ACT_ALLOW"));
#elif defined(__powerpc64__)
  s->syscalls.push_back(rule({"sync_file_range2"}, "SCMP_ACT_ALLOW"));
#elif defined(__s390x__)
  s->syscalls.push_back(
      rule({"s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr"}, "SCMP_ACT_ALLOW"));
#else
  (void)s;
#endif
}

// A cgroup namespace made in a user namespace of one's own gives the right to mount cgroups, and
// what is mounted so is the container's own cgroup, writable: its limits and, on v1, its
// release_agent (CVE-2022-0492). clone3(2) keeps its flags in memory, where no filter sees them: it
// is missing (the default answer), and C libraries take clone(2) then.
void add_clones(bool admin, oci::Seccomp* s) {
  if (admin) {
    s->syscalls.push_back(rule({"clone", "clone3", "unshare"}, "SCMP_ACT_ALLOW"));
    return;
  }
#if defined(__s390x__)
  constexpr std::uint32_t kCloneFlags = 1;
#else
  constexpr std::uint32_t kCloneFlags = 0;
#endif
  for (auto [name, index] : {std::pair{"clone", kCloneFlags}, std::pair{"unshare", 0U}})
    for (std::uint64_t flag : {std::uint64_t{0}, kNewCgroup}) {
      oci::SeccompRule r =
          flag == 0 ? rule({name}, "SCMP_ACT_ALLOW") : rule({name}, "SCMP_ACT_ERRNO", EPERM);
      oci::SeccompArg bit;
      bit.index = index;
      bit.op = "SCMP_CMP_MASKED_EQ";
      bit.value = kNewCgroup;
      bit.value_two = flag;
      r.args.push_back(bit);
      s->syscalls.push_back(std::move(r));
    }
}

void add_sockets(bool audit, oci::Seccomp* s) {
  for (unsigned family = 0; family < kFamilyCount; ++family) {
    bool refused = family == kAlg || family == kVsock;
    oci::SeccompRule r = refused ? rule({"socket"}, "SCMP_ACT_ERRNO", EAFNOSUPPORT)
                                 : rule({"socket"}, "SCMP_ACT_ALLOW");
    r.args.push_back(equal(0, family));
    if (family == AF_NETLINK && !audit) {
      // Programs that log in want to hear that there is no audit system, not that they may not
      // speak to it.
      oci::SeccompRule no_audit = rule({"socket"}, "SCMP_ACT_ERRNO", EINVAL);
      no_audit.args = {equal(0, family), equal(2, kNetlinkAudit)};
      s->syscalls.push_back(std::move(no_audit));
      oci::SeccompArg other;
      other.index = 2;
      other.op = "SCMP_CMP_NE";
      other.value = kNetlinkAudit;
      r.args.push_back(other);
    }
    s->syscalls.push_back(std::move(r));
  }
}

}  // namespace

const std::set<std::string>& default_capabilities() {
  static const std::set<std::string> kSet = {
      "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
      "CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",   "CAP_SETGID",
      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
  return kSet;
}

oci::Seccomp default_seccomp(const std::set<std::string>& capabilities) {
  oci::Seccomp s;
  s.default_action = "SCMP_ACT_ERRNO";
  s.default_errno_ret = ENOSYS;
  add_architectures(&s);
  s.syscalls.push_back(rule(words(kRefused), "SCMP_ACT_ERRNO", EPERM));
  s.syscalls.push_back(rule(words(kAllowed), "SCMP_ACT_ALLOW"));
  for (std::uint64_t value : kPersonalities) {
    oci::SeccompRule r = rule({"personality"}, "SCMP_ACT_ALLOW");
    r.args.push_back(equal(0, value));
    s.syscalls.push_back(std::move(r));
  }
  add_architecture_calls(&s);
  for (const Conditional& c : kConditional) {
    bool held = capabilities.count(std::string(c.capability)) != 0 ||
                capabilities.count(std::string(c.or_capability)) != 0;
    s.syscalls.push_back(held ? rule(words(c.names), "SCMP_ACT_ALLOW")
                              : rule(words(c.names), "SCMP_ACT_ERRNO", EPERM));
  }
  add_clones(capabilities.count("CAP_SYS_ADMIN") != 0, &s);
  add_sockets(capabilities.count("CAP_AUDIT_WRITE") != 0, &s);
  return s;
}

}  // namespace minke::runtime
