// The PROXY protocol (haproxy's proxy-protocol.txt, versions 1 and 2): what a proxy writes in front
// of a connection to say whose it is.
#pragma once

#include <string>

#include "net/port.h"
#include "netd/endpoint.h"

namespace minke::netd {

// Of a TCP connection from `source` to `destination`. Addresses of two families become those of v6,
// the v4 one as ::ffff:a.b.c.d. Empty for ProxyHeader::none.
std::string make_proxy_header(net::ProxyHeader version, const Endpoint& source,
                              const Endpoint& destination);

}  // namespace minke::netd
