// Resources, rlimits and sysctls.
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/str.h"
#include "codec/units.h"
#include "engine/network_helper.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "runtime/cgroup_own.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr std::int64_t kPidsLimit = 2048;
constexpr std::uint64_t kRlimitDefault = 1048576;  // nofile and nproc
constexpr std::uint64_t kCpuPeriod = 100000;       // microseconds

Result<std::pair<std::int64_t, std::int64_t>> block_device(std::string_view path,
                                                           const char* what) {
  auto st = sys::stat_at(sys::DirFd::cwd(), std::string(path).c_str(), 0);
  if (!st)
    return Error(st.error().code(), concat("could not parse ", what, " device at ", path, ": ",
                                           go_reason(st.error().sys())));
  return std::pair<std::int64_t, std::int64_t>(major(st->st_rdev), minor(st->st_rdev));
}

Result<std::pair<std::string_view, std::string_view>> path_and_value(const std::string& text) {
  auto at = text.rfind(':');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    return Error(Errc::invalid_argument, concat("bad format: ", text));
  std::string_view path(text.data(), at);
  if (!path.starts_with("/dev/"))
    return Error(Errc::invalid_argument, concat("bad format for device path: ", text));
  return std::pair<std::string_view, std::string_view>(path, std::string_view(text).substr(at + 1));
}

Status add_throttles(const std::vector<std::string>& texts, bool bytes,
                     std::vector<oci::ThrottleDevice>* out) {
  for (const std::string& text : texts) {
    auto [path, value] = TRY(path_and_value(text));
    std::uint64_t rate = 0;
    if (bytes) {
      auto parsed = units::parse_ram(value);
      if (!parsed || *parsed < 0)
        return Error(
            Errc::invalid_argument,
            concat("invalid rate for device: ", text,
                   ". The correct format is <device-path>:<number>[<unit>]. "
                   "Number must be a positive integer. Unit is optional and can be kb, mb, or gb"));
      rate = static_cast<std::uint64_t>(*parsed);
    } else {
      auto parsed = parse_uint(value);
      if (!parsed)
        return Error(Errc::invalid_argument,
                     concat("invalid rate for device: ", text,
                            ". The correct format is <device-path>:<number>. "
                            "Number must be a positive integer"));
      rate = *parsed;
    }
    auto [device_major, device_minor] = TRY(block_device(path, "throttle"));
    out->push_back({device_major, device_minor, rate});
  }
  return {};
}

Status add_weights(const std::vector<std::string>& texts, std::vector<oci::WeightDevice>* out) {
  for (const std::string& text : texts) {
    auto [path, value] = TRY(path_and_value(text));
    auto weight = parse_uint(value);
    if (!weight || (*weight > 0 && *weight < 10) || *weight > 1000)
      return Error(Errc::invalid_argument, concat("invalid weight for device: ", text));
    auto [device_major, device_minor] = TRY(block_device(path, "weight"));
    oci::WeightDevice device;
    device.major = device_major;
    device.minor = device_minor;
    device.weight = static_cast<std::uint16_t>(*weight);
    out->push_back(device);
  }
  return {};
}

Status add_block_io(const CreateRequest& request, oci::Resources* resources) {
  if (resources->block_io && resources->block_io->weight) {
    std::uint16_t weight = *resources->block_io->weight;
    if (weight != 0 && (weight < 10 || weight > 1000))
      return Error(Errc::invalid_argument, "range of blkio weight is from 10 to 1000");
  }
  if (request.blkio_weight_devices.empty() && request.device_read_bps.empty() &&
      request.device_write_bps.empty() && request.device_read_iops.empty() &&
      request.device_write_iops.empty())
    return {};
  if (!resources->block_io) resources->block_io.emplace();
  oci::BlockIo& io = *resources->block_io;
  TRY(add_weights(request.blkio_weight_devices, &io.weight_device));
  TRY(add_throttles(request.device_read_bps, true, &io.throttle_read_bps));
  TRY(add_throttles(request.device_write_bps, true, &io.throttle_write_bps));
  TRY(add_throttles(request.device_read_iops, false, &io.throttle_read_iops));
  return add_throttles(request.device_write_iops, false, &io.throttle_write_iops);
}

Status complete_memory(oci::Resources* resources) {
  if (!resources->memory) return {};
  oci::Memory& memory = *resources->memory;
  const std::int64_t limit = memory.limit.value_or(0), swap = memory.swap.value_or(0);
  if (limit > 0 && !memory.swap) memory.swap = limit > INT64_MAX / 2 ? INT64_MAX : 2 * limit;
  if (limit > 0 && swap > 0 && swap < limit)
    return Error(Errc::invalid_argument,
                 "minimum memoryswap limit should be larger than memory limit, see usage");
  if (limit <= 0 && swap > 0)
    return Error(Errc::invalid_argument,
                 "you should always set a memory limit when using a memoryswap limit, see usage");
  if (memory.swappiness && *memory.swappiness > 100)
    return Error(Errc::invalid_argument, concat("invalid value: ", *memory.swappiness,
                                                ", valid memory swappiness range is 0-100"));
  if (memory.reservation && limit > 0 && *memory.reservation > limit)
    return Error(Errc::invalid_argument,
                 "minimum memory limit cannot be less than memory reservation limit, see usage");
  return {};
}

Status complete_cpu(const CreateRequest& request, oci::Resources* resources) {
  if (!request.cpus) return {};
  if (!resources->cpu) resources->cpu.emplace();
  oci::Cpu& cpu = *resources->cpu;
  if (cpu.quota)
    return Error(Errc::invalid_argument, "--cpu-quota and --cpus cannot be set together");
  if (cpu.period)
    return Error(Errc::invalid_argument, "--cpu-period and --cpus cannot be set together");
  if (!(*request.cpus >= 0) || *request.cpus > 1e6)
    return Error(Errc::invalid_argument,
                 concat("invalid argument ", quote(format("%g", *request.cpus)), " for --cpus"));
  if (*request.cpus == 0) return {};
  cpu.period = kCpuPeriod;
  cpu.quota =
      static_cast<std::int64_t>(std::llround(*request.cpus * static_cast<double>(kCpuPeriod)));
  return {};
}

bool asks_for_limits(const oci::Resources& r) {
  return r.memory || r.cpu || r.block_io || r.pids || !r.unified.empty() ||
         !r.hugepage_limits.empty() || r.network || !r.rdma.empty();
}

struct SysctlRule {
  std::string_view name;  // whole, or a prefix when it ends in a dot
  enum Kind { ipc, net } kind;
};
constexpr SysctlRule kSysctls[] = {
    {"kernel.msgmax", SysctlRule::ipc}, {"kernel.msgmnb", SysctlRule::ipc},
    {"kernel.msgmni", SysctlRule::ipc}, {"kernel.sem", SysctlRule::ipc},
    {"kernel.shmall", SysctlRule::ipc}, {"kernel.shmmax", SysctlRule::ipc},
    {"kernel.shmmni", SysctlRule::ipc}, {"kernel.shm_rmid_forced", SysctlRule::ipc},
    {"fs.mqueue.", SysctlRule::ipc},    {"net.", SysctlRule::net},
};

std::uint64_t capped(int resource, std::uint64_t wanted, bool hard) {
  rlimit own{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &own) < 0) return wanted;
  return std::min<std::uint64_t>(wanted, hard ? own.rlim_max : own.rlim_cur);
}

// An ordinary user may not go below his own score, as Podman takes into account.
std::optional<std::int64_t> oom_score(const CreateRequest& request, const Host& host) {
  if (!request.oom_score_adj || !host.rootless) return request.oom_score_adj;
  auto own = parse_int(trim(sys::read_small_file("/proc/self/oom_score_adj", 64).value_or("")));
  if (!own || *own <= *request.oom_score_adj) return request.oom_score_adj;
  log::warn(concat("Requested oom_score_adj=", *request.oom_score_adj,
                   " is lower than the current one, changing to ", *own));
  return own;
}

}  // namespace

Result<oci::Resources> resolve_resources(const CreateRequest& request, const Host& host) {
  oci::Resources resources = request.resources;
  TRY(complete_memory(&resources));
  TRY(complete_cpu(request, &resources));
  TRY(add_block_io(request, &resources));
  const bool disabled =
      request.cgroups == "disabled" || host.cgroup_manager == runtime::CgroupManager::disabled;
  if (request.cgroups == "disabled" && asks_for_limits(resources))
    return Error(Errc::invalid_argument, "cannot set resource limits when cgroups are disabled");
  if (resources.pids) {
    if (resources.pids->limit <= 0) resources.pids->limit = -1;
  } else if (!disabled &&
             (!host.rootless || host.cgroup_manager == runtime::CgroupManager::systemd)) {
    resources.pids = oci::Pids{kPidsLimit};
  }
  return resources;
}

Result<std::vector<oci::Rlimit>> resolve_rlimits(const CreateRequest& request) {
  std::vector<oci::Rlimit> limits;
  bool from_host = false;
  for (const Ulimit& ulimit : request.ulimits) {
    if (ulimit.name == "host") {
      from_host = true;
      continue;
    }
    std::string type = "RLIMIT_" + to_upper(ulimit.name);
    if (!oci::rlimit_number(type))
      return Error(Errc::invalid_argument,
                   concat("ulimit ", quote(ulimit.name), ": invalid ulimit type: ", ulimit.name));
    auto value = [](std::int64_t n) { return n < 0 ? UINT64_MAX : static_cast<std::uint64_t>(n); };
    std::erase_if(limits, [&](const oci::Rlimit& l) { return l.type == type; });
    limits.push_back({type, value(ulimit.soft), value(ulimit.hard)});
  }
  if (from_host) return limits;
  auto is_set = [&](std::string_view type) {
    return std::any_of(limits.begin(), limits.end(),
                       [&](const oci::Rlimit& l) { return l.type == type; });
  };
  // A command lifts its own soft limit of files as far as it may, so what counts there is the hard
  // one.
  if (!is_set("RLIMIT_NOFILE")) {
    std::uint64_t files = capped(RLIMIT_NOFILE, kRlimitDefault, true);
    limits.push_back({"RLIMIT_NOFILE", files, files});
  }
  if (!is_set("RLIMIT_NPROC"))
    limits.push_back({"RLIMIT_NPROC", capped(RLIMIT_NPROC, kRlimitDefault, false),
                      capped(RLIMIT_NPROC, kRlimitDefault, true)});
  return limits;
}

const std::vector<std::string>& default_sysctls() {
  // Ping without a capability for the groups of the container, as Podman sets by default.
  static const std::vector<std::string> kSysctls = {"net.ipv4.ping_group_range=0 0"};
  return kSysctls;
}

// Defaults are for namespaces of the container's own; those of others stay as they are.
static void add_default_sysctls(SpecBuilder* b) {
  const bool own_network = has_own_network(b->config.network_mode);
  const bool own_ipc = b->config.ipc_mode == "private" || b->config.ipc_mode == "shareable" ||
                       b->config.ipc_mode == "none";
  for (const std::string& text : b->request.defaults.sysctls.value_or(default_sysctls())) {
    auto pair = split_once(text, '=');
    if (!pair) continue;
    if (pair->first.starts_with("net.") ? !own_network : !own_ipc) continue;
    b->linux_.sysctl.try_emplace(std::string(pair->first), pair->second);
  }
}

Status check_sysctls(const CreateRequest& request, const ContainerConfig& config) {
  for (const auto& [name, value] : request.sysctls) {
    const SysctlRule* found = nullptr;
    for (const SysctlRule& rule : kSysctls)
      if (rule.name.ends_with('.') ? name.starts_with(rule.name) : name == rule.name) found = &rule;
    if (found == nullptr)
      return Error(Errc::invalid_argument, concat("sysctl '", name, "' is not allowed"));
    if (found->kind == SysctlRule::ipc && config.ipc_mode == "host")
      return Error(Errc::invalid_argument, concat("sysctl ", quote(concat(name, "=", value)),
                                                  " can't be set since IPC Namespace set to host"));
    if (found->kind == SysctlRule::net && config.network_mode == "host")
      return Error(Errc::invalid_argument,
                   concat("sysctl ", quote(concat(name, "=", value)),
                          " can't be set since Network Namespace set to host"));
  }
  return {};
}

runtime::CgroupManager cgroup_manager(const CreateRequest& request, const Host& host) {
  if (request.cgroups == "disabled") return runtime::CgroupManager::disabled;
  // Within the unit that starts it, systemd has delegated what is below.
  if (request.cgroups == "split" && host.cgroup_manager == runtime::CgroupManager::systemd)
    return runtime::CgroupManager::cgroupfs;
  return host.cgroup_manager;
}

Result<std::string> cgroups_path(const ContainerConfig& config, const Host& host) {
  const runtime::CgroupManager manager = cgroup_manager(config.request, host);
  if (manager == runtime::CgroupManager::disabled) return std::string();
  if (config.request.cgroups == "split") {
    std::string own = TRY(runtime::own_cgroup());
    return concat(own == "/" ? "" : own, "/libpod-payload-", config.id);
  }
  std::string parent = config.request.cgroup_parent;
  if (manager == runtime::CgroupManager::systemd) {
    if (parent.empty()) parent = host.rootless ? "user.slice" : "machine.slice";
    std::size_t slash = parent.rfind('/');
    return concat(slash == std::string::npos ? parent : parent.substr(slash + 1),
                  ":minke:", config.id);
  }
  if (parent.empty()) return concat("/minke/", config.id);
  return concat(parent.starts_with('/') ? "" : "/", parent, "/minke-", config.id);
}

Status add_limits(SpecBuilder* b) {
  oci::Resources resources = TRY(resolve_resources(b->request, b->host));
  b->linux_.cgroups_path = TRY(cgroups_path(b->config, b->host));
  b->linux_.resources = std::move(resources);
  b->process.rlimits = TRY(resolve_rlimits(b->request));
  b->process.oom_score_adj = oom_score(b->request, b->host);
  TRY(check_sysctls(b->request, b->config));
  for (const auto& [name, value] : b->request.sysctls) b->linux_.sysctl[name] = value;
  add_default_sysctls(b);
  return {};
}

}  // namespace minke::engine
