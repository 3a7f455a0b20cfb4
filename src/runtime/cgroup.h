// One container's cgroup on v1, v2 and hybrid hosts, by cgroupfs or as a systemd scope.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/spec.h"

namespace minke::runtime {

struct CgroupStats {
  std::uint64_t cpu_usage_ns = 0, cpu_user_ns = 0, cpu_system_ns = 0, throttled_ns = 0,
                throttled_periods = 0, periods = 0;
  std::vector<std::uint64_t> per_cpu_ns;
  std::uint64_t memory_usage = 0, memory_limit = 0, memory_cache = 0, memory_max_usage = 0,
                memory_failcnt = 0;
  std::uint64_t swap_usage = 0, swap_limit = 0;
  std::uint64_t pids_current = 0, pids_limit = 0;
  std::uint64_t block_read_bytes = 0, block_write_bytes = 0;
  std::uint64_t oom_kills = 0;
};

class Cgroup {
 public:
  // `saved` is the text in ContainerHandle::cgroup; "" is a container without a cgroup of its own:
  // every operation then answers as far as processes can be found otherwise, or says unsupported.
  static Result<Cgroup> open(const std::string& saved);
  std::string save() const;

  Status kill_all(int signal) const;        // cgroup.kill where there is one
  Result<std::vector<pid_t>> pids() const;  // of the whole subtree
  Status freeze(bool frozen) const;         // waits until it is so
  Result<bool> frozen() const;
  // A v1 hierarchy that only an update needs is entered then; everybody who opens the saved text
  // afterwards finds it.
  Status update(oci::Resources resources);
  Result<CgroupStats> stats() const;
  // A descriptor and poll events that say "look at oom_kills again": v2 memory.events (POLLPRI by
  // inotify), v1 an eventfd on memory.oom_control. Nothing when there is no memory controller.
  Result<int> oom_event_fd() const;  // owned by the caller
  Result<std::uint64_t> oom_kills() const;
  // A systemd scope: gone with its last process, and its files with it.
  bool is_scope() const { return !scope_.empty(); }
  // Path below the cgroup root, as `inspect` shows it; empty for none.
  std::string path() const;
  bool try_remove() const;  // at once: false when some process or group is left in it
  Status remove() const;    // waits a little for the last process; not there is success

  // One hierarchy and the container's folder in it; "" for v2.
  struct Entry {
    std::string controllers;  // "memory", "cpu,cpuacct", "" for the v2 hierarchy
    std::string path;         // absolute
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  friend class CgroupBuilder;
  std::vector<Entry> entries_;
  std::vector<Entry> spare_;  // v1: hierarchies that the container is not in, until an update
  std::string scope_;         // systemd unit, if any
};

enum class CgroupMode { v1, hybrid, v2 };
CgroupMode cgroup_mode();  // of this host, by statfs of /sys/fs/cgroup

}  // namespace minke::runtime
