// What a cgroup uses, and its OOM kills.
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/cgroup_internal.h"
#include "sys/fd.h"

namespace minke::runtime {
namespace {

// A number, or nothing for "max" and for files that are not there.
std::optional<std::uint64_t> read_number(const std::string& path) {
  auto text = sys::read_small_file(path, 4096);
  if (!text) return std::nullopt;
  return parse_uint(trim(*text));
}

// The number behind `key` in lines of "key number".
std::uint64_t field(std::string_view text, std::string_view key) {
  for (std::string_view line : split(text, '\n')) {
    auto pair = split_once(line, ' ');
    if (pair && pair->first == key) return parse_uint(trim(pair->second)).value_or(0);
  }
  return 0;
}

std::string text_of(const std::string& path) { return sys::read_small_file(path).value_or(""); }

const Cgroup::Entry* entry_of(const std::vector<Cgroup::Entry>& entries,
                              std::string_view controller) {
  for (const Cgroup::Entry& entry : entries)
    if (entry_has(entry, controller)) return &entry;
  return nullptr;
}

void stats_v1(const std::vector<Cgroup::Entry>& entries, CgroupStats* s) {
  if (const auto* cpu = entry_of(entries, "cpuacct")) {
    s->cpu_usage_ns = read_number(cpu->path + "/cpuacct.usage").value_or(0);
    std::string stat = text_of(cpu->path + "/cpuacct.stat");
    auto tick_ns = static_cast<std::uint64_t>(1000000000 / ::sysconf(_SC_CLK_TCK));
    s->cpu_user_ns = field(stat, "user") * tick_ns;
    s->cpu_system_ns = field(stat, "system") * tick_ns;
    std::string per_cpu = text_of(cpu->path + "/cpuacct.usage_percpu");
    for (std::string_view number : split(trim(per_cpu), ' '))
      if (auto value = parse_uint(number)) s->per_cpu_ns.push_back(*value);
  }
  if (const auto* cpu = entry_of(entries, "cpu")) {
    std::string stat = text_of(cpu->path + "/cpu.stat");
    s->periods = field(stat, "nr_periods");
    s->throttled_periods = field(stat, "nr_throttled");
    s->throttled_ns = field(stat, "throttled_time");
  }
  if (const auto* memory = entry_of(entries, "memory")) {
    const std::string& path = memory->path;
    s->memory_usage = read_number(path + "/memory.usage_in_bytes").value_or(0);
    s->memory_limit = read_number(path + "/memory.limit_in_bytes").value_or(0);
    s->memory_max_usage = read_number(path + "/memory.max_usage_in_bytes").value_or(0);
    s->memory_failcnt = read_number(path + "/memory.failcnt").value_or(0);
    s->memory_cache = field(text_of(path + "/memory.stat"), "total_inactive_file");
    auto both = read_number(path + "/memory.memsw.usage_in_bytes");
    if (both && *both > s->memory_usage) s->swap_usage = *both - s->memory_usage;
    s->swap_limit = read_number(path + "/memory.memsw.limit_in_bytes").value_or(0);
    s->oom_kills = field(text_of(path + "/memory.oom_control"), "oom_kill");
  }
  if (const auto* pids = entry_of(entries, "pids")) {
    s->pids_current = read_number(pids->path + "/pids.current").value_or(0);
    s->pids_limit = read_number(pids->path + "/pids.max").value_or(0);
  }
  if (const auto* io = entry_of(entries, "blkio")) {
    // "8:0 Read 4096"
    std::string bytes = text_of(io->path + "/blkio.throttle.io_service_bytes_recursive");
    for (std::string_view line : split(bytes, '\n')) {
      auto words = split(line, ' ');
      if (words.size() != 3) continue;
      if (words[1] == "Read") s->block_read_bytes += parse_uint(words[2]).value_or(0);
      if (words[1] == "Write") s->block_write_bytes += parse_uint(words[2]).value_or(0);
    }
  }
}

void stats_v2(const std::string& path, CgroupStats* s) {
  std::string cpu = text_of(path + "/cpu.stat");
  s->cpu_usage_ns = field(cpu, "usage_usec") * 1000;
  s->cpu_user_ns = field(cpu, "user_usec") * 1000;
  s->cpu_system_ns = field(cpu, "system_usec") * 1000;
  s->periods = field(cpu, "nr_periods");
  s->throttled_periods = field(cpu, "nr_throttled");
  s->throttled_ns = field(cpu, "throttled_usec") * 1000;
  s->memory_usage = read_number(path + "/memory.current").value_or(0);
  s->memory_limit = read_number(path + "/memory.max").value_or(0);
  s->memory_max_usage = read_number(path + "/memory.peak").value_or(0);
  s->memory_cache = field(text_of(path + "/memory.stat"), "inactive_file");
  s->swap_usage = read_number(path + "/memory.swap.current").value_or(0);
  s->swap_limit = read_number(path + "/memory.swap.max").value_or(0);
  std::string events = text_of(path + "/memory.events");
  s->memory_failcnt = field(events, "max");
  s->oom_kills = field(events, "oom_kill");
  s->pids_current = read_number(path + "/pids.current").value_or(0);
  s->pids_limit = read_number(path + "/pids.max").value_or(0);
  // "8:0 rbytes=4096 wbytes=0 ..."
  std::string io = text_of(path + "/io.stat");
  for (std::string_view line : split(io, '\n')) {
    for (std::string_view word : split(line, ' ')) {
      auto pair = split_once(word, '=');
      if (!pair) continue;
      if (pair->first == "rbytes") s->block_read_bytes += parse_uint(pair->second).value_or(0);
      if (pair->first == "wbytes") s->block_write_bytes += parse_uint(pair->second).value_or(0);
    }
  }
}

Result<int> watch_v2(const std::string& path) {
  sys::UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch) return Error::from_errno(errno, "inotify");
  if (::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY) < 0)
    return Error::from_errno(errno, concat("watch ", path));
  return watch.release();
}

Result<int> watch_v1(const std::string& folder) {
  sys::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return Error::from_errno(errno, "eventfd");
  sys::UniqueFd control = TRY(sys::open(folder + "/memory.oom_control", O_RDONLY));
  // The kernel keeps its own references; both descriptors named here may be closed afterwards.
  TRY(sys::write_existing(folder + "/cgroup.event_control",
                          concat(event.get(), " ", control.get())));
  return event.release();
}

}  // namespace

Result<CgroupStats> Cgroup::stats() const {
  if (entries_.empty()) return Error(Errc::unsupported, "the container has no cgroup of its own");
  CgroupStats s;
  if (entries_[0].controllers.empty())
    stats_v2(entries_[0].path, &s);
  else
    stats_v1(entries_, &s);
  return s;
}

Result<int> Cgroup::oom_event_fd() const {
  for (const Entry& entry : entries_)
    if (entry_has(entry, "memory")) return watch_v1(entry.path);
  for (const Entry& entry : entries_)
    if (entry.controllers.empty() && sys::exists(entry.path + "/memory.events"))
      return watch_v2(entry.path + "/memory.events");
  return Error(Errc::unsupported, "no memory controller");
}

Result<std::uint64_t> Cgroup::oom_kills() const {
  for (const Entry& entry : entries_)
    if (entry_has(entry, "memory"))
      return field(text_of(entry.path + "/memory.oom_control"), "oom_kill");
  for (const Entry& entry : entries_)
    if (entry.controllers.empty()) return field(text_of(entry.path + "/memory.events"), "oom_kill");
  return std::uint64_t{0};
}

}  // namespace minke::runtime
