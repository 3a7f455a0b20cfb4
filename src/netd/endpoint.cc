#include "netd/endpoint.h"

#include <arpa/inet.h>

#include <cstring>

#include "base/str.h"

namespace minke::netd {
namespace {

constexpr std::uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::uint64_t mix(std::uint64_t h) {  // the end of splitmix64
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
  h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
  return h ^ (h >> 31);
}

}  // namespace

bool is_v4_mapped(const net::IpAddress& address) {
  return address.v6 && std::memcmp(address.bytes.data(), kMappedPrefix, sizeof kMappedPrefix) == 0;
}

net::IpAddress unmapped(const net::IpAddress& address) {
  if (!is_v4_mapped(address)) return address;
  net::IpAddress v4;
  std::memcpy(v4.bytes.data(), address.bytes.data() + 12, 4);
  return v4;
}

std::string Endpoint::text() const {
  return address.v6 ? concat("[", address.text(), "]:", std::to_string(port))
                    : concat(address.text(), ":", std::to_string(port));
}

SocketAddress::SocketAddress(const Endpoint& e) : v6{}, length(sizeof v6) {
  if (e.address.v6) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(e.port);
    v6.sin6_scope_id = e.scope;
    std::memcpy(&v6.sin6_addr, e.address.bytes.data(), 16);
  } else {
    length = sizeof v4;
    v4.sin_family = AF_INET;
    v4.sin_port = htons(e.port);
    std::memcpy(&v4.sin_addr, e.address.bytes.data(), 4);
  }
}

Endpoint SocketAddress::endpoint() const {
  Endpoint e;
  if (any.sa_family == AF_INET6) {
    e.address.v6 = true;
    std::memcpy(e.address.bytes.data(), &v6.sin6_addr, 16);
    e.address = unmapped(e.address);
    e.port = ntohs(v6.sin6_port);
    e.scope = v6.sin6_scope_id;
  } else if (any.sa_family == AF_INET) {
    std::memcpy(e.address.bytes.data(), &v4.sin_addr, 4);
    e.port = ntohs(v4.sin_port);
  }
  return e;
}

Endpoint local_endpoint(int fd) {
  SocketAddress a;
  if (::getsockname(fd, &a.any, &a.length) < 0) return {};
  return a.endpoint();
}

Endpoint peer_endpoint(int fd) {
  SocketAddress a;
  if (::getpeername(fd, &a.any, &a.length) < 0) return {};
  return a.endpoint();
}

std::uint64_t hash_of(const net::IpAddress& address, std::uint64_t seed) {
  std::uint64_t word[2];
  std::memcpy(word, address.bytes.data(), sizeof word);
  return mix(mix(word[0] ^ seed) ^ word[1] ^ (address.v6 ? 1 : 0));
}

std::uint64_t hash_of(const Endpoint& endpoint, std::uint64_t seed) {
  return mix(hash_of(endpoint.address, seed) ^ endpoint.port);
}

}  // namespace minke::netd
