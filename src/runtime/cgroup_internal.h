// Shared by the cgroup files; not for other modules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/cgroup.h"

namespace minke::runtime {

inline constexpr std::string_view kCgroupRoot = "/sys/fs/cgroup";

// One write into a cgroup file.
struct CgroupWrite {
  std::string controller;  // "memory"
  std::string file;        // "memory.max"
  std::string value;
};
// What `resources` means in files, in an order that the kernel takes (cgroup_limits.cc). `update`
// changes a living cgroup: raising a v1 memory limit must write memory+swap first.
Result<std::vector<CgroupWrite>> limit_writes(const oci::Resources& resources, bool v2,
                                              bool update);
// Writes one, with the names that older and newer kernels have for it.
Status write_limit(const Cgroup::Entry& entry, const CgroupWrite& write);
// Does `resources` need the hierarchy of `controller` (v1)?
bool needs_controller(const std::vector<CgroupWrite>& writes, std::string_view controller);

// Lines for devices.allow and devices.deny (v1), in order: {allow, "c 1:3 rwm"}
// (cgroup_devices.cc).
struct DeviceLine {
  bool allow;
  std::string line;
};
std::vector<DeviceLine> device_lines(const std::vector<oci::DeviceRule>& rules);
// The instructions (struct bpf_insn) of a device filter with the same meaning.
std::vector<std::uint64_t> device_program(const std::vector<oci::DeviceRule>& rules);
// Attaches a BPF program with the same meaning to a v2 cgroup.
Status attach_device_program(int cgroup_fd, const std::vector<oci::DeviceRule>& rules);

// Enables the controllers that `writes` need, from the v2 root down to the parent of `path`.
void enable_v2(const std::string& path, const std::vector<CgroupWrite>& writes);
// A new cpuset has no CPUs and takes no process: it is given those of its parents.
Status fill_cpuset(const std::string& path);

bool entry_has(const Cgroup::Entry& entry, std::string_view controller);
const Cgroup::Entry* find_entry(const std::vector<Cgroup::Entry>& entries,
                                std::string_view controller);

}  // namespace minke::runtime
