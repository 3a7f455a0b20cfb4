// One question to the routing table of a namespace: is this address its own?
#pragma once

#include "base/result.h"
#include "net/address.h"
#include "sys/fd.h"

namespace minke::netd {

// Of the namespace that the calling thread stands in.
Result<sys::UniqueFd> open_route_socket();
// True too when the kernel does not answer: who asks wants to keep containers away from the host.
bool is_own_address(int route_socket, const net::IpAddress& address);

}  // namespace minke::netd
