// For tests: network namespaces as hosts, networks and containers in them, and what address a
// listener sees of a client.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/link.h"
#include "net/setup.h"
#include "net/setup_parts.h"
#include "sys/testing_namespace.h"

namespace minke::net::testing {

#define NEED(expression)                                     \
  do {                                                       \
    if (auto&& need_ = (expression); !need_)                 \
      return need_.error().message() + " (" #expression ")"; \
  } while (false)

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }
inline IpPrefix prefix(const char* text) { return *IpPrefix::parse(text); }

inline Network network(const char* name, const char* bridge, const char* subnet4,
                       const char* subnet6) {
  Network n;
  n.name = name;
  n.id = std::string(64, name[0]);
  n.driver = "bridge";
  n.interface = bridge;
  for (const char* text : {subnet4, subnet6}) {
    if (!text) continue;
    Subnet subnet;
    subnet.subnet = prefix(text);
    subnet.gateway = subnet.subnet.network().next();
    n.subnets.push_back(subnet);
  }
  n.ipv6_enabled = subnet6 != nullptr;
  return n;
}

inline Attachment attachment(const Network& n, int number, const char* interface = "eth0") {
  Attachment a;
  a.network = n.name;
  a.driver = "bridge";
  a.interface = interface;
  a.bridge = n.interface;
  a.host_interface = concat("v", n.name, number);
  a.mac = *MacAddress::parse(format("02:00:00:00:%02x:%02x", n.name[0], number));
  a.internal = n.internal;
  for (const auto& subnet : n.subnets) {
    a.addresses.push_back(
        {subnet.subnet.network().plus(static_cast<unsigned>(number)), subnet.subnet.length});
    if (!n.internal) a.gateways.push_back(*subnet.gateway);
  }
  return a;
}

// A network namespace that stands for a machine; the caller's is kept.
inline Result<sys::UniqueFd> new_host() {
  auto own = TRY(sys::open("/proc/self/ns/net", O_RDONLY));
  if (::unshare(CLONE_NEWNET) < 0) return Error::from_errno(errno, "unshare");
  auto made = TRY(sys::open("/proc/self/ns/net", O_RDONLY));
  if (::setns(own.get(), CLONE_NEWNET) < 0) return Error::from_errno(errno, "setns");
  return made;
}
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  static SocketAddress of(const IpAddress& address, std::uint16_t port) {
    SocketAddress out;
    if (address.v6) {
      auto* six = reinterpret_cast<sockaddr_in6*>(&out.storage);
      six->sin6_family = AF_INET6;
      six->sin6_port = htons(port);
      std::copy_n(address.bytes.data(), 16, six->sin6_addr.s6_addr);
      out.size = sizeof *six;
    } else {
      auto* four = reinterpret_cast<sockaddr_in*>(&out.storage);
      four->sin_family = AF_INET;
      four->sin_port = htons(port);
      four->sin_addr.s_addr = htonl(address.v4_number());
      out.size = sizeof *four;
    }
    return out;
  }
  std::string text() {
    char buffer[INET6_ADDRSTRLEN] = {};
    const void* bytes =
        storage.ss_family == AF_INET6
            ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&storage)->sin6_addr)
            : static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(&storage)->sin_addr);
    ::inet_ntop(storage.ss_family, bytes, buffer, sizeof buffer);
    return buffer;
  }
};

inline bool wait_readable(int fd, int ms) {
  pollfd poll{fd, POLLIN, 0};
  return ::poll(&poll, 1, ms) == 1;
}

inline Result<sys::UniqueFd> listener(int netns, const IpAddress& address, std::uint16_t port,
                                      int type) {
  auto there = TRY(sys::InNetns::enter(netns));
  sys::UniqueFd fd(::socket(address.v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto to = SocketAddress::of(address, port);
  if (!fd || ::bind(fd.get(), to.raw(), to.size) < 0) return Error::from_errno(errno, "bind");
  if (type == SOCK_STREAM && ::listen(fd.get(), 8) < 0) return Error::from_errno(errno, "listen");
  return fd;
}

// Which address the one who listens sees of a client in `from` that sends to `to`; what failed.
inline std::string seen_from(int from, const IpAddress& to, std::uint16_t port, int listening,
                             int type, int patience_ms = 3000) {
  sys::UniqueFd client;
  {
    auto there = sys::InNetns::enter(from);
    if (!there) return there.error().message();
    client =
        sys::UniqueFd(::socket(to.v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  auto address = SocketAddress::of(to, port);
  if (::connect(client.get(), address.raw(), address.size) < 0 && errno != EINPROGRESS)
    return concat("connect: ", std::string(::strerror(errno)));
  SocketAddress peer;
  if (type == SOCK_DGRAM) {
    char byte = 'x';
    if (::send(client.get(), &byte, 1, 0) != 1)
      return concat("send: ", std::string(::strerror(errno)));
    if (!wait_readable(listening, patience_ms)) return "nothing arrived";
    ::recvfrom(listening, &byte, 1, 0, peer.raw(), &peer.size);
    ::sendto(listening, &byte, 1, 0, peer.raw(), peer.size);
    return wait_readable(client.get(), patience_ms) ? peer.text() : "no answer";
  }
  // A refused client is readable at once.
  pollfd both[2] = {{listening, POLLIN, 0}, {client.get(), POLLIN, 0}};
  if (::poll(both, 2, patience_ms) < 1) return "nothing arrived";
  if (!(both[0].revents & POLLIN)) {
    char byte;
    if (::recv(client.get(), &byte, 1, 0) < 0)
      return concat("connect: ", std::string(::strerror(errno)));
    return "answered by somebody else";
  }
  sys::UniqueFd served(::accept4(listening, peer.raw(), &peer.size, SOCK_CLOEXEC));
  if (::send(served.get(), "y", 1, 0) != 1) return "send back";
  return wait_readable(client.get(), patience_ms) ? peer.text() : "no answer";
}

#define SAME(actual, expected)                                                   \
  do {                                                                           \
    std::string got_ = (actual), want_ = (expected);                             \
    if (got_ != want_) return concat(#actual, ": ", got_, ", expected ", want_); \
  } while (false)

inline Result<sys::UniqueFd> new_container(const Network& n, const Attachment& a,
                                           const Place& place) {
  auto container = TRY(new_host());
  TRY(attach(n, a, place, container.get()));
  return container;
}

// The world: a machine behind the host's `up0`, 203.0.113.7 and 2001:db8::7, that has no route back
// to containers.
inline Result<sys::UniqueFd> outside(int host) {
  auto out = TRY(new_host());
  auto links = TRY(Links::open(host));
  auto there = TRY(Links::open(out.get()));
  VethSpec veth;
  veth.name = "up0";
  veth.peer_name = "wan0";
  veth.peer_netns = out.get();
  LinkBatch make;
  TRY(links.run(make.add_veth(veth)));
  Link own = TRY(links.get("up0"));
  Link peer = TRY(there.get("wan0"));
  LinkBatch a, b;
  a.add_address(own.index, "up0", prefix("203.0.113.1/24"));
  TRY(links.run(a.add_address(own.index, "up0", prefix("2001:db8::1/64"))));
  b.add_address(peer.index, "wan0", prefix("203.0.113.7/24"));
  b.add_address(peer.index, "wan0", prefix("2001:db8::7/64"));
  b.set_up(1, "lo").set_up(peer.index, "wan0");
  TRY(there.run(b));
  LinkBatch lo;
  TRY(links.run(lo.set_up(1, "lo")));
  return out;
}

inline AttachmentRecord record_of(const Attachment& a, std::vector<PortMapping> ports) {
  AttachmentRecord record;
  record.id = std::string(64, 'c');
  record.name = "web";
  record.networks = {a};
  record.ports = std::move(ports);
  return record;
}
inline PortMapping port(std::uint16_t host, std::uint16_t inside, Protocol protocol = Protocol::tcp,
                        const char* host_ip = nullptr) {
  PortMapping mapping;
  mapping.host_port = host;
  mapping.container_port = inside;
  mapping.protocol = protocol;
  if (host_ip) mapping.host_ip = ip(host_ip);
  return mapping;
}

// net.bridge.bridge-nf-call-*tables of the caller's namespace, where there is such a thing.
inline Status switch_bridge_calls(const char* value) {
  auto settings = TRY(Settings::of(-1));
  TRY(settings.set_if_there("bridge/bridge-nf-call-iptables", value));
  return settings.set_if_there("bridge/bridge-nf-call-ip6tables", value);
}

}  // namespace minke::net::testing
