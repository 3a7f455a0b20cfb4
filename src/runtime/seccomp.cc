#include "runtime/seccomp.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "base/str.h"
#include "runtime/container.h"
#include "sys/fd.h"
#include "sys/socket.h"

namespace minke::runtime {
namespace {

struct Named {
  std::string_view name;
  std::uint32_t value;
};
constexpr Named kArches[] = {
    {"SCMP_ARCH_X86", SCMP_ARCH_X86},         {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32},         {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64}, {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
    {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},   {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
    {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},   {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
    {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32}, {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
    {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},     {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
    {"SCMP_ARCH_S390", SCMP_ARCH_S390},       {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
    {"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC},   {"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64},
    {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
};
constexpr Named kOperators[] = {
    {"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
    {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT},
    {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
constexpr Named kFlags[] = {
    {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
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
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return std::uint32_t{SCMP_ACT_KILL_THREAD};
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

Error seccomp_error(int err, std::string_view what) { return Error::from_errno(-err, concat("seccomp: ", what)); }

Status add_rule(void* context, const oci::SeccompRule& rule, std::uint32_t action) {
  for (const std::string& name : rule.names) {
    int number = seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    std::vector<scmp_arg_cmp> args;
    // Several conditions on one argument cannot stand in one rule; they are alternatives then, as runc and crun
    // read them.
    unsigned seen = 0;
    bool alternatives = false;
    for (const oci::SeccompArg& arg : rule.args) {
      alternatives |= (seen & (1U << arg.index)) != 0;
      seen |= 1U << arg.index;
      args.push_back({arg.index, static_cast<scmp_compare>(find(kOperators, arg.op)->value), arg.value, arg.value_two});
    }
    int err = 0;
    if (alternatives) {
      for (const scmp_arg_cmp& arg : args)
        if (err == 0) err = seccomp_rule_add_array(context, action, number, 1, &arg);
    } else {
      err = seccomp_rule_add_array(context, action, number, static_cast<unsigned>(args.size()), args.data());
    }
    // Not a call of one of the architectures.
    if (err != 0 && err != -EFAULT && err != -EDOM) return seccomp_error(err, concat("rule for ", name));
  }
  return {};
}

}  // namespace

Result<SeccompProgram> compile_seccomp(const oci::Seccomp& profile) {
  std::uint32_t default_action = TRY(action_of(profile.default_action, profile.default_errno_ret));
  Context context(seccomp_init(default_action));
  if (!context) return Error(Errc::internal, "seccomp: no context");
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // binary tree: fewer comparisons a call
  for (const std::string& name : profile.architectures) {
    const Named* arch = find(kArches, name);
    if (arch == nullptr) return Error(Errc::unsupported, concat("linux.seccomp.architectures: ", name));
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
  for (const std::string& flag : profile.flags) program.flags |= find(kFlags, flag)->value;
  if (program.listener) program.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // TSYNC has nothing to do in a process with one thread, and excludes the listener.
  program.flags &= ~static_cast<std::uint32_t>(SECCOMP_FILTER_FLAG_TSYNC);
  sys::UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return Error::from_errno(errno, "memfd_create");
  if (int err = seccomp_export_bpf(context.get(), file.get()); err != 0) return seccomp_error(err, "export");
  if (::lseek(file.get(), 0, SEEK_SET) < 0) return Error::from_errno(errno, "lseek");
  std::string bytes = TRY(sys::read_all(file.get(), 1 << 20, "seccomp program"));
  if (bytes.empty() || bytes.size() % 8 != 0 || bytes.size() / 8 > 4096)
    return Error(Errc::unsupported, concat("seccomp: a program of ", bytes.size() / 8, " instructions, 4096 at most"));
  program.code.resize(bytes.size() / 8);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(program.code.data()));
  return program;
}

Result<SeccompProgram> load_seccomp_program(const oci::Seccomp& profile) { return compile_seccomp(profile); }

}  // namespace minke::runtime
