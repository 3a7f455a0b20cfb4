// What a container uses at this moment.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/time.h"
#include "engine/engine.h"

namespace minke::engine {

struct Usage {
  TimeNs at = 0;                       // when it was read
  std::int64_t cpu_ns = 0, up_ns = 0;  // since its start
  std::uint64_t memory = 0,
                memory_limit =
                    0;  // without cache that can be dropped; the host's memory without a limit
  std::uint64_t net_in = 0, net_out = 0;  // bytes, but for lo; zero with the host's network
  std::uint64_t block_in = 0, block_out = 0;
  std::uint64_t pids = 0;
};

// All zero for one that does not run or has no cgroup of its own.
Result<Usage> read_usage(const ContainerSummary& container);

}  // namespace minke::engine
