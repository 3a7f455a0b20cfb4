// Profiles compiled by libseccomp.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

#include "base/str.h"
#include "runtime/seccomp.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

struct Named {
  std::string_view name;
  std::uint32_t value;
};
constexpr Named kArches[] = {
    {"SCMP_ARCH_X86", SCMP_ARCH_X86},
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32},
    {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
    {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
    {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
    {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
    {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
    {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
    {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
    {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
    {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
    {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
    {"SCMP_ARCH_S390", SCMP_ARCH_S390},
    {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
    {"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC},
    {"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64},
    {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
};
constexpr Named kOperators[] = {{"SCMP_CMP_NE", SCMP_CMP_NE},
                                {"SCMP_CMP_LT", SCMP_CMP_LT},
                                {"SCMP_CMP_LE", SCMP_CMP_LE},
                                {"SCMP_CMP_EQ", SCMP_CMP_EQ},
                                {"SCMP_CMP_GE", SCMP_CMP_GE},
                                {"SCMP_CMP_GT", SCMP_CMP_GT},
                                {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
constexpr Named kFlags[] = {{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
                            {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
                            {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
                            {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1U << 5}};

template <std::size_t N>
const Named* find(const Named (&table)[N], std::string_view name) {
  for (const Named& row : table)
    if (row.name == name) return &row;
  return nullptr;
}

Result<std::uint32_t> action_of(std::string_view name, std::optional<std::uint32_t> value) {
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD")
    return std::uint32_t{SCMP_ACT_KILL_THREAD};
  if (name == "SCMP_ACT_KILL_PROCESS") return std::uint32_t{SCMP_ACT_KILL_PROCESS};
  if (name == "SCMP_ACT_TRAP") return std::uint32_t{SCMP_ACT_TRAP};
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(value.value_or(EPERM));
  if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(value.value_or(EPERM));
  if (name == "SCMP_ACT_ALLOW") return std::uint32_t{SCMP_ACT_ALLOW};
  if (name == "SCMP_ACT_LOG") return std::uint32_t{SCMP_ACT_LOG};
  if (name == "SCMP_ACT_NOTIFY") return std::uint32_t{SCMP_ACT_NOTIFY};
  return Error(Errc::invalid_argument, concat("linux.seccomp: unknown action ", quote(name)));
}

struct ContextCloser {
  void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, ContextCloser>;

Error seccomp_error(int err, std::string_view what) {
  return Error::from_errno(-err, concat("seccomp: ", what));
}

Status add_rule(void* context, const oci::SeccompRule& rule, std::uint32_t action) {
  for (const std::string& name : rule.names) {
    int number = seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    std::vector<scmp_arg_cmp> args;
    // Several conditions on one argument cannot stand in one rule; they are alternatives then, as
    // runc and crun read them.
    unsigned seen = 0;
    bool alternatives = false;
    for (const oci::SeccompArg& arg : rule.args) {
      alternatives |= (seen & (1U << arg.index)) != 0;
      seen |= 1U << arg.index;
      args.push_back({arg.index, static_cast<scmp_compare>(find(kOperators, arg.op)->value),
                      arg.value, arg.value_two});
    }
    int err = 0;
    if (alternatives) {
      for (const scmp_arg_cmp& arg : args)
        if (err == 0) err = seccomp_rule_add_array(context, action, number, 1, &arg);
    } else {
      err = seccomp_rule_add_array(context, action, number, static_cast<unsigned>(args.size()),
                                   args.data());
    }
    // Not a call of one of the architectures.
    if (err != 0 && err != -EFAULT && err != -EDOM)
      return seccomp_error(err, concat("rule for ", name));
  }
  return {};
}

std::uint64_t instruction(unsigned code, unsigned jump_true, unsigned jump_false, std::uint32_t k) {
  sock_filter f{static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(jump_true),
                static_cast<std::uint8_t>(jump_false), k};
  std::uint64_t out;
  static_assert(sizeof f == sizeof out);
  std::memcpy(&out, &f, sizeof f);
  return out;
}

// A profile that looks at the arguments of socket(2) can be gone around on 32-bit x86 by
// socketcall(2), whose arguments lie in memory where no filter sees them (CVE-2026-123876).
// Instructions in front of the profile's own answer ENOSYS to that one call; C libraries then use
// socket(2), which Linux has there since 4.3.
std::vector<std::uint64_t> socketcall_guard(const oci::Seccomp& profile) {
#if defined(__x86_64__) || defined(__i386__)
  bool looks = false;
  for (const oci::SeccompRule& rule : profile.syscalls)
    looks |= !rule.args.empty() &&
             std::find(rule.names.begin(), rule.names.end(), "socket") != rule.names.end();
  if (!looks) return {};
  constexpr std::uint32_t kArchI386 = 0x40000003, kSocketcall = 102, kSysSocket = 1;
  return {
      instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, arch)),
      instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, kArchI386),
      instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)),
      instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, kSocketcall),
      instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args)),
      instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, kSysSocket),
      instruction(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS),
  };
#else
  (void)profile;
  return {};
#endif
}

}  // namespace

Result<SeccompProgram> compile_seccomp(const oci::Seccomp& profile) {
  std::uint32_t default_action = TRY(action_of(profile.default_action, profile.default_errno_ret));
  Context context(seccomp_init(default_action));
  if (!context) return Error(Errc::internal, "seccomp: no context");
  for (const std::string& name : profile.architectures) {
    const Named* arch = find(kArches, name);
    if (arch == nullptr)
      return Error(Errc::unsupported, concat("linux.seccomp.architectures: ", name));
    int err = seccomp_arch_add(context.get(), arch->value);
    if (err != 0 && err != -EEXIST) return seccomp_error(err, concat("architecture ", name));
  }
  SeccompProgram program;
  for (const oci::SeccompRule& rule : profile.syscalls) {
    std::uint32_t action = TRY(action_of(rule.action, rule.errno_ret));
    if (action == default_action) continue;  // libseccomp refuses rules that say nothing
    if (action == SCMP_ACT_NOTIFY) program.listener = true;
    TRY(add_rule(context.get(), rule, action));
  }
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE,
                   2);  // binary tree: fewer comparisons a call
  for (const std::string& flag : profile.flags) program.flags |= find(kFlags, flag)->value;
  if (program.listener) program.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // TSYNC has nothing to do in a process with one thread, and excludes the listener.
  program.flags &= ~static_cast<std::uint32_t>(SECCOMP_FILTER_FLAG_TSYNC);
  sys::UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return Error::from_errno(errno, "memfd_create");
  if (int err = seccomp_export_bpf(context.get(), file.get()); err != 0)
    return seccomp_error(err, "export");
  if (::lseek(file.get(), 0, SEEK_SET) < 0) return Error::from_errno(errno, "lseek");
  std::string bytes = TRY(sys::read_all(file.get(), 1 << 20, "seccomp program"));
  if (bytes.empty() || bytes.size() % 8 != 0 || bytes.size() / 8 > 4096)
    return Error(Errc::unsupported,
                 concat("seccomp: a program of ", bytes.size() / 8, " instructions, 4096 at most"));
  std::vector<std::uint64_t> prologue = socketcall_guard(profile);
  program.code.resize(prologue.size() + bytes.size() / 8);
  std::copy(prologue.begin(), prologue.end(), program.code.begin());
  std::memcpy(program.code.data() + prologue.size(), bytes.data(), bytes.size());
  return program;
}

}  // namespace minke::runtime
