// What the runtime specification demands beyond types, and the tables of names it uses.
#include "oci/spec.h"

#include <sys/resource.h>

#include <algorithm>
#include <set>

#include "base/str.h"

namespace minke::oci {
namespace {

constexpr std::string_view kCapabilities[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};
static_assert(std::size(kCapabilities) == kCapabilityCount);

struct RlimitRow {
  std::string_view name;
  int number;
};
constexpr RlimitRow kRlimits[] = {
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

constexpr std::string_view kNamespaces[] = {"pid", "network", "mount",  "ipc",
                                            "uts", "user",    "cgroup", "time"};
constexpr std::string_view kPropagations[] = {"private", "rprivate", "slave",      "rslave",
                                              "shared",  "rshared",  "unbindable", "runbindable"};
constexpr std::string_view kSeccompActions[] = {
    "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",  "SCMP_ACT_ERRNO",        "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",          "SCMP_ACT_NOTIFY"};
constexpr std::string_view kSeccompOperators[] = {"SCMP_CMP_NE",       "SCMP_CMP_LT", "SCMP_CMP_LE",
                                                  "SCMP_CMP_EQ",       "SCMP_CMP_GE", "SCMP_CMP_GT",
                                                  "SCMP_CMP_MASKED_EQ"};
constexpr std::string_view kSeccompArches[] = {
    "SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",         "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",        "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",     "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB"};
constexpr std::string_view kSeccompFlags[] = {
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
constexpr std::string_view kSchedulers[] = {"SCHED_OTHER",   "SCHED_BATCH", "SCHED_IDLE",
                                            "SCHED_FIFO",    "SCHED_RR",    "SCHED_ISO",
                                            "SCHED_DEADLINE"};
constexpr std::string_view kSchedulerFlags[] = {
    "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM",     "SCHED_FLAG_DL_OVERRUN",
    "SCHED_FLAG_KEEP_POLICY",   "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN",
    "SCHED_FLAG_UTIL_CLAMP_MAX"};
constexpr std::string_view kIoClasses[] = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
                                           "IOPRIO_CLASS_IDLE"};
constexpr std::string_view kPersonalities[] = {"LINUX", "LINUX32"};

// The kernel keeps (uid_t)-1 for "no change".
constexpr std::uint32_t kNoId = 0xffffffff;

template <std::size_t N>
bool known(const std::string_view (&table)[N], std::string_view name) {
  return std::find(std::begin(table), std::end(table), name) != std::end(table);
}

Error fault(std::string_view path, std::string_view what) {
  return Error(Errc::invalid_argument, concat(path, ": ", what));
}

template <std::size_t N>
Status check_name(const std::string_view (&table)[N], std::string_view name, std::string_view path,
                  std::string_view kind) {
  if (known(table, name)) return {};
  return fault(path, concat("unknown ", kind, " ", quote(name)));
}

// Text that goes to the kernel as a C string.
Status check_text(std::string_view text, std::string_view path) {
  if (text.find('\0') != std::string_view::npos) return fault(path, "holds a zero byte");
  return {};
}

Status check_absolute(std::string_view text, std::string_view path) {
  TRY(check_text(text, path));
  if (text.empty() || text[0] != '/')
    return fault(path, concat("must be an absolute path, not ", quote(text)));
  return {};
}

std::string item(std::string_view list, std::size_t index, std::string_view member = "") {
  return member.empty() ? concat(list, "[", index, "]") : concat(list, "[", index, "].", member);
}

Status check_capability_list(const std::vector<std::string>& names, std::string_view path) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!capability_number(names[i]))
      return fault(item(path, i), concat("unknown capability ", quote(names[i])));
  return {};
}

// capset(2) refuses what is effective and not permitted.
Status check_effective(const Capabilities& c, std::string_view path) {
  for (std::size_t i = 0; i < c.effective.size(); ++i)
    if (std::none_of(c.permitted.begin(), c.permitted.end(), [&](const std::string& permitted) {
          return capability_number(permitted) == capability_number(c.effective[i]);
        }))
      return fault(item(path, i), concat(c.effective[i], " is not in permitted"));
  return {};
}

Status check_rlimits(const std::vector<Rlimit>& limits, std::string_view path) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const Rlimit& limit = limits[i];
    if (!rlimit_number(limit.type))
      return fault(item(path, i, "type"), concat("unknown limit ", quote(limit.type)));
    if (!seen.insert(limit.type).second)
      return fault(item(path, i, "type"), concat(limit.type, " is given twice"));
    if (limit.soft > limit.hard) return fault(item(path, i, "soft"), "is above the hard limit");
  }
  return {};
}

Status check_scheduler(const Scheduler& s, std::string_view path) {
  TRY(check_name(kSchedulers, s.policy, concat(path, ".policy"), "scheduling policy"));
  if (s.policy == "SCHED_ISO")
    return fault(concat(path, ".policy"), "SCHED_ISO is not implemented by Linux");
  for (std::size_t i = 0; i < s.flags.size(); ++i)
    TRY(check_name(kSchedulerFlags, s.flags[i], item(concat(path, ".flags"), i), "scheduler flag"));
  if (s.nice < -20 || s.nice > 19) return fault(concat(path, ".nice"), "must be -20 to 19");
  if (s.priority != 0 && s.policy != "SCHED_FIFO" && s.policy != "SCHED_RR")
    return fault(concat(path, ".priority"), "is for SCHED_FIFO and SCHED_RR only");
  if ((s.runtime != 0 || s.deadline != 0 || s.period != 0) && s.policy != "SCHED_DEADLINE")
    return fault(path, "runtime, deadline and period are for SCHED_DEADLINE only");
  return {};
}

Status check_hooks(const std::vector<Hook>& hooks, std::string_view path) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    TRY(check_absolute(hooks[i].path, item(path, i, "path")));
    if (hooks[i].timeout && *hooks[i].timeout <= 0)
      return fault(item(path, i, "timeout"), "must be greater than zero");
    for (const std::string& word : hooks[i].args) TRY(check_text(word, item(path, i, "args")));
    for (const std::string& word : hooks[i].env) TRY(check_text(word, item(path, i, "env")));
  }
  return {};
}

Status check_mappings(const std::vector<IdMapping>& mappings, std::string_view path) {
  // The kernel's own limit on lines of uid_map (Linux 4.15).
  if (mappings.size() > 340) return fault(path, "more than 340 mappings");
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const IdMapping& m = mappings[i];
    if (m.size == 0) return fault(item(path, i, "size"), "must be greater than zero");
    if (m.container_id > kNoId - m.size || m.host_id > kNoId - m.size)
      return fault(item(path, i), "reaches beyond the last id");
    for (std::size_t k = 0; k < i; ++k) {
      const IdMapping& o = mappings[k];
      auto overlap = [](std::uint32_t a, std::uint32_t n, std::uint32_t b, std::uint32_t k_size) {
        return a < b + k_size && b < a + n;
      };
      if (overlap(m.container_id, m.size, o.container_id, o.size))
        return fault(item(path, i, "containerID"), concat("overlaps ", item(path, k)));
      if (overlap(m.host_id, m.size, o.host_id, o.size))
        return fault(item(path, i, "hostID"), concat("overlaps ", item(path, k)));
    }
  }
  return {};
}

struct NamespaceSet {
  bool has(std::string_view type) const { return types.count(type) != 0; }
  bool is_new(std::string_view type) const {
    auto it = types.find(type);
    return it != types.end() && it->second->path.empty();
  }
  std::map<std::string_view, const Namespace*> types;
};

Result<NamespaceSet> check_namespaces(const std::vector<Namespace>& namespaces) {
  NamespaceSet set;
  constexpr std::string_view kPath = "linux.namespaces";
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    const Namespace& ns = namespaces[i];
    TRY(check_name(kNamespaces, ns.type, item(kPath, i, "type"), "namespace"));
    if (!set.types.emplace(ns.type, &ns).second)
      return fault(item(kPath, i, "type"), concat("namespace ", quote(ns.type), " is given twice"));
    if (!ns.path.empty()) TRY(check_absolute(ns.path, item(kPath, i, "path")));
  }
  return set;
}

// Only what belongs to a namespace of the container may be set: anything else would change the
// host.
Status check_sysctls(const StringMap& sysctls, const NamespaceSet& namespaces) {
  constexpr std::string_view kIpc[] = {
      "kernel/msgmax",      "kernel/msgmnb",      "kernel/msgmni",      "kernel/sem",
      "kernel/shmall",      "kernel/shmmax",      "kernel/shmmni",      "kernel/shm_rmid_forced",
      "kernel/msg_next_id", "kernel/sem_next_id", "kernel/shm_next_id", "kernel/auto_msgmni"};
  for (const auto& [name, value] : sysctls) {
    std::string path = concat("linux.sysctl.", name);
    TRY(check_text(name, path));
    TRY(check_text(value, path));
    // Both spellings are in use; a name with a slash may carry dots (net/ipv4/conf/eth0.1/...).
    std::string file = name;
    if (name.find('/') == std::string::npos) std::replace(file.begin(), file.end(), '.', '/');
    if (file.empty() || file.front() == '/' ||
        concat("/", file, "/").find("/../") != std::string::npos)
      return fault(path, "is not the name of a sysctl");
    auto needs = [&](std::string_view type) -> Status {
      if (namespaces.has(type)) return {};
      return fault(path, concat("needs a ", type, " namespace of the container's own"));
    };
    if (known(kIpc, file) || file.starts_with("fs/mqueue/")) {
      TRY(needs("ipc"));
    } else if (file.starts_with("net/")) {
      TRY(needs("network"));
    } else if (file == "kernel/domainname" || file == "kernel/hostname") {
      TRY(needs("uts"));
    } else if (file.starts_with("user/")) {
      TRY(needs("user"));
    } else {
      return fault(path, "is not bound to a namespace, so it would change the host");
    }
  }
  return {};
}

Status check_devices(const std::vector<Device>& devices) {
  constexpr std::string_view kPath = "linux.devices";
  for (std::size_t i = 0; i < devices.size(); ++i) {
    TRY(check_absolute(devices[i].path, item(kPath, i, "path")));
    if (devices[i].type.size() != 1 ||
        std::string_view("cbup").find(devices[i].type) == std::string_view::npos)
      return fault(item(kPath, i, "type"), concat("unknown device type ", quote(devices[i].type)));
    if (devices[i].type != "p" && (devices[i].major < 0 || devices[i].minor < 0))
      return fault(item(kPath, i), "negative device number");
  }
  return {};
}

Status check_resources(const Resources& r) {
  for (std::size_t i = 0; i < r.devices.size(); ++i) {
    const DeviceRule& rule = r.devices[i];
    std::string path = item("linux.resources.devices", i);
    if (!rule.type.empty() && rule.type != "a" && rule.type != "b" && rule.type != "c")
      return fault(concat(path, ".type"), concat("unknown device type ", quote(rule.type)));
    if (rule.access.find_first_not_of("rwm") != std::string::npos)
      return fault(concat(path, ".access"), concat("unknown access ", quote(rule.access)));
  }
  if (r.memory && r.memory->swappiness && *r.memory->swappiness > 200)
    return fault("linux.resources.memory.swappiness", "must be 0 to 200");
  for (const auto& [name, value] : r.unified) {
    std::string path = concat("linux.resources.unified.", name);
    TRY(check_text(value, path));
    if (name.empty() || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos || name == "." || name == "..")
      return fault(path, "is not the name of a cgroup file");
  }
  for (std::size_t i = 0; i < r.hugepage_limits.size(); ++i) {
    const std::string& size = r.hugepage_limits[i].page_size;
    if (size.size() < 3 || !size.ends_with("B") ||
        size.find_first_not_of("0123456789KMGB") != std::string::npos)
      return fault(item("linux.resources.hugepageLimits", i, "pageSize"),
                   concat("unknown page size ", quote(size)));
  }
  return {};
}

Status check_seccomp(const Seccomp& s) {
  constexpr std::string_view kPath = "linux.seccomp";
  TRY(check_name(kSeccompActions, s.default_action, concat(kPath, ".defaultAction"),
                 "seccomp action"));
  if (s.default_action == "SCMP_ACT_NOTIFY")
    return fault(concat(kPath, ".defaultAction"), "SCMP_ACT_NOTIFY cannot be the default");
  for (std::size_t i = 0; i < s.architectures.size(); ++i)
    TRY(check_name(kSeccompArches, s.architectures[i], item(concat(kPath, ".architectures"), i),
                   "architecture"));
  for (std::size_t i = 0; i < s.flags.size(); ++i)
    TRY(check_name(kSeccompFlags, s.flags[i], item(concat(kPath, ".flags"), i), "seccomp flag"));
  if (!s.listener_path.empty())
    TRY(check_absolute(s.listener_path, concat(kPath, ".listenerPath")));
  for (std::size_t i = 0; i < s.syscalls.size(); ++i) {
    const SeccompRule& rule = s.syscalls[i];
    std::string path = item(concat(kPath, ".syscalls"), i);
    if (rule.names.empty()) return fault(concat(path, ".names"), "is empty");
    TRY(check_name(kSeccompActions, rule.action, concat(path, ".action"), "seccomp action"));
    if (rule.action == "SCMP_ACT_NOTIFY" && s.listener_path.empty())
      return fault(concat(path, ".action"), "SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath");
    for (std::size_t k = 0; k < rule.args.size(); ++k) {
      TRY(check_name(kSeccompOperators, rule.args[k].op, item(concat(path, ".args"), k, "op"),
                     "operator"));
      if (rule.args[k].index > 5)
        return fault(item(concat(path, ".args"), k, "index"), "must be 0 to 5");
    }
  }
  return {};
}

Status check_linux(const Linux& l, const Spec& spec) {
  NamespaceSet namespaces = TRY(check_namespaces(l.namespaces));
  if (!namespaces.has("mount"))
    return fault("linux.namespaces",
                 "a mount namespace is needed: its root and mounts would change the host's");
  TRY(check_mappings(l.uid_mappings, "linux.uidMappings"));
  TRY(check_mappings(l.gid_mappings, "linux.gidMappings"));
  bool mapped = !l.uid_mappings.empty() || !l.gid_mappings.empty();
  // With a path the mappings only describe the namespace that is joined.
  if (mapped && !namespaces.has("user"))
    return fault("linux.uidMappings", "mappings need a user namespace");
  if (namespaces.is_new("user") && (l.uid_mappings.empty() || l.gid_mappings.empty()))
    return fault("linux.namespaces",
                 "a new user namespace needs linux.uidMappings and linux.gidMappings");
  if (!spec.hostname.empty() && !namespaces.has("uts"))
    return fault("hostname", "needs a uts namespace");
  if (!spec.domainname.empty() && !namespaces.has("uts"))
    return fault("domainname", "needs a uts namespace");
  if (!l.time_offsets.empty() && !namespaces.is_new("time"))
    return fault("linux.timeOffsets", "needs a new time namespace");
  for (const auto& [clock, offset] : l.time_offsets) {
    if (clock != "monotonic" && clock != "boottime")
      return fault(concat("linux.timeOffsets.", clock), "unknown clock");
    if (offset.nanosecs > 999'999'999)
      return fault(concat("linux.timeOffsets.", clock, ".nanosecs"), "must be below a second");
  }
  TRY(check_sysctls(l.sysctl, namespaces));
  TRY(check_devices(l.devices));
  if (l.resources) TRY(check_resources(*l.resources));
  if (l.seccomp) TRY(check_seccomp(*l.seccomp));
  if (!l.rootfs_propagation.empty())
    TRY(check_name(kPropagations, l.rootfs_propagation, "linux.rootfsPropagation", "propagation"));
  for (std::size_t i = 0; i < l.masked_paths.size(); ++i)
    TRY(check_absolute(l.masked_paths[i], item("linux.maskedPaths", i)));
  for (std::size_t i = 0; i < l.readonly_paths.size(); ++i)
    TRY(check_absolute(l.readonly_paths[i], item("linux.readonlyPaths", i)));
  if (l.personality) {
    TRY(check_name(kPersonalities, l.personality->domain, "linux.personality.domain",
                   "personality"));
    if (!l.personality->flags.empty())
      return fault("linux.personality.flags", "the specification defines no flags");
  }
  TRY(check_text(l.cgroups_path, "linux.cgroupsPath"));
  if (concat("/", l.cgroups_path, "/").find("/../") != std::string::npos)
    return fault("linux.cgroupsPath", "must not hold \"..\"");
  TRY(check_text(l.mount_label, "linux.mountLabel"));
  if (l.intel_rdt && !l.intel_rdt->clos_id.empty() &&
      (l.intel_rdt->clos_id == "." || l.intel_rdt->clos_id == ".." ||
       l.intel_rdt->clos_id.find('/') != std::string::npos))
    return fault("linux.intelRdt.closID", "is not a file name");
  return {};
}

}  // namespace

Status validate_process(const Process& p, std::string_view path) {
  auto at = [&](std::string_view member) { return concat(path, ".", member); };
  if (p.args.empty()) return fault(at("args"), "is empty: there is no program to run");
  if (p.args[0].empty()) return fault(at("args[0]"), "is empty: there is no program to run");
  for (std::size_t i = 0; i < p.args.size(); ++i) TRY(check_text(p.args[i], item(at("args"), i)));
  for (std::size_t i = 0; i < p.env.size(); ++i) {
    TRY(check_text(p.env[i], item(at("env"), i)));
    if (p.env[i].find('=') == std::string::npos || p.env[i][0] == '=')
      return fault(item(at("env"), i), concat("must be NAME=VALUE, not ", quote(p.env[i])));
  }
  TRY(check_absolute(p.cwd, at("cwd")));
  if (p.user.uid == kNoId) return fault(at("user.uid"), "4294967295 is not a user id");
  if (p.user.gid == kNoId) return fault(at("user.gid"), "4294967295 is not a group id");
  for (std::size_t i = 0; i < p.user.additional_gids.size(); ++i)
    if (p.user.additional_gids[i] == kNoId)
      return fault(item(at("user.additionalGids"), i), "4294967295 is not a group id");
  if (p.user.umask && *p.user.umask > 0777) return fault(at("user.umask"), "must be 0 to 0777");
  if (p.capabilities) {
    const Capabilities& c = *p.capabilities;
    TRY(check_capability_list(c.bounding, at("capabilities.bounding")));
    TRY(check_capability_list(c.effective, at("capabilities.effective")));
    TRY(check_capability_list(c.inheritable, at("capabilities.inheritable")));
    TRY(check_capability_list(c.permitted, at("capabilities.permitted")));
    TRY(check_capability_list(c.ambient, at("capabilities.ambient")));
    TRY(check_effective(c, at("capabilities.effective")));
  }
  TRY(check_rlimits(p.rlimits, at("rlimits")));
  if (p.oom_score_adj && (*p.oom_score_adj < -1000 || *p.oom_score_adj > 1000))
    return fault(at("oomScoreAdj"), "must be -1000 to 1000");
  if (p.scheduler) TRY(check_scheduler(*p.scheduler, at("scheduler")));
  if (p.io_priority) {
    TRY(check_name(kIoClasses, p.io_priority->io_class, at("ioPriority.class"),
                   "io priority class"));
    if (p.io_priority->priority < 0 || p.io_priority->priority > 7)
      return fault(at("ioPriority.priority"), "must be 0 to 7");
  }
  TRY(check_text(p.apparmor_profile, at("apparmorProfile")));
  TRY(check_text(p.selinux_label, at("selinuxLabel")));
  if (p.console_size && (p.console_size->height > 0xffff || p.console_size->width > 0xffff))
    return fault(at("consoleSize"), "must be below 65536");
  return {};
}

Status validate_spec(const Spec& spec) {
  if (spec.oci_version.empty()) return fault("ociVersion", "is missing");
  if (!spec.oci_version.starts_with("1."))
    return fault("ociVersion",
                 concat("version ", quote(spec.oci_version), " is not known, only 1.x is"));
  if (!spec.process) return fault("process", "is missing");
  TRY(validate_process(*spec.process, "process"));
  if (!spec.root) return fault("root", "is missing");
  if (spec.root->path.empty()) return fault("root.path", "is empty");
  TRY(check_text(spec.root->path, "root.path"));
  TRY(check_text(spec.hostname, "hostname"));
  TRY(check_text(spec.domainname, "domainname"));
  if (spec.hostname.size() > 64) return fault("hostname", "is longer than 64 characters");
  if (spec.domainname.size() > 64) return fault("domainname", "is longer than 64 characters");
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    const Mount& m = spec.mounts[i];
    TRY(check_absolute(m.destination, item("mounts", i, "destination")));
    TRY(check_text(m.source, item("mounts", i, "source")));
    TRY(check_text(m.type, item("mounts", i, "type")));
    for (std::size_t k = 0; k < m.options.size(); ++k)
      TRY(check_text(m.options[k], item(item("mounts", i, "options"), k)));
    TRY(check_mappings(m.uid_mappings, item("mounts", i, "uidMappings")));
    TRY(check_mappings(m.gid_mappings, item("mounts", i, "gidMappings")));
    if (m.uid_mappings.empty() != m.gid_mappings.empty())
      return fault(item("mounts", i), "uidMappings and gidMappings must be given together");
  }
  if (spec.hooks) {
    TRY(check_hooks(spec.hooks->prestart, "hooks.prestart"));
    TRY(check_hooks(spec.hooks->create_runtime, "hooks.createRuntime"));
    TRY(check_hooks(spec.hooks->create_container, "hooks.createContainer"));
    TRY(check_hooks(spec.hooks->start_container, "hooks.startContainer"));
    TRY(check_hooks(spec.hooks->poststart, "hooks.poststart"));
    TRY(check_hooks(spec.hooks->poststop, "hooks.poststop"));
  }
  if (!spec.linux_) return fault("linux", "is missing");
  return check_linux(*spec.linux_, spec);
}

Result<Spec> parse_spec(std::string_view config_json) {
  Spec spec = TRY(json::parse_struct<Spec>(config_json));
  TRY(validate_spec(spec));
  return spec;
}

Result<Process> parse_process(std::string_view process_json) {
  Process process = TRY(json::parse_struct<Process>(process_json));
  TRY(validate_process(process, "process"));
  return process;
}

std::optional<int> capability_number(std::string_view name) {
  for (int i = 0; i < kCapabilityCount; ++i)
    if (kCapabilities[i] == name) return i;
  return std::nullopt;
}

std::optional<std::string_view> capability_name(int number) {
  if (number < 0 || number >= kCapabilityCount) return std::nullopt;
  return kCapabilities[number];
}

std::optional<int> rlimit_number(std::string_view name) {
  for (const RlimitRow& row : kRlimits)
    if (row.name == name) return row.number;
  return std::nullopt;
}

}  // namespace minke::oci
