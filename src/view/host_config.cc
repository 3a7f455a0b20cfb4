#include "base/str.h"
#include "codec/units.h"
#include "engine/specgen_internal.h"
#include "view/container.h"
#include "view/json_make.h"
#include "view/network.h"

namespace minke::view {
namespace {

using engine::ContainerConfig;
using engine::CreateRequest;

constexpr std::int64_t kUsualPeriod = 100000;  // us

// What the options made of a mount, as inspect repeats it.
std::string mount_options(const engine::ResolvedMount& mount) {
  std::vector<std::string> options;
  auto add = [&options](std::string option) {
    for (const std::string& known : options)
      if (known == option) return;
    if (!option.empty()) options.push_back(std::move(option));
  };
  add(mount.read_write ? "rw" : "ro");
  add(mount.propagation);
  for (const std::string& option : mount.options)
    if (option != "ro" && option != "rw") add(option);
  return join(options, ",");
}

void add_mounts(const ContainerConfig& config, json::Array* binds, json::Object* tmpfs) {
  for (const engine::ResolvedMount& mount : config.mounts) {
    if (mount.type == "tmpfs") {
      tmpfs->set(mount.destination, mount_options(mount));
      continue;
    }
    const std::string& source = mount.volume_name.empty() ? mount.source : mount.volume_name;
    binds->emplace_back(concat(source, ":", mount.destination, ":", mount_options(mount)));
  }
}

json::Object log_config(const ContainerConfig& config) {
  const auto& options = config.request.log.options;
  auto path = options.find("path");
  json::Object out;
  out.set("Type", config.log.driver);
  out.set("Config", nullptr);
  out.set("Path", path != options.end() ? path->second : config.log.path);
  out.set("Tag", config.log.tag);
  out.set("Size", units::human_size(static_cast<double>(config.log.max_size)));
  return out;
}

std::string namespace_mode(const oci::Spec& spec, std::string_view type, const std::string& decided,
                           const char* none) {
  if (!decided.empty()) return decided;
  if (spec.linux_)
    for (const oci::Namespace& space : spec.linux_->namespaces)
      if (space.type == type) return space.path.empty() ? "private" : concat("ns:", space.path);
  return none;
}

std::vector<std::string> difference(const std::vector<std::string>& left,
                                    const std::vector<std::string>& right) {
  std::vector<std::string> rest;
  for (const std::string& item : left) {
    bool there = false;
    for (const std::string& other : right) there = there || other == item;
    if (!there) rest.push_back(item);
  }
  return rest;
}

// Added and dropped against what a container of this kind has without options.
void set_capabilities(const ContainerConfig& config, json::Object* out) {
  CreateRequest plain;
  plain.privileged = config.request.privileged;
  auto usual = engine::bounding_capabilities(plain);
  const std::vector<std::string> none;
  const std::vector<std::string>& base = usual ? *usual : none;
  out->set("CapAdd", to_array(difference(config.cap_bounding, base)));
  out->set("CapDrop", to_array(difference(base, config.cap_bounding)));
}

json::Value id_mappings(const ContainerConfig& config) {
  auto list = [](const std::vector<oci::IdMapping>& map) {
    json::Array lines;
    for (const oci::IdMapping& range : map)
      lines.emplace_back(concat(range.container_id, ":", range.host_id, ":", range.size));
    return lines;
  };
  json::Object out;
  out.set("UidMap", list(config.uid_map));
  out.set("GidMap", list(config.gid_map));
  return out;
}

// "/dev/sda:1mb" of the command line beside the number that was made of it.
json::Array throttles(const std::vector<std::string>& asked,
                      const std::vector<oci::ThrottleDevice>& devices) {
  json::Array out;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    json::Object entry;
    entry.set("Path", i < asked.size() ? asked[i].substr(0, asked[i].rfind(':')) : std::string());
    entry.set("Rate", devices[i].rate);
    out.emplace_back(std::move(entry));
  }
  return out;
}

void set_block_io(const CreateRequest& request, const oci::Resources& resources,
                  json::Object* out) {
  if (!resources.block_io) {
    for (const char* name : {"BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps",
                             "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps"})
      out->set(name, nullptr);
    return;
  }
  const oci::BlockIo& io = *resources.block_io;
  json::Array weights;
  for (std::size_t i = 0; i < io.weight_device.size(); ++i) {
    const auto& asked = request.blkio_weight_devices;
    json::Object entry;
    entry.set("Path", i < asked.size() ? asked[i].substr(0, asked[i].rfind(':')) : std::string());
    entry.set("Weight", io.weight_device[i].weight.value_or(0));
    weights.emplace_back(std::move(entry));
  }
  out->set("BlkioWeightDevice", std::move(weights));
  out->set("BlkioDeviceReadBps", throttles(request.device_read_bps, io.throttle_read_bps));
  out->set("BlkioDeviceWriteBps", throttles(request.device_write_bps, io.throttle_write_bps));
  out->set("BlkioDeviceReadIOps", throttles(request.device_read_iops, io.throttle_read_iops));
  out->set("BlkioDeviceWriteIOps", throttles(request.device_write_iops, io.throttle_write_iops));
}

json::Array devices(const CreateRequest& request) {
  json::Array out;
  if (request.privileged) return out;
  for (const std::string& text : request.devices) {
    auto device = engine::parse_device(text);
    if (!device) continue;  // it was checked at create
    json::Object entry;
    entry.set("PathOnHost", device->source);
    entry.set("PathInContainer", device->destination);
    entry.set("CgroupPermissions", "");
    out.emplace_back(std::move(entry));
  }
  return out;
}

json::Array ulimits(const oci::Spec& spec) {
  json::Array out;
  if (!spec.process) return out;
  for (const oci::Rlimit& limit : spec.process->rlimits) {
    json::Object entry;
    entry.set("Name", limit.type);
    entry.set("Soft", static_cast<std::int64_t>(limit.soft));
    entry.set("Hard", static_cast<std::int64_t>(limit.hard));
    out.emplace_back(std::move(entry));
  }
  return out;
}

void set_limits(const ContainerConfig& config, const oci::Spec& spec, json::Object* out) {
  const CreateRequest& request = config.request;
  static const oci::Resources kNone;
  const oci::Resources& resources =
      spec.linux_ && spec.linux_->resources ? *spec.linux_->resources : kNone;
  const oci::Cpu cpu = resources.cpu.value_or(oci::Cpu());
  const oci::Memory memory = resources.memory.value_or(oci::Memory());
  const auto period = static_cast<std::int64_t>(cpu.period.value_or(0));
  const std::int64_t quota = cpu.quota.value_or(0);
  out->set("CpuShares", cpu.shares.value_or(0));
  out->set("Memory", memory.limit.value_or(0));
  // In billionths of a processor, known only for the usual period.
  out->set("NanoCpus", period == kUsualPeriod ? quota * 10000 : 0);
  out->set("CgroupParent", request.cgroup_parent);
  out->set("BlkioWeight", resources.block_io ? resources.block_io->weight.value_or(0) : 0);
  set_block_io(request, resources, out);
  out->set("CpuPeriod", period);
  out->set("CpuQuota", quota);
  out->set("CpuRealtimePeriod", cpu.realtime_period.value_or(0));
  out->set("CpuRealtimeRuntime", cpu.realtime_runtime.value_or(0));
  out->set("CpusetCpus", cpu.cpus);
  out->set("CpusetMems", cpu.mems);
  out->set("Devices", devices(request));
  out->set("DiskQuota", 0);
  out->set("KernelMemory", memory.kernel.value_or(0));
  out->set("MemoryReservation", memory.reservation.value_or(0));
  out->set("MemorySwap", memory.swap.value_or(0));
  out->set("MemorySwappiness", memory.swappiness  ? static_cast<std::int64_t>(*memory.swappiness)
                               : resources.memory ? -1
                                                  : 0);
  out->set("OomKillDisable", memory.disable_oom_killer);
  if (request.init) out->set("Init", true);
  out->set("PidsLimit", resources.pids ? resources.pids->limit : 0);
  out->set("Ulimits", ulimits(spec));
  out->set("CpuCount", 0);
  out->set("CpuPercent", 0);
  out->set("IOMaximumIOps", 0);
  out->set("IOMaximumBandwidth", 0);
  out->set("CgroupConf", object_or_null(resources.unified));
}

const char* cgroup_manager_name(runtime::CgroupManager manager) {
  return manager == runtime::CgroupManager::systemd ? "systemd" : "cgroupfs";
}

}  // namespace

json::Object inspect_host_config(const engine::Host& host, const engine::Container& container,
                                 const oci::Spec& spec) {
  const ContainerConfig& config = container.config;
  const CreateRequest& request = config.request;
  json::Array binds;
  json::Object tmpfs;
  add_mounts(config, &binds, &tmpfs);
  if (request.read_only && request.read_only_tmpfs)
    for (const char* path : {"/run", "/tmp", "/var/tmp"})
      if (tmpfs.find(path) == nullptr) tmpfs.set(path, "rw,rprivate,nosuid,nodev,tmpcopyup");
  json::Object restart;
  restart.set("Name", request.restart.name);
  restart.set("MaximumRetryCount", request.restart.retries);

  json::Object out;
  out.set("Binds", std::move(binds));
  out.set("CgroupManager", cgroup_manager_name(host.cgroup_manager));
  out.set("CgroupMode", namespace_mode(spec, "cgroup", config.cgroupns_mode, "host"));
  out.set("ContainerIDFile", request.cid_file);
  out.set("LogConfig", log_config(config));
  out.set("NetworkMode", config.network_mode);
  out.set("PortBindings", port_bindings(config.ports));
  out.set("RestartPolicy", std::move(restart));
  out.set("AutoRemove", request.remove);
  out.set("VolumeDriver", "");
  out.set("VolumesFrom", array_or_null(request.volumes_from));
  set_capabilities(config, &out);
  out.set("Dns", to_array(request.dns));
  out.set("DnsOptions", to_array(request.dns_options));
  out.set("DnsSearch", to_array(request.dns_search));
  out.set("ExtraHosts", to_array(request.add_hosts));
  out.set("GroupAdd", to_array(request.groups));
  out.set("IpcMode", namespace_mode(spec, "ipc", config.ipc_mode, "host"));
  out.set("Cgroup", "");
  out.set("Cgroups", request.cgroups == "disabled" ? "disabled" : "default");
  out.set("Links", nullptr);
  out.set("OomScoreAdj", spec.process ? spec.process->oom_score_adj.value_or(0) : 0);
  out.set("PidMode", namespace_mode(spec, "pid", config.pid_mode, "host"));
  out.set("Privileged", request.privileged);
  out.set("PublishAllPorts", request.publish_all);
  out.set("ReadonlyRootfs", request.read_only);
  out.set("SecurityOpt", to_array(request.security_opts));
  out.set("Tmpfs", std::move(tmpfs));
  out.set("UTSMode", namespace_mode(spec, "uts", config.uts_mode, "host"));
  out.set("UsernsMode", config.userns_mode == "host" ? "" : config.userns_mode);
  if (!config.uid_map.empty()) out.set("IDMappings", id_mappings(config));
  out.set("ShmSize", config.shm_size);
  out.set("Runtime", "oci");
  out.set("ConsoleSize", json::Array{json::Value(0), json::Value(0)});
  out.set("Isolation", "");
  set_limits(config, spec, &out);
  return out;
}

}  // namespace minke::view
