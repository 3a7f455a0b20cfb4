#include "net/host_ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/failpoint.h"
#include "base/str.h"
#include "sys/fd.h"

namespace minke::net {
namespace {

struct Target {
  sockaddr_storage address{};
  socklen_t length = 0;
};

Target target_of(const IpAddress& ip, std::uint16_t port) {
  Target out;
  if (ip.v6) {
    auto* in = reinterpret_cast<sockaddr_in6*>(&out.address);
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(port);
    std::memcpy(&in->sin6_addr, ip.bytes.data(), 16);
    out.length = sizeof *in;
  } else {
    auto* in = reinterpret_cast<sockaddr_in*>(&out.address);
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    std::memcpy(&in->sin_addr, ip.bytes.data(), 4);
    out.length = sizeof *in;
  }
  return out;
}

// The socket bound, not listening.
Result<sys::UniqueFd> bind_one(Protocol protocol, const IpAddress& ip, std::uint16_t port) {
  const int type = protocol == Protocol::udp ? SOCK_DGRAM : SOCK_STREAM;
  const int number = protocol == Protocol::sctp ? IPPROTO_SCTP : 0;
  sys::UniqueFd socket(::socket(ip.v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, number));
  if (!socket) return Error::from_errno(errno, "socket");
  const int on = 1;
  // Connections that have just ended do not count; a listener does.
  if (protocol != Protocol::udp)
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (ip.v6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  Target target = target_of(ip, port);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&target.address), target.length) < 0)
    return Error::from_errno(errno, "bind");
  return socket;
}

// As Go's net.Listen says it, which scripts know from Podman.
Error taken(const PortMapping& port, std::uint16_t number, const Error& why,
            const std::string& holder) {
  const char* name = protocol_name(port.protocol);
  const bool v6 = port.host_ip && port.host_ip->v6;
  std::string ip = port.host_ip ? port.host_ip->text() : "";
  if (v6) ip = concat("[", ip, "]");
  std::string reason = why.sys() == EADDRINUSE ? "address already in use"
                       : why.sys() == EADDRNOTAVAIL
                           ? "cannot assign requested address"
                           : to_lower(std::string_view(::strerror(why.sys())).substr(0, 1)) +
                                 std::string(std::string_view(::strerror(why.sys())).substr(1));
  return Error(Errc::in_use, concat("cannot listen on the ", to_upper(name), " port: listen ", name,
                                    v6 ? "6 " : "4 ", ip, ":", number, ": bind: ", reason,
                                    holder.empty() ? "" : concat(" (", holder, " has it)")));
}

std::vector<IpAddress> addresses_of(const PortMapping& port) {
  if (port.host_ip) return {*port.host_ip};
  return {IpAddress::any(false), IpAddress::any(true)};
}

bool family_missing(const Error& error) {
  return error.sys() == EAFNOSUPPORT || error.sys() == EPROTONOSUPPORT ||
         error.sys() == EADDRNOTAVAIL;
}

// One free port, or as many in a row; sockets are kept in `held` so that no other gets them.
Result<std::uint16_t> free_ports(const PortMapping& port, std::vector<sys::UniqueFd>* held) {
  constexpr int kTries = 64;
  const IpAddress ip = port.host_ip.value_or(IpAddress::any(false));
  Error last(Errc::unavailable, "no free port");
  for (int tries = 0; tries < kTries; ++tries) {
    auto first = bind_one(port.protocol, ip, 0);
    if (!first) return std::move(first.error()).wrap("unable to get random port");
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    ::getsockname(first->get(), reinterpret_cast<sockaddr*>(&bound), &length);
    const std::uint16_t number = ntohs(ip.v6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
    std::vector<sys::UniqueFd> row;
    row.push_back(std::move(*first));
    bool all = number + port.range <= 65536;
    for (int i = 0; all && i < port.range; ++i)
      for (const IpAddress& address : addresses_of(port)) {
        if (i == 0 && address == ip) continue;
        auto next = bind_one(port.protocol, address, static_cast<std::uint16_t>(number + i));
        if (next)
          row.push_back(std::move(*next));
        else
          all = all && family_missing(next.error());
      }
    if (!all) continue;
    for (sys::UniqueFd& fd : row) held->push_back(std::move(fd));
    return number;
  }
  return Error(Errc::unavailable,
               concat("unable to get random port: found no ", port.range, " free ",
                      protocol_name(port.protocol), " ports in a row"));
}

std::string file_name(const PortMapping& port) {
  return concat(protocol_name(port.protocol), "-", port.host_port, "-",
                port.host_port + port.range - 1, "-",
                port.host_ip ? port.host_ip->text() : std::string("any"));
}

std::optional<PortMapping> parse_file_name(std::string_view name) {
  std::vector<std::string_view> parts = split(name, '-');
  if (parts.size() != 4) return std::nullopt;
  auto protocol = parse_protocol(parts[0]);
  auto first = parse_uint(parts[1]), last = parse_uint(parts[2]);
  if (!protocol || !first || !last || *last < *first || *last > 65535) return std::nullopt;
  PortMapping port;
  port.protocol = *protocol;
  port.host_port = static_cast<std::uint16_t>(*first);
  port.range = static_cast<std::uint16_t>(*last - *first + 1);
  if (parts[3] != "any") {
    auto ip = IpAddress::parse(parts[3]);
    if (!ip) return std::nullopt;
    port.host_ip = *ip;
  }
  return port;
}

struct Lease {
  PortMapping port;
  std::string file, id;
};
Result<std::vector<Lease>> list_leases(const std::string& dir) {
  std::vector<Lease> leases;
  auto folder = sys::open_dir(dir);
  if (!folder) {
    if (folder.error().code() == Errc::not_found) return leases;
    return std::move(folder.error());
  }
  for (const std::string& name : TRY(sys::list_dir(*folder))) {
    auto port = parse_file_name(name);
    auto id = sys::read_link_at(*folder, name.c_str());
    if (port && id) leases.push_back({*port, name, std::move(*id)});
  }
  return leases;
}

Status probe_port(const PortMapping& port) {
  for (int i = 0; i < port.range; ++i)
    for (const IpAddress& ip : addresses_of(port)) {
      auto number = static_cast<std::uint16_t>(port.host_port + i);
      auto bound = bind_one(port.protocol, ip, number);
      if (bound) continue;
      if (!port.host_ip && ip.v6 && family_missing(bound.error())) continue;
      // Nothing can be known of a protocol that the kernel has no sockets for.
      if (port.protocol == Protocol::sctp && family_missing(bound.error())) continue;
      PortMapping one = port;
      one.host_port = number;
      one.range = 1;
      return taken(port, number, bound.error(), port_holder(one));
    }
  return {};
}

// The inodes of sockets that are bound to the port, from /proc/net/tcp and the like.
std::vector<std::string> socket_inodes(const PortMapping& port) {
  std::vector<std::string> inodes;
  const std::string suffix = format(":%04X", port.host_port);
  for (const char* family : {"", "6"}) {
    auto text =
        sys::read_small_file(concat("/proc/net/", protocol_name(port.protocol), family), 16 << 20);
    if (!text) continue;
    for (std::string_view line : split(*text, '\n')) {
      // sl local remote state queues timer retransmits uid timeout inode
      std::vector<std::string_view> words;
      for (std::string_view word : split(line, ' '))
        if (!word.empty()) words.push_back(word);
      if (words.size() < 10 || !words[1].ends_with(suffix)) continue;
      if (port.protocol == Protocol::tcp && words[3] != "0A") continue;  // TCP_LISTEN
      inodes.push_back(concat("socket:[", words[9], "]"));
    }
  }
  return inodes;
}

}  // namespace

std::string port_holder(const PortMapping& port) {
  std::vector<std::string> inodes = socket_inodes(port);
  if (inodes.empty()) return "";
  auto pids = sys::list_dir(sys::DirFd::cwd(), "/proc");
  if (!pids) return "";
  for (const std::string& pid : *pids) {
    if (!parse_uint(pid)) continue;
    auto folder = sys::open_dir(concat("/proc/", pid, "/fd"));
    if (!folder) continue;
    auto fds = sys::list_dir(*folder);
    if (!fds) continue;
    for (const std::string& fd : *fds) {
      auto target = sys::read_link_at(*folder, fd.c_str());
      if (!target) continue;
      for (const std::string& inode : inodes)
        if (*target == inode) {
          std::string name = sys::read_small_file(concat("/proc/", pid, "/comm"), 64).value_or("?");
          return concat("process ", pid, " (", trim(name), ")");
        }
    }
  }
  return "";
}

Status choose_ports(std::vector<PortMapping>* ports) {
  std::vector<sys::UniqueFd> held;
  for (PortMapping& port : *ports)
    if (port.host_port == 0) port.host_port = TRY(free_ports(port, &held));
  return {};
}

Status lease_ports(const std::string& runroot, const std::string& id,
                   const std::vector<PortMapping>& ports, bool probe) {
  if (ports.empty()) return {};
  const std::string dir = runroot + "/ports";
  TRY(release_ports(runroot, id));
  for (const Lease& lease : TRY(list_leases(dir)))
    for (const PortMapping& port : ports) {
      if (!host_ports_overlap(port, lease.port)) continue;
      auto number = std::max(port.host_port, lease.port.host_port);
      return taken(port, number, Error::from_errno(EADDRINUSE, "bind"),
                   concat("container ", lease.id.substr(0, 12)));
    }
  if (probe)
    for (const PortMapping& port : ports) TRY(probe_port(port));
  TRY(sys::ensure_dirs(dir, 0700));
  int step = 0;
  for (const PortMapping& port : ports) {
    Status made =
        sys::symlink_at(id.c_str(), sys::DirFd::cwd(), concat(dir, "/", file_name(port)).c_str());
    if (!made) {
      ignore(release_ports(runroot, id), "the reason comes first");
      return made;
    }
    failpoint("net.ports", ++step);
  }
  return {};
}

Status release_ports(const std::string& runroot, const std::string& id) {
  const std::string dir = runroot + "/ports";
  ErrorList errors;
  for (const Lease& lease : TRY(list_leases(dir)))
    if (lease.id == id)
      errors.add(sys::unlink_at(sys::DirFd::cwd(), concat(dir, "/", lease.file).c_str()));
  return std::move(errors).to_status();
}

Result<std::vector<std::string>> port_owners(const std::string& runroot,
                                             const std::vector<PortMapping>& ports) {
  std::vector<std::string> owners;
  for (Lease& lease : TRY(list_leases(runroot + "/ports"))) {
    bool wanted = std::any_of(ports.begin(), ports.end(), [&](const PortMapping& port) {
      return host_ports_overlap(port, lease.port);
    });
    if (wanted && std::find(owners.begin(), owners.end(), lease.id) == owners.end())
      owners.push_back(std::move(lease.id));
  }
  return owners;
}

}  // namespace minke::net
