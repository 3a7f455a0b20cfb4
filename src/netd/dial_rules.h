// What may be dialled for a container, and what its connect is told: decisions only.
#pragma once

#include <cstdint>

#include "net/address.h"
#include "netd/syn_queue.h"

namespace minke::netd {

// False for what is nobody's address outside the host: this host and its loopback, link-local,
// multicast, addresses of v4 in v6's clothes.
bool may_dial(const net::IpAddress& address);

// The verdict on a SYN and the mark (net/ruleset.h) that leads it to a `reject` rule of N, which
// answers as the network would have. Mark 0: on to the listener, or nothing.
struct SynAnswer {
  Verdict verdict;
  std::uint32_t mark;
};
// Of the host's own connect; 0: it stands.
SynAnswer answer_for(int connect_error);

}  // namespace minke::netd
