// Resources of the specification as writes into cgroup files: one table of rules each for v1 and
// v2.
#include <algorithm>
#include <cerrno>

#include "base/str.h"
#include "runtime/cgroup_internal.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

std::string or_max(std::int64_t value) { return value < 0 ? "max" : concat(value); }

class Writes {
 public:
  void add(std::string_view controller, std::string_view file, std::string value) {
    list_.push_back({std::string(controller), std::string(file), std::move(value)});
  }
  std::vector<CgroupWrite> take() { return std::move(list_); }

 private:
  std::vector<CgroupWrite> list_;
};

void memory_v1(const oci::Memory& m, bool update, Writes* w) {
  auto limit = [&]() {
    if (m.limit && *m.limit != 0) w->add("memory", "memory.limit_in_bytes", concat(*m.limit));
  };
  auto swap = [&]() {
    if (m.swap && *m.swap != 0) w->add("memory", "memory.memsw.limit_in_bytes", concat(*m.swap));
  };
  // memory+swap may never be below memory: what grows goes first.
  if (update && m.swap && (*m.swap < 0 || (m.limit && *m.swap > *m.limit))) {
    swap();
    limit();
  } else {
    limit();
    swap();
  }
  if (m.reservation && *m.reservation != 0)
    w->add("memory", "memory.soft_limit_in_bytes", concat(*m.reservation));
  if (m.kernel_tcp && *m.kernel_tcp != 0)
    w->add("memory", "memory.kmem.tcp.limit_in_bytes", concat(*m.kernel_tcp));
  if (m.swappiness) w->add("memory", "memory.swappiness", concat(*m.swappiness));
  if (m.disable_oom_killer) w->add("memory", "memory.oom_control", "1");
}

Status memory_v2(const oci::Memory& m, Writes* w) {
  if (m.limit && *m.limit != 0) w->add("memory", "memory.max", or_max(*m.limit));
  if (m.swap && *m.swap != 0) {
    std::int64_t swap = *m.swap;
    if (swap > 0) {
      // The specification counts memory and swap together, v2 counts swap alone.
      std::int64_t limit = m.limit.value_or(0);
      if (limit <= 0)
        return Error(Errc::invalid_argument,
                     "linux.resources.memory.swap: needs linux.resources.memory.limit");
      if (swap < limit)
        return Error(Errc::invalid_argument,
                     "linux.resources.memory.swap: is below linux.resources.memory.limit");
      swap -= limit;
    }
    w->add("memory", "memory.swap.max", or_max(swap));
  }
  if (m.reservation && *m.reservation != 0) w->add("memory", "memory.low", or_max(*m.reservation));
  // swappiness and the OOM switch have no counterpart in v2; other runtimes leave them out as well.
  return {};
}

void cpu_v1(const oci::Cpu& c, Writes* w) {
  if (c.shares && *c.shares != 0) w->add("cpu", "cpu.shares", concat(*c.shares));
  if (c.period && *c.period != 0) w->add("cpu", "cpu.cfs_period_us", concat(*c.period));
  if (c.quota && *c.quota != 0) w->add("cpu", "cpu.cfs_quota_us", concat(*c.quota));
  if (c.burst) w->add("cpu", "cpu.cfs_burst_us", concat(*c.burst));
  if (c.realtime_period && *c.realtime_period != 0)
    w->add("cpu", "cpu.rt_period_us", concat(*c.realtime_period));
  if (c.realtime_runtime && *c.realtime_runtime != 0)
    w->add("cpu", "cpu.rt_runtime_us", concat(*c.realtime_runtime));
  if (c.idle) w->add("cpu", "cpu.idle", concat(*c.idle));
}

Status cpu_v2(const oci::Cpu& c, Writes* w) {
  if (c.realtime_period.value_or(0) != 0 || c.realtime_runtime.value_or(0) != 0)
    return Error(Errc::unsupported,
                 "linux.resources.cpu.realtimeRuntime: cgroup v2 has no real-time limits");
  if (c.idle) w->add("cpu", "cpu.idle", concat(*c.idle));
  if (c.shares && *c.shares != 0) {
    // The range 2..262144 mapped onto 1..10000, as systemd, runc and crun do.
    std::uint64_t shares = std::clamp<std::uint64_t>(*c.shares, 2, 262144);
    w->add("cpu", "cpu.weight", concat(1 + (shares - 2) * 9999 / 262142));
  }
  if (c.quota || c.period) {
    // Without a period the kernel keeps the one that is there.
    std::int64_t quota = c.quota.value_or(0);
    std::string value = quota > 0 ? concat(quota) : "max";
    if (c.period.value_or(0) != 0) value += concat(" ", *c.period);
    w->add("cpu", "cpu.max", std::move(value));
  }
  if (c.burst) w->add("cpu", "cpu.max.burst", concat(*c.burst));
  return {};
}

void cpuset(const oci::Cpu& c, Writes* w) {
  if (!c.cpus.empty()) w->add("cpuset", "cpuset.cpus", c.cpus);
  if (!c.mems.empty()) w->add("cpuset", "cpuset.mems", c.mems);
}

std::string device_value(std::int64_t major, std::int64_t minor, std::uint64_t value) {
  return concat(major, ":", minor, " ", value);
}

void blkio_v1(const oci::BlockIo& io, Writes* w) {
  if (io.weight && *io.weight != 0) w->add("blkio", "blkio.bfq.weight", concat(*io.weight));
  if (io.leaf_weight && *io.leaf_weight != 0)
    w->add("blkio", "blkio.leaf_weight", concat(*io.leaf_weight));
  for (const oci::WeightDevice& d : io.weight_device) {
    if (d.weight)
      w->add("blkio", "blkio.bfq.weight_device", device_value(d.major, d.minor, *d.weight));
    if (d.leaf_weight)
      w->add("blkio", "blkio.leaf_weight_device", device_value(d.major, d.minor, *d.leaf_weight));
  }
  auto throttle = [&](const std::vector<oci::ThrottleDevice>& list, const char* file) {
    for (const oci::ThrottleDevice& d : list)
      w->add("blkio", file, device_value(d.major, d.minor, d.rate));
  };
  throttle(io.throttle_read_bps, "blkio.throttle.read_bps_device");
  throttle(io.throttle_write_bps, "blkio.throttle.write_bps_device");
  throttle(io.throttle_read_iops, "blkio.throttle.read_iops_device");
  throttle(io.throttle_write_iops, "blkio.throttle.write_iops_device");
}

void io_v2(const oci::BlockIo& io, Writes* w) {
  if (io.weight && *io.weight != 0) w->add("io", "io.bfq.weight", concat("default ", *io.weight));
  for (const oci::WeightDevice& d : io.weight_device)
    if (d.weight) w->add("io", "io.bfq.weight", device_value(d.major, d.minor, *d.weight));
  auto throttle = [&](const std::vector<oci::ThrottleDevice>& list, const char* key) {
    for (const oci::ThrottleDevice& d : list)
      w->add("io", "io.max",
             concat(d.major, ":", d.minor, " ", key, "=", d.rate == 0 ? "max" : concat(d.rate)));
  };
  throttle(io.throttle_read_bps, "rbps");
  throttle(io.throttle_write_bps, "wbps");
  throttle(io.throttle_read_iops, "riops");
  throttle(io.throttle_write_iops, "wiops");
}

}  // namespace

Result<std::vector<CgroupWrite>> limit_writes(const oci::Resources& r, bool v2, bool update) {
  Writes w;
  if (r.memory) {
    if (v2)
      TRY(memory_v2(*r.memory, &w));
    else
      memory_v1(*r.memory, update, &w);
  }
  if (r.cpu) {
    if (v2)
      TRY(cpu_v2(*r.cpu, &w));
    else
      cpu_v1(*r.cpu, &w);
    cpuset(*r.cpu, &w);
  }
  if (r.pids && r.pids->limit != 0) w.add("pids", "pids.max", or_max(r.pids->limit));
  if (r.block_io) {
    if (v2)
      io_v2(*r.block_io, &w);
    else
      blkio_v1(*r.block_io, &w);
  }
  for (const oci::HugepageLimit& h : r.hugepage_limits)
    w.add("hugetlb", concat("hugetlb.", h.page_size, v2 ? ".max" : ".limit_in_bytes"),
          concat(h.limit));
  for (const auto& [device, limit] : r.rdma) {
    std::string value = device;
    if (limit.hca_handles) value += concat(" hca_handle=", *limit.hca_handles);
    if (limit.hca_objects) value += concat(" hca_object=", *limit.hca_objects);
    w.add("rdma", "rdma.max", std::move(value));
  }
  if (r.network && !v2) {
    if (r.network->class_id) w.add("net_cls", "net_cls.classid", concat(*r.network->class_id));
    for (const oci::InterfacePriority& p : r.network->priorities)
      w.add("net_prio", "net_prio.ifpriomap", concat(p.name, " ", p.priority));
  } else if (r.network && (r.network->class_id || !r.network->priorities.empty())) {
    return Error(Errc::unsupported,
                 "linux.resources.network: cgroup v2 has no net_cls and net_prio");
  }
  if (!r.unified.empty() && !v2)
    return Error(Errc::unsupported, "linux.resources.unified: this host has cgroup v1");
  for (const auto& [file, value] : r.unified) w.add(file.substr(0, file.find('.')), file, value);
  return w.take();
}

Status write_limit(const Cgroup::Entry& entry, const CgroupWrite& w) {
  auto write = [&](const std::string& file, const std::string& value) -> Status {
    Status status = sys::write_existing(concat(entry.path, "/", file), value);
    if (!status) return std::move(status.error()).wrap(concat("set ", file, " to ", value));
    return {};
  };
  Status status = write(w.file, w.value);
  if (status || status.error().sys() != ENOENT) return status;
  // Without the BFQ scheduler the weight goes to the controller's own file, of another range on v2.
  if (w.file == "blkio.bfq.weight") return write("blkio.weight", w.value);
  if (w.file == "io.bfq.weight" && w.value.starts_with("default ")) {
    std::uint64_t weight =
        std::clamp<std::uint64_t>(parse_uint(w.value.substr(8)).value_or(0), 10, 1000);
    return write("io.weight", concat(1 + (weight - 10) * 9999 / 990));
  }
  return status;
}

bool needs_controller(const std::vector<CgroupWrite>& writes, std::string_view controller) {
  return std::any_of(writes.begin(), writes.end(),
                     [&](const CgroupWrite& w) { return w.controller == controller; });
}

}  // namespace minke::runtime
