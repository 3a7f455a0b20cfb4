#include "sys/syscall_filter.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <vector>

namespace minke::sys {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArch = 0;
#endif

}  // namespace

Status install_syscall_filter(NumberList allowed, FilterScope scope) {
  if (kArch == 0) return {};
  std::vector<sock_filter> code;
  auto load = [&](std::size_t offset) {
    code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  };
  auto give = [&](std::uint32_t action) { code.push_back(BPF_STMT(BPF_RET | BPF_K, action)); };
  auto if_equal = [&](std::uint32_t value, std::uint32_t action) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    give(action);
  };
  load(offsetof(seccomp_data, arch));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArch, 1, 0));
  give(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(seccomp_data, nr));
  for (std::size_t i = 0; i < allowed.count; ++i)
    if_equal(static_cast<std::uint32_t>(allowed.numbers[i]), SECCOMP_RET_ALLOW);
  // clone3 hides its flags behind a pointer; the C library then falls back to clone, which may make
  // threads only.
  if_equal(SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
  if (scope == FilterScope::new_threads) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
    load(offsetof(seccomp_data, args[0]));
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
    give(SECCOMP_RET_ALLOW);
  }
  give(SECCOMP_RET_ERRNO | EPERM);
  sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  unsigned flags = scope == FilterScope::all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
  long rc = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (rc < 0) return Error::from_errno(errno, "seccomp");
  if (rc > 0) return Error(Errc::internal, "seccomp: a thread could not take the filter");
  return {};
}

Status keep_capabilities(NumberList capabilities) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) < 0) return Error::from_errno(errno, "capget");
  std::uint32_t keep = 0;
  for (std::size_t i = 0; i < capabilities.count; ++i) keep |= 1U << capabilities.numbers[i];
  keep &= data[0].permitted;
  data[0] = {keep, keep, 0};
  data[1] = {};
  if (::syscall(SYS_capset, &header, data) < 0) return Error::from_errno(errno, "capset");
  return {};
}

}  // namespace minke::sys
