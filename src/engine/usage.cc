#include "engine/usage.h"

#include <sys/sysinfo.h>

#include "base/str.h"
#include "runtime/cgroup.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

std::uint64_t host_memory() {
  struct sysinfo info {};
  return ::sysinfo(&info) == 0 ? std::uint64_t{info.totalram} * info.mem_unit : 0;
}

// "  eth0: RX-BYTES packets errs drop fifo frame compressed multicast TX-BYTES ..."
void add_network(pid_t pid, Usage* usage) {
  auto text = sys::read_small_file(concat("/proc/", pid, "/net/dev"), 1 << 20);
  if (!text) return;
  for (std::string_view line : split(*text, '\n')) {
    auto pair = split_once(line, ':');
    if (!pair || trim(pair->first) == "lo") continue;
    std::uint64_t numbers[9] = {};
    int count = 0;
    for (std::string_view word : split(pair->second, ' '))
      if (auto number = parse_uint(word); number && count < 9) numbers[count++] = *number;
    usage->net_in += numbers[0];
    usage->net_out += numbers[8];
  }
}

}  // namespace

Result<Usage> read_usage(const ContainerSummary& container) {
  Usage usage;
  usage.at = now();
  if (container.pid <= 0) return usage;
  usage.up_ns = usage.at - container.started_at;
  if (container.network_mode != "host") add_network(container.pid, &usage);
  runtime::Cgroup cgroup = TRY(runtime::Cgroup::open(container.cgroup));
  if (cgroup.entries().empty()) return usage;
  runtime::CgroupStats stats = TRY(cgroup.stats());
  usage.cpu_ns = static_cast<std::int64_t>(stats.cpu_usage_ns);
  usage.memory =
      stats.memory_usage > stats.memory_cache ? stats.memory_usage - stats.memory_cache : 0;
  const std::uint64_t all = host_memory();
  usage.memory_limit =
      stats.memory_limit > 0 && stats.memory_limit < all ? stats.memory_limit : all;
  usage.block_in = stats.block_read_bytes;
  usage.block_out = stats.block_write_bytes;
  usage.pids = stats.pids_current;
  return usage;
}

}  // namespace minke::engine
