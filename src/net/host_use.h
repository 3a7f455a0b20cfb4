// What the host's network has already, so that nothing new collides with it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace minke::net {

struct HostUse {
  std::vector<IpPrefix> taken;  // destinations of routes but the default ones, and own addresses
  std::set<std::string> links;
  std::string default_link;  // of the default route of IPv4; empty: none
  bool ipv6 = false;         // the kernel has it, and it is not switched off for all
};
// Of the network namespace that the caller is in.
Result<HostUse> read_host_use();

// The address by which the host speaks to others, of IPv4 where it has one; nothing on a host with
// loopback alone.
std::optional<IpAddress> own_address();

// The lines of /proc/net/route and /proc/net/ipv6_route.
std::vector<IpPrefix> parse_route_table(std::string_view text);
std::vector<IpPrefix> parse_route6_table(std::string_view text);

}  // namespace minke::net
