// spec: a config.json to begin with. features: what this runtime can do (features.md).
#include <linux/seccomp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "main/runtime_cli.h"
#include "runtime/mount_options.h"

namespace minke::runtime_cli {
namespace {

oci::Mount mount(std::string destination, std::string type, std::string source,
                 std::vector<std::string> options) {
  oci::Mount m;
  m.destination = std::move(destination);
  m.type = std::move(type);
  m.source = std::move(source);
  m.options = std::move(options);
  return m;
}

oci::Spec example(bool rootless) {
  oci::Spec s;
  s.oci_version = "1.2.0";
  oci::Process& p = s.process.emplace();
  p.terminal = true;
  p.args = {"sh"};
  p.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
  p.cwd = "/";
  p.no_new_privileges = true;
  oci::Capabilities& c = p.capabilities.emplace();
  c.bounding = c.effective = c.permitted = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  p.rlimits.push_back({"RLIMIT_NOFILE", 1024, 1024});
  s.root = oci::Root{"rootfs", true};
  s.hostname = "minke";
  s.mounts = {
      mount("/proc", "proc", "proc", {}),
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}),
      mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
  };
  if (rootless)
    s.mounts.push_back(mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}));
  else {
    s.mounts[2].options.emplace_back("gid=5");
    s.mounts.push_back(mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
    s.mounts.push_back(mount("/sys/fs/cgroup", "cgroup", "cgroup",
                             {"nosuid", "noexec", "nodev", "relatime", "ro"}));
  }
  oci::Linux& l = s.linux_.emplace();
  for (const char* type : {"pid", "ipc", "uts", "mount", "cgroup"})
    l.namespaces.push_back({type, ""});
  if (rootless) {
    l.namespaces.push_back({"user", ""});
    l.uid_mappings.push_back({0, ::geteuid(), 1});
    l.gid_mappings.push_back({0, ::getegid(), 1});
  } else {
    l.namespaces.push_back({"network", ""});
    oci::DeviceRule deny;
    deny.access = "rwm";
    l.resources.emplace().devices.push_back(deny);
  }
  l.masked_paths = {"/proc/acpi",        "/proc/asound",        "/proc/kcore",
                    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
                    "/proc/timer_stats", "/proc/sched_debug",   "/sys/firmware",
                    "/proc/scsi"};
  l.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  return s;
}

json::Value strings(std::vector<std::string> list) {
  json::Array out;
  for (std::string& s : list) out.push_back(json::Value(std::move(s)));
  return json::Value(std::move(out));
}
json::Value object(std::vector<std::pair<std::string, json::Value>> members) {
  json::Object o;
  for (auto& [name, value] : members) o.set(name, std::move(value));
  return json::Value(std::move(o));
}

}  // namespace

Result<int> run_spec(const Global&, const Arguments& a) {
  std::string path = concat(a.get("bundle", "."), "/config.json");
  sys::UniqueFd file = TRY(sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0666));
  TRY(sys::write_all(file.get(), json::dump_struct(example(a.has("rootless")), 4) + "\n", path));
  return 0;
}

Result<int> run_features(const Global&, const Arguments&) {
  std::vector<std::string> capabilities;
  for (int i = 0; i < oci::kCapabilityCount; ++i)
    capabilities.emplace_back(*oci::capability_name(i));
  json::Value enabled = object({{"enabled", true}});
  json::Value linux_value = object({
      {"namespaces", strings({"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"})},
      {"capabilities", strings(std::move(capabilities))},
      {"cgroup",
       object(
           {{"v1", true}, {"v2", true}, {"systemd", true}, {"systemdUser", true}, {"rdma", true}})},
      {"seccomp",
       object(
           {{"enabled", true},
            {"actions", strings({"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",
                                 "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
                                 "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"})},
            {"operators", strings({"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE",
                                   "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"})},
            {"archs",
             strings({"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64",
                      "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
                      "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64",
                      "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
                      "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64"})},
            {"knownFlags",
             strings({"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                      "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"})},
            {"supportedFlags",
             strings({"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                      "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"})}})},
      {"apparmor", enabled},
      {"selinux", enabled},
      {"intelRdt", object({{"enabled", true}})},
      {"mountExtensions", object({{"idmap", enabled}})},
  });
  json::Value features = object({
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", "1.2.0"},
      {"hooks", strings({"prestart", "createRuntime", "createContainer", "startContainer",
                         "poststart", "poststop"})},
      {"mountOptions", strings(runtime::known_mount_options())},
      {"linux", std::move(linux_value)},
      {"potentiallyUnsafeConfigAnnotations", strings({})},
  });
  ::printf("%s\n", json::dump(features, 4).c_str());
  return 0;
}

}  // namespace minke::runtime_cli
