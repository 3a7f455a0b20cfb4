// An address with its port, as sockets take and give them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <string>

#include "net/address.h"

namespace minke::netd {

struct Endpoint {
  net::IpAddress address;
  std::uint16_t port = 0;   // host order
  std::uint32_t scope = 0;  // of link-local v6
  auto operator<=>(const Endpoint&) const = default;
  std::string text() const;  // 192.0.2.1:80, [2001:db8::1]:80
};

// Room for either family; `length` is what the kernel wants beside it.
struct SocketAddress {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t length;
  SocketAddress() : v6{}, length(sizeof v6) {}
  explicit SocketAddress(const Endpoint& endpoint);
  // A v4 address that a dual-stack socket shows as ::ffff:a.b.c.d comes back as v4.
  Endpoint endpoint() const;
};

// True for ::ffff:a.b.c.d.
bool is_v4_mapped(const net::IpAddress& address);
net::IpAddress unmapped(const net::IpAddress& address);

// What getsockname and getpeername say; an unspecified address when they fail.
Endpoint local_endpoint(int fd);
Endpoint peer_endpoint(int fd);

std::uint64_t hash_of(const Endpoint& endpoint, std::uint64_t seed);
std::uint64_t hash_of(const net::IpAddress& address, std::uint64_t seed);

}  // namespace minke::netd
