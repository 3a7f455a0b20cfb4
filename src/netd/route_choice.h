// Where a client's connection goes and under which address the container sees it: decisions only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/attachment.h"
#include "net/network.h"
#include "netd/endpoint.h"

namespace minke::netd {

// A container as clients reach it.
struct Target {
  struct Address {
    net::IpPrefix address;       // with its subnet's length
    bool default_route = false;  // the container answers strangers by this network
    // Whom it sees in place of a client that it cannot be shown. None: the bridge, by itself.
    std::optional<net::IpAddress> stand_in;
  };
  std::string id;
  std::vector<Address> addresses;      // in the order of its networks
  std::vector<net::IpPrefix> detours;  // what it reaches by routes of its own
  bool has_family(bool v6) const;
};

// The networks say what an attachment does not: metric, no_default_route, routes. One that is
// missing among `networks` counts as one without options.
Target make_target(const net::AttachmentRecord& record, const std::vector<net::Network>& networks);

// Why the container does not see the client's own address.
enum class Disguise : std::uint8_t {
  none,
  not_transparent,  // this kernel or its rules cannot
  host_itself,      // loopback, or the host's own address
  link_local,       // of no meaning elsewhere
  other_family,     // the container has no address of the client's family
  no_way_back,      // internal network, no default route
  in_subnet,        // the container would answer on its own link
};
const char* disguise_reason(Disguise disguise);

struct Route {
  net::IpAddress address;  // the container's
  Disguise disguise;       // not `none`: from `source`, or the address of the network's bridge
  std::optional<net::IpAddress> source = std::nullopt;
};
// `local` is the host's address that the client has reached. None: the container has no address.
std::optional<Route> choose_route(const Target& target, const net::IpAddress& client,
                                  const net::IpAddress& local, bool transparent);

}  // namespace minke::netd
