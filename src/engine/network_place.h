// Where bridges live: the host's network namespace, or the user's own.
#pragma once

#include "engine/host.h"
#include "net/setup.h"
#include "sys/fd.h"

namespace minke::engine {

struct NetworkPlace {
  sys::UniqueFd netns;
  bool rootless = false;
  net::Place place() const { return {netns.get(), rootless}; }
};
Result<NetworkPlace> open_network_place(const Host& host);

// The network namespace of a process, which is known to be that very one.
Result<sys::UniqueFd> open_network_namespace(pid_t pid, std::uint64_t start_time);

// Whether minke-netd answers for names and published ports of this engine's networks.
bool netd_serves(const Host& host);

}  // namespace minke::engine
