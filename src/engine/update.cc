#include "engine/update.h"

#include <cmath>

#include "base/failpoint.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/records.h"
#include "engine/specgen_internal.h"
#include "monitor/health.h"
#include "runtime/cgroup.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

constexpr double kCpuPeriod = 100000;  // microseconds

template <typename T>
void take(const std::optional<T>& changed, std::optional<T>* field) {
  if (changed) *field = changed;
}
void take(const std::string& changed, std::string* field) {
  if (!changed.empty()) *field = changed;
}

void merge_memory(const oci::Memory& changes, oci::Memory* memory) {
  take(changes.limit, &memory->limit);
  take(changes.reservation, &memory->reservation);
  take(changes.swappiness, &memory->swappiness);
  // As at create, swap follows a new limit unless it is given too.
  if (changes.limit && !changes.swap) memory->swap.reset();
  take(changes.swap, &memory->swap);
}

void merge_cpu(const CreateRequest& changes, CreateRequest* request) {
  const oci::Cpu cpu = changes.resources.cpu.value_or(oci::Cpu());
  if (!changes.cpus && !changes.resources.cpu) return;
  if (!request->resources.cpu) request->resources.cpu.emplace();
  oci::Cpu& out = *request->resources.cpu;
  if (changes.cpus) {
    out.quota.reset();
    out.period.reset();
    request->cpus = changes.cpus;
  } else if (request->cpus && (cpu.quota || cpu.period)) {
    out.quota = std::llround(*request->cpus * kCpuPeriod);
    out.period = static_cast<std::uint64_t>(kCpuPeriod);
    request->cpus.reset();
  }
  take(cpu.shares, &out.shares);
  take(cpu.quota, &out.quota);
  take(cpu.period, &out.period);
  take(cpu.realtime_runtime, &out.realtime_runtime);
  take(cpu.realtime_period, &out.realtime_period);
  take(cpu.cpus, &out.cpus);
  take(cpu.mems, &out.mems);
}

// "/dev/sda:1mb": one for each device, the last one asked for.
void merge_devices(const std::vector<std::string>& changes, std::vector<std::string>* devices) {
  auto path = [](const std::string& text) {
    return std::string_view(text).substr(0, text.rfind(':'));
  };
  for (const std::string& change : changes) {
    std::erase_if(*devices, [&](const std::string& old) { return path(old) == path(change); });
    devices->push_back(change);
  }
}

bool has_device_limits(const CreateRequest& r) {
  return !r.blkio_weight_devices.empty() || !r.device_read_bps.empty() ||
         !r.device_write_bps.empty() || !r.device_read_iops.empty() || !r.device_write_iops.empty();
}

// What of the merged limits has to be written now: the groups that were asked for, whole, because
// some of their members depend on each other.
Result<oci::Resources> to_write(const CreateRequest& changes, const oci::Resources& all,
                                const Host& host) {
  oci::Resources now;
  if (changes.resources.memory) now.memory = all.memory;
  if (changes.resources.cpu || changes.cpus) now.cpu = all.cpu;
  if (changes.resources.pids) now.pids = all.pids;
  if (changes.resources.block_io || has_device_limits(changes)) {
    CreateRequest only;
    only.resources.block_io = changes.resources.block_io;
    merge_limits(changes, &only);
    now.block_io = TRY(resolve_resources(only, host)).block_io;
  }
  return now;
}

bool is_empty(const oci::Resources& r) {
  return !r.memory && !r.cpu && !r.pids && !r.block_io && r.unified.empty();
}

void drop_env(const std::string& name, std::vector<std::string>* env) {
  std::erase_if(*env, [&](const std::string& entry) {
    return std::string_view(entry).substr(0, entry.find('=')) == name;
  });
}

// inspect reads the limits from the spec of the last start, exec its environment.
Status update_spec(const std::string& dir, const oci::Resources& resources,
                   const UpdateRequest& update) {
  auto text = sys::read_small_file(dir + "/spec.json", 16 << 20);
  if (!text) return text.error().code() == Errc::not_found ? Status() : std::move(text.error());
  oci::Spec spec = TRY(oci::parse_spec(*text));
  if (!spec.linux_) return {};
  auto devices = spec.linux_->resources ? std::move(spec.linux_->resources->devices)
                                        : std::vector<oci::DeviceRule>();
  spec.linux_->resources = resources;
  spec.linux_->resources->devices = std::move(devices);
  if (spec.process) {
    for (const std::string& name : update.unset_env) drop_env(name, &spec.process->env);
    TRY(add_requested_env(update.env, &spec.process->env));
  }
  return sys::write_file(dir + "/spec.json", json::dump_struct(spec), 0600);
}

Status change_env(const UpdateRequest& update, ContainerConfig* config) {
  for (const std::string& name : update.unset_env) {
    drop_env(name, &config->env);
    drop_env(name, &config->request.env);
    config->request.unset_env.push_back(name);
  }
  TRY(add_requested_env(update.env, &config->env));
  return add_requested_env(update.env, &config->request.env);
}

// Its monitor goes on by what it is told; a wait for a restart that is not wanted any more ends.
Status tell_monitor(const UpdateRequest& update, const Container& container, const Host& host) {
  if (!update.restart && !update.health.any) return {};
  const ContainerConfig& config = container.config;
  if (!container.live.has_health && !config.health.check.test.empty())
    TRY(monitor::reset_health(container.run_dir));
  return monitor::replan(container.run_dir, restart_plan(config, host), config.health);
}

}  // namespace

void merge_limits(const CreateRequest& changes, CreateRequest* request) {
  if (changes.resources.memory) {
    if (!request->resources.memory) request->resources.memory.emplace();
    merge_memory(*changes.resources.memory, &*request->resources.memory);
  }
  merge_cpu(changes, request);
  if (changes.resources.pids) request->resources.pids = changes.resources.pids;
  if (changes.resources.block_io) request->resources.block_io = changes.resources.block_io;
  merge_devices(changes.blkio_weight_devices, &request->blkio_weight_devices);
  merge_devices(changes.device_read_bps, &request->device_read_bps);
  merge_devices(changes.device_write_bps, &request->device_write_bps);
  merge_devices(changes.device_read_iops, &request->device_read_iops);
  merge_devices(changes.device_write_iops, &request->device_write_iops);
}

Status Engine::update(const std::string& id, const UpdateRequest& update) {
  TRY(enter());
  ContainerPaths paths(host_, id);
  sys::FileLock lock = TRY(state::lock_object(paths.run_dir, concat("container ", short_id(id))));
  Container container = TRY(find_container(id));
  ContainerConfig& config = container.config;
  merge_limits(update.limits, &config.request);
  oci::Resources all = TRY(resolve_resources(config.request, host_));
  oci::Resources now = TRY(to_write(update.limits, all, host_));
  for (const Ulimit& ulimit : update.ulimits) {
    std::erase_if(config.request.ulimits, [&](const Ulimit& u) { return u.name == ulimit.name; });
    config.request.ulimits.push_back(ulimit);
  }
  TRY(resolve_rlimits(config.request));  // for its faults
  TRY(change_env(update, &config));
  TRY(merge_health(update.health, &config));
  if (update.restart) TRY(merge_restart(*update.restart, &config));
  failpoint("engine.update", 1);  // nothing done
  if (container.live.pid > 0 && !is_empty(now)) {
    runtime::Cgroup cgroup = TRY(runtime::Cgroup::open(container.live.cgroup));
    TRY(cgroup.update(now));
  }
  if (container.live.monitor_pid > 0) TRY(tell_monitor(update, container, host_));
  failpoint("engine.update", 2);  // kernel and monitor have it, the record does not
  TRY(save_config(paths.dir, config, sys::Durability::data));
  if (container.live.restarting && update.restart &&
      (update.restart->name.empty() || update.restart->name == "no"))
    cancel_restart(paths.run_dir);
  emit_container(host_, "update", config);
  failpoint("engine.update", 3);  // recorded, but not shown
  return update_spec(paths.dir, all, update);
}

}  // namespace minke::engine
