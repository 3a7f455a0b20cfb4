// Seccomp profiles from a file: Docker's form with conditions is brought into the runtime
// specification's.
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>

#include "base/str.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

struct Arch {
  std::string_view machine, seccomp, go;  // of uname, of libseccomp, of a profile's condition
};
constexpr Arch kArches[] = {
    {"x86_64", "SCMP_ARCH_X86_64", "amd64"},
    {"i686", "SCMP_ARCH_X86", "x86"},
    {"aarch64", "SCMP_ARCH_AARCH64", "arm64"},
    {"armv7l", "SCMP_ARCH_ARM", "arm"},
    {"ppc64le", "SCMP_ARCH_PPC64LE", "ppc64le"},
    {"s390x", "SCMP_ARCH_S390X", "s390x"},
    {"riscv64", "SCMP_ARCH_RISCV64", "riscv64"},
    {"loongarch64", "SCMP_ARCH_LOONGARCH64", "loong64"},
};

struct Machine {
  std::string_view seccomp, go;
  int major = 0, minor = 0;
};

Machine this_machine() {
  Machine machine;
  utsname name{};
  ::uname(&name);
  for (const Arch& arch : kArches)
    if (arch.machine == name.machine) machine = {arch.seccomp, arch.go, 0, 0};
  if (std::sscanf(name.release, "%d.%d", &machine.major, &machine.minor) != 2)
    machine.major = machine.minor = 0;
  return machine;
}

struct Condition {
  std::vector<std::string> caps, arches;
  std::string min_kernel;
};
void bind(json::Binder& b, Condition& c) {
  b("caps", c.caps);
  b("arches", c.arches);
  b("minKernel", c.min_kernel);
}
struct ProfileArg : oci::SeccompArg {};
void bind(json::Binder& b, ProfileArg& a) {
  b("index", a.index);
  b("value", a.value);
  b("valueTwo", a.value_two);
  b("op", a.op);
}
struct ProfileRule {
  oci::SeccompRule rule;
  std::vector<ProfileArg> args;
  std::string name;
  Condition includes, excludes;
};
void bind(json::Binder& b, ProfileRule& r) {
  b("names", r.rule.names);
  b("name", r.name);
  b("action", r.rule.action);
  b("errnoRet", r.rule.errno_ret);
  b("args", r.args);
  b("includes", r.includes);
  b("excludes", r.excludes);
}
struct ArchMapLine {
  std::string architecture;
  std::vector<std::string> sub_architectures;
};
void bind(json::Binder& b, ArchMapLine& a) {
  b("architecture", a.architecture);
  b("subArchitectures", a.sub_architectures);
}
struct Profile {
  oci::Seccomp seccomp;
  std::vector<ArchMapLine> arch_map;
  std::vector<ProfileRule> rules;
};
void bind(json::Binder& b, Profile& p) {
  b("defaultAction", p.seccomp.default_action);
  b("defaultErrnoRet", p.seccomp.default_errno_ret);
  b("architectures", p.seccomp.architectures);
  b("flags", p.seccomp.flags);
  b("listenerPath", p.seccomp.listener_path);
  b("listenerMetadata", p.seccomp.listener_metadata);
  b("archMap", p.arch_map);
  b("syscalls", p.rules);
}

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool kernel_is_at_least(const Machine& machine, const std::string& version) {
  int major = 0, minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) < 1) return false;
  return machine.major > major || (machine.major == major && machine.minor >= minor);
}

bool matches_arch(const std::vector<std::string>& arches, const Machine& machine) {
  return has(arches, machine.go) || has(arches, machine.seccomp);
}

// A rule holds when every "includes" is met and no "excludes" is.
bool applies(const ProfileRule& rule, const Machine& machine,
             const std::vector<std::string>& capabilities) {
  const Condition& in = rule.includes;
  if (!in.arches.empty() && !matches_arch(in.arches, machine)) return false;
  for (const std::string& cap : in.caps)
    if (!has(capabilities, cap)) return false;
  if (!in.min_kernel.empty() && !kernel_is_at_least(machine, in.min_kernel)) return false;
  const Condition& out = rule.excludes;
  if (!out.arches.empty() && matches_arch(out.arches, machine)) return false;
  for (const std::string& cap : out.caps)
    if (has(capabilities, cap)) return false;
  return out.min_kernel.empty() || !kernel_is_at_least(machine, out.min_kernel);
}

}  // namespace

Result<oci::Seccomp> parse_seccomp_profile(std::string_view text,
                                           const std::vector<std::string>& capabilities) {
  Profile profile = TRY(json::parse_struct<Profile>(text, {.max_depth = 16, .max_size = 4 << 20}));
  if (profile.seccomp.default_action.empty())
    return Error(Errc::invalid_argument, "defaultAction: missing");
  if (!profile.arch_map.empty() && !profile.seccomp.architectures.empty())
    return Error(Errc::invalid_argument,
                 "'architectures' and 'archMap' were specified in the seccomp profile, use either "
                 "'architectures' or 'archMap'");
  const Machine machine = this_machine();
  for (const ArchMapLine& line : profile.arch_map) {
    if (line.architecture != machine.seccomp) continue;
    profile.seccomp.architectures.push_back(line.architecture);
    for (const std::string& sub : line.sub_architectures)
      profile.seccomp.architectures.push_back(sub);
  }
  for (ProfileRule& rule : profile.rules) {
    if (!rule.name.empty() && !rule.rule.names.empty())
      return Error(
          Errc::invalid_argument,
          "'name' and 'names' were specified in the seccomp profile, use either 'name' or 'names'");
    if (!rule.name.empty()) rule.rule.names = {rule.name};
    rule.rule.args.assign(rule.args.begin(), rule.args.end());
    if (applies(rule, machine, capabilities))
      profile.seccomp.syscalls.push_back(std::move(rule.rule));
  }
  return std::move(profile.seccomp);
}

Result<oci::Seccomp> load_seccomp_profile(const std::string& path,
                                          const std::vector<std::string>& capabilities) {
  auto text = sys::read_small_file(path, 4 << 20);
  if (!text)
    return Error(text.error().code(),
                 concat("opening seccomp profile failed: open ", path, ": ",
                        go_reason(text.error().sys() != 0 ? text.error().sys() : EIO)));
  return TRY_CTX(
      parse_seccomp_profile(*text, capabilities),
      concat("loading seccomp profile (", path, ") failed: decoding seccomp profile failed"));
}

}  // namespace minke::engine
