// Namespaces of containers, and who serves their networks.
#pragma once

#include "engine/host.h"
#include "engine/netd.h"
#include "sys/fd.h"

namespace minke::engine {

// The network namespace of a process, which is known to be that very one.
Result<sys::UniqueFd> open_network_namespace(pid_t pid, std::uint64_t start_time);

// Whether minke-netd answers for names and published ports of this engine's networks.
bool netd_serves(const Host& host);

}  // namespace minke::engine
