// Where bridges live: the host's network namespace, or the user's own.
#pragma once

#include <functional>

#include "engine/host.h"
#include "net/setup.h"
#include "sys/fd.h"

namespace minke::engine {

// Runs `act` where the bridges are.
Status at_bridges(const Host& host, const std::function<Status(const net::Place&)>& act);

// The network namespace of a process, which is known to be that very one.
Result<sys::UniqueFd> open_network_namespace(pid_t pid, std::uint64_t start_time);

// Whether minke-netd answers for names and published ports of this engine's networks.
bool netd_serves(const Host& host);

}  // namespace minke::engine
