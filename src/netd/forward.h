// What the forwarders of TCP and UDP share: containers, counters, and sockets of N that speak for a
// client.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "netd/route_choice.h"
#include "netd/splice.h"
#include "sys/fd.h"

namespace minke::netd {

struct ForwardedContainer {
  Target target;
  RelayGroup relays;
  sys::UniqueFd within;  // its network namespace, when no bridge leads to it
};

struct ForwardStats {
  SpliceStats tcp;
  std::atomic<std::uint64_t> ports{0}, udp_flows{0}, udp_flows_total{0}, udp_dropped{0};
  std::atomic<std::uint64_t> refused{0};       // connections that the container did not take
  std::atomic<std::uint64_t> fd_shortages{0};  // times that there was no descriptor to be had
  std::atomic<bool> transparent{true};         // off: everything comes from the bridges' addresses
};

// The calling thread stands in N: sockets within a container bring it back there. Once.
Status note_own_namespace();

// A non-blocking socket whose connect to the container is done or on its way. With no disguise it
// is bound to the client's address, and to its port where that is free. Negative: -errno. A kernel
// that refuses a transparent socket is remembered in `stats` and logged once.
int dial_container(const ForwardedContainer& container, int type, const Route& route,
                   const Endpoint& client, std::uint16_t port, bool keep_port, ForwardStats* stats);

// Some descriptors are left to the rest of the process: a number above this one counts as EMFILE.
int last_usable_fd();
// errno of a call that made a descriptor: none are left, or no memory for one.
bool is_shortage(int error);

}  // namespace minke::netd
