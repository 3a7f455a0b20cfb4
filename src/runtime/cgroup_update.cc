// Live changes of a container's limits.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "runtime/cgroup_internal.h"
#include "runtime/cgroup_systemd.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

// Until nobody is outside: a process that forks meanwhile does so on either side.
Status move_all(const Cgroup& cgroup, const std::string& folder) {
  std::string file = concat(folder, "/cgroup.procs");
  for (int round = 0; round < 100; ++round) {
    std::vector<pid_t> inside;
    std::string text = TRY(sys::read_small_file(file));
    for (std::string_view line : split(text, '\n'))
      if (auto pid = parse_int(line)) inside.push_back(static_cast<pid_t>(*pid));
    bool moved = false;
    std::vector<pid_t> all = TRY(cgroup.pids());
    for (pid_t pid : all) {
      if (std::find(inside.begin(), inside.end(), pid) != inside.end()) continue;
      Status status = sys::write_existing(file, concat(pid));
      if (!status && status.error().sys() != ESRCH) return status;
      moved = true;
    }
    if (!moved) return {};
  }
  return Error(Errc::timeout, concat("move the container's processes to ", folder));
}

// Puts a running container into a v1 hierarchy that it had no need of so far.
Status join(const Cgroup& cgroup, const Cgroup::Entry& entry) {
  TRY(sys::ensure_dirs(entry.path, 0755));
  if (entry_has(entry, "cpuset")) TRY(fill_cpuset(entry.path));
  return move_all(cgroup, entry.path);
}

// v2 keeps quota and period in one file: who gives the period only keeps the quota.
void keep_quota(const std::string& path, oci::Resources* resources) {
  if (!resources->cpu || resources->cpu->quota || !resources->cpu->period) return;
  auto text = sys::read_small_file(concat(path, "/cpu.max"), 4096);
  if (!text) return;
  if (auto quota = parse_int(text->substr(0, text->find(' ')))) resources->cpu->quota = quota;
}

// memory+swap may never be below memory, neither before nor after a write: which of the two goes
// first depends on where they stand.
void order_memory(const std::vector<Cgroup::Entry>& entries, std::vector<CgroupWrite>* writes) {
  CgroupWrite *limit = nullptr, *both = nullptr;
  for (CgroupWrite& w : *writes) {
    if (w.file == "memory.limit_in_bytes") limit = &w;
    if (w.file == "memory.memsw.limit_in_bytes") both = &w;
  }
  const Cgroup::Entry* memory = find_entry(entries, "memory");
  if (limit == nullptr || both == nullptr) return;
  bool both_first = false;  // a group that is not there yet has no limits
  if (memory != nullptr) {
    auto text = sys::read_small_file(concat(memory->path, "/memory.memsw.limit_in_bytes"), 64);
    auto now = text ? parse_uint(trim(*text)) : std::nullopt;
    auto wanted = parse_uint(limit->value);  // none: -1, no limit
    both_first = !wanted || (now && *wanted > *now);
  }
  if (both_first != (both < limit)) std::swap(*limit, *both);
}

}  // namespace

Status Cgroup::update(oci::Resources resources) {
  if (entries_.empty()) return Error(Errc::unsupported, "the container has no cgroup of its own");
  bool v2 = entries_[0].controllers.empty();
  if (resources.memory && resources.memory->check_before_update &&
      resources.memory->limit.value_or(0) > 0) {
    CgroupStats now = TRY(stats());
    if (now.memory_usage > static_cast<std::uint64_t>(*resources.memory->limit))
      return Error(Errc::conflict, concat("the memory limit of ", *resources.memory->limit,
                                          " bytes is below what is in use, ", now.memory_usage));
  }
  if (v2) keep_quota(entries_[0].path, &resources);
  std::vector<CgroupWrite> writes = TRY(limit_writes(resources, v2, true));
  if (!v2) order_memory(entries_, &writes);
  if (!scope_.empty()) {
    TRY(update_scope(scope_, served_by_user_systemd(), resources));
  } else if (v2) {
    enable_v2(entries_[0].path, writes);
  }
  for (const CgroupWrite& w : writes) {
    const Entry* entry = find_entry(entries_, w.controller);
    if (entry == nullptr) {
      auto spare = std::find_if(spare_.begin(), spare_.end(),
                                [&](const Entry& e) { return entry_has(e, w.controller); });
      if (spare == spare_.end())
        return Error(Errc::unsupported,
                     concat(w.controller, " controller: not available on this host"));
      TRY_CTX(join(*this, *spare), concat("enter the ", w.controller, " hierarchy"));
      entries_.push_back(std::move(*spare));
      spare_.erase(spare);
      entry = &entries_.back();
    }
    TRY(write_limit(*entry, w));
  }
  if (resources.devices.empty()) return {};
  if (v2) {
    sys::UniqueFd dir = TRY(sys::open(entries_[0].path, O_RDONLY | O_DIRECTORY));
    return attach_device_program(dir.get(), resources.devices);
  }
  const Entry* entry = find_entry(entries_, "devices");
  if (entry == nullptr) return Error(Errc::unsupported, "the container has no devices cgroup");
  for (const DeviceLine& line : device_lines(resources.devices))
    TRY(sys::write_existing(concat(entry->path, line.allow ? "/devices.allow" : "/devices.deny"),
                            line.line));
  return {};
}

}  // namespace minke::runtime
