#include "view/info.h"

#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmath>

#include "base/str.h"
#include "engine/network_facts.h"
#include "engine/specgen_internal.h"
#include "sys/fd.h"
#include "view/json_make.h"

namespace minke::view {
namespace {

using gotemplate::FieldKind;

// Podman's templates name Go's fields, the members of its JSON differ in case: either is found.
constexpr gotemplate::FieldShape kFields[] = {
    {"store.graphOptions", FieldKind::map},
    {"store.graphStatus", FieldKind::map},
    {"registries", FieldKind::map},
};

std::string read_text(const std::string& path) {
  auto text = sys::read_small_file(path, 1 << 20);
  return text ? std::move(*text) : std::string();
}

// The value behind "Key:" in lines like "MemFree:   123 kB".
std::string_view line_value(std::string_view text, std::string_view key, char separator) {
  for (std::string_view line : split(text, '\n'))
    if (auto pair = split_once(line, separator); pair && trim(pair->first) == key) {
      std::string_view value = trim(pair->second);
      if (value.size() > 1 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
      return value;
    }
  return {};
}

std::int64_t memory_bytes(std::string_view meminfo, std::string_view key) {
  std::string_view value = line_value(meminfo, key, ':');
  auto kib = parse_int(value.substr(0, value.find(' ')));
  return kib ? *kib * 1024 : 0;
}

json::Object distribution() {
  std::string text = read_text("/etc/os-release");
  if (text.empty()) text = read_text("/usr/lib/os-release");
  json::Object out;
  std::string_view id = line_value(text, "ID", '=');
  out.set("distribution", id.empty() ? std::string_view("unknown") : id);
  for (auto [member, key] : {std::pair{"version", "VERSION_ID"},
                             {"codename", "VERSION_CODENAME"},
                             {"variant", "VARIANT_ID"}})
    if (std::string_view value = line_value(text, key, '='); !value.empty()) out.set(member, value);
  return out;
}

double two_digits(double value) { return static_cast<double>(std::llround(value * 100)) / 100; }

// Shares of all time since boot, in per cent.
json::Object cpu_utilization() {
  std::string text = read_text("/proc/stat");
  std::vector<double> numbers;
  for (std::string_view word : split(std::string_view(text).substr(0, text.find('\n')), ' '))
    if (auto number = parse_double(word)) numbers.push_back(*number);
  double total = 0;
  for (double number : numbers) total += number;
  json::Object out;
  if (numbers.size() < 4 || total <= 0) return out;
  out.set("userPercent", two_digits((numbers[0] + numbers[1]) / total * 100));
  out.set("systemPercent", two_digits(numbers[2] / total * 100));
  out.set("idlePercent", two_digits(numbers[3] / total * 100));
  return out;
}

bool is_cgroup_v2() {
  constexpr long kCgroup2Magic = 0x63677270;
  struct statfs fs = {};
  return ::statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == kCgroup2Magic;
}

// What can be limited: of the root, or rootless of the user's own part of the tree.
json::Array cgroup_controllers(const engine::Host& host) {
  std::vector<std::string> names;
  if (is_cgroup_v2()) {
    std::string base = "/sys/fs/cgroup";
    if (host.rootless) {
      std::string own = read_text("/proc/self/cgroup");
      if (std::size_t slash = own.find('/'); slash != std::string::npos)
        base += trim(std::string_view(own).substr(slash));
    }
    std::string known = read_text(base + "/cgroup.controllers");
    for (std::string_view name : split(trim(known), ' '))
      if (!name.empty()) names.emplace_back(name);
  } else if (!host.rootless) {
    std::string known = read_text("/proc/cgroups");
    for (std::string_view line : split(known, '\n')) {
      std::vector<std::string_view> cells = split(line, '\t');
      if (cells.size() >= 4 && !line.starts_with('#') && cells[3] == "1" && cells[1] != "0")
        names.emplace_back(cells[0]);
    }
  }
  return to_array(names);
}

std::string uptime_text() {
  std::string text = read_text("/proc/uptime");
  auto seconds = parse_double(std::string_view(text).substr(0, text.find(' ')));
  if (!seconds) return {};
  auto whole = static_cast<std::int64_t>(*seconds);
  std::int64_t hours = whole / 3600;
  std::string out =
      format("%lldh %lldm %.2fs", static_cast<long long>(hours),
             static_cast<long long>(whole / 60 % 60), static_cast<double>(whole % 60));
  if (whole >= 24 * 3600)
    out += format(" (Approximately %.2f days)", static_cast<double>(hours) / 24);
  return out;
}

json::Value id_map(const std::vector<oci::IdMapping>& map) {
  json::Array out;
  for (const oci::IdMapping& range : map) {
    json::Object entry;
    entry.set("container_id", range.container_id);
    entry.set("host_id", range.host_id);
    entry.set("size", range.size);
    out.emplace_back(std::move(entry));
  }
  return out;
}

json::Object security(const engine::Host& host) {
  auto usual = engine::bounding_capabilities({});
  json::Object out;
  out.set("apparmorEnabled", read_text("/sys/module/apparmor/parameters/enabled").starts_with('Y'));
  out.set("capabilities", usual ? join(*usual, ",") : std::string());
  out.set("rootless", host.rootless);
  std::string own = read_text("/proc/self/status");
  out.set("seccompEnabled", !line_value(own, "Seccomp", ':').empty());
  out.set("seccompProfilePath", "");
  out.set("selinuxEnabled", sys::exists("/sys/fs/selinux/enforce"));
  return out;
}

const char* manager_name(runtime::CgroupManager manager) {
  return manager == runtime::CgroupManager::systemd ? "systemd" : "cgroupfs";
}

// What serves networks now; what a daemon that does not run would use.
json::Object network_backend(const engine::Host& host) {
  engine::NetworkFacts facts = engine::network_facts(host);
  const std::string bin = host.monitor_path.substr(0, host.monitor_path.rfind('/') + 1);
  json::Object out, dns;
  dns.set("path", bin + "minke-netd");
  dns.set("version", concat("minke-netd version ", MINKE_VERSION));
  out.set("backend", "minke");
  out.set("version", concat("minke version ", MINKE_VERSION));
  out.set("dns", std::move(dns));
  out.set("netdPid", static_cast<std::int64_t>(facts.netd));
  out.set("publish", host.rootless ? "minke-netd" : "kernel");
  out.set("clients", facts.transparent ? "own address" : "gateway");
  if (!host.rootless) {
    out.set("outboundTcp", "kernel");
    out.set("outbound", "kernel");
    return out;
  }
  out.set("outboundTcp", facts.queue == "none" ? facts.uplink
                         : facts.queue.empty() ? std::string("minke-netd")
                                               : concat("minke-netd (", facts.queue, " queue)"));
  out.set("outbound", facts.uplink);
  if (!facts.uplink_trouble.empty()) out.set("trouble", facts.uplink_trouble);
  return out;
}

json::Object helper_program(const char* name) {
  engine::HelperProgram program = engine::find_helper_program(name, true);
  json::Object out;
  out.set("executable", program.path);
  out.set("package", "");
  out.set("version", program.version);
  return out;
}

json::Object host_facts(const engine::Host& host, const json::Object& version) {
  struct utsname kernel = {};
  ::uname(&kernel);
  std::string meminfo = read_text("/proc/meminfo");
  json::Object maps;
  maps.set("gidmap", host.rootless ? id_map(host.gid_map) : json::Value());
  maps.set("uidmap", host.rootless ? id_map(host.uid_map) : json::Value());
  std::string bin = host.monitor_path.substr(0, host.monitor_path.rfind('/') + 1);
  json::Object monitor;
  monitor.set("package", "");
  monitor.set("path", host.monitor_path);
  monitor.set("version", concat("minke-monitor version ", MINKE_VERSION));
  json::Object runtime;
  runtime.set("name", host.runtime.empty() ? "minke-runtime" : host.runtime);
  runtime.set("package", "");
  runtime.set("path", host.runtime.empty() ? bin + "minke-runtime" : host.runtime);
  runtime.set("version", host.runtime.empty()
                             ? concat("minke-runtime version ", MINKE_VERSION, "\nspec: 1.2.0")
                             : std::string());
  json::Object socket;
  socket.set("path", concat(host.runroot, "/minke.sock"));
  const json::Value* arch = version.find("OsArch");
  std::string_view os_arch = arch == nullptr ? std::string_view() : arch->string_or("");

  json::Object out;
  out.set("arch", os_arch.substr(os_arch.find('/') + 1));
  out.set("buildahVersion", "");
  out.set("cgroupManager", manager_name(host.cgroup_manager));
  out.set("cgroupVersion", is_cgroup_v2() ? "v2" : "v1");
  out.set("cgroupControllers", cgroup_controllers(host));
  out.set("conmon", std::move(monitor));
  out.set("cpus", static_cast<std::int64_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
  out.set("cpuUtilization", cpu_utilization());
  out.set("distribution", distribution());
  out.set("eventLogger", "none");
  out.set("hostname", static_cast<const char*>(kernel.nodename));
  out.set("idMappings", std::move(maps));
  out.set("kernel", static_cast<const char*>(kernel.release));
  out.set("logDriver", "k8s-file");
  out.set("memFree", memory_bytes(meminfo, "MemFree"));
  out.set("memTotal", memory_bytes(meminfo, "MemTotal"));
  out.set("networkBackend", "minke");
  out.set("networkBackendInfo", network_backend(host));
  out.set("ociRuntime", std::move(runtime));
  out.set("os", "linux");
  out.set("remoteSocket", std::move(socket));
  out.set("serviceIsRemote", false);
  out.set("security", security(host));
  for (const char* name : {"slirp4netns", "pasta"}) out.set(name, helper_program(name));
  out.set("swapFree", memory_bytes(meminfo, "SwapFree"));
  out.set("swapTotal", memory_bytes(meminfo, "SwapTotal"));
  out.set("uptime", uptime_text());
  out.set("linkmode", "static");
  return out;
}

const char* file_system_name(const std::string& path) {
  struct Row {
    long magic;
    const char* name;
  };
  constexpr Row kRows[] = {{0xEF53, "extfs"},     {0x58465342, "xfs"},  {0x9123683E, "btrfs"},
                           {0x01021994, "tmpfs"}, {0x2FC12FC1, "zfs"},  {0x794C7630, "overlayfs"},
                           {0x6969, "nfs"},       {0xF2F52010, "f2fs"}, {0x65735546, "fuse"}};
  struct statfs fs = {};
  if (::statfs(path.c_str(), &fs) != 0) return "<unknown>";
  for (const Row& row : kRows)
    if (row.magic == static_cast<long>(fs.f_type)) return row.name;
  return "<unknown>";
}

json::Object container_counts(const std::vector<engine::ContainerSummary>& containers) {
  std::int64_t paused = 0, running = 0;
  for (const engine::ContainerSummary& container : containers) {
    paused += container.state == engine::ContainerState::paused ? 1 : 0;
    running += container.state == engine::ContainerState::running ? 1 : 0;
  }
  auto number = static_cast<std::int64_t>(containers.size());
  json::Object out;
  out.set("number", number);
  out.set("paused", paused);
  out.set("running", running);
  out.set("stopped", number - paused - running);
  return out;
}

Result<json::Object> store_facts(engine::Engine& engine) {
  const engine::Host& host = engine.host();
  auto containers = TRY(engine.list_containers());
  auto images = TRY(engine.store().list_images());
  struct statvfs space = {};
  (void)::statvfs(host.root.c_str(), &space);  // zeros when it cannot be told
  const std::uint64_t block = space.f_frsize;
  json::Object status;
  status.set("Backing Filesystem", file_system_name(host.root));
  status.set("Native Overlay Diff", "true");
  status.set("Supports d_type", "true");
  status.set("Using metacopy", "false");
  json::Object image_store;
  image_store.set("number", static_cast<std::int64_t>(images.size()));

  json::Object out;
  out.set("configFile", "");
  out.set("containerStore", container_counts(containers));
  out.set("graphDriverName", "overlay");
  out.set("graphOptions", json::Object());
  out.set("graphRoot", host.root);
  out.set("graphRootAllocated", block * space.f_blocks);
  out.set("graphRootUsed", block * (space.f_blocks - space.f_bfree));
  out.set("graphStatus", std::move(status));
  out.set("imageCopyTmpDir", concat(host.root, "/staging"));
  out.set("imageStore", std::move(image_store));
  out.set("runRoot", host.runroot);
  out.set("volumePath", host.volumes);
  return out;
}

}  // namespace

const gotemplate::Shape kInfoShape = {"*define.Info", kFields, true};

Result<json::Object> info(engine::Engine& engine, json::Object version) {
  json::Object plugins;
  plugins.set("volume", json::Array{json::Value("local")});
  plugins.set("network", json::Array());
  plugins.set("log", to_array({"k8s-file", "json-file", "journald", "none", "passthrough"}));
  plugins.set("authorization", nullptr);
  json::Object out;
  out.set("host", host_facts(engine.host(), version));
  out.set("store", TRY(store_facts(engine)));
  out.set("registries", json::Object());
  out.set("plugins", std::move(plugins));
  out.set("version", std::move(version));
  return out;
}

}  // namespace minke::view
