#include "netd/listeners.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/str.h"
#include "net/netd_client.h"
#include "sys/socket.h"

namespace minke::netd {
namespace {

constexpr int kBacklog = 4096;

bool has_family(const net::AttachmentRecord& record, bool v6) {
  for (const net::Attachment& attachment : record.networks)
    for (const net::IpPrefix& address : attachment.addresses)
      if (address.address.v6 == v6) return true;
  return false;
}

std::string user_of(const Binder& binder) {
  return binder.user.empty() ? concat(binder.uid) : binder.user;
}

Result<sys::UniqueFd> listening(sys::UniqueFd fd, const ListenSpec& spec) {
  if (spec.protocol == net::Protocol::tcp && ::listen(fd.get(), kBacklog) < 0)
    return Error::from_errno(errno, "listen");
  return fd;
}

// minke-portd: the bound socket, or why not.
Result<sys::UniqueFd> ask_portd(const ListenSpec& spec, const Binder& binder) {
  sys::UniqueFd socket = TRY(sys::connect_unix(binder.portd, SOCK_SEQPACKET));
  timeval patience{5, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  TRY(sys::send_message(socket.get(), concat(net::protocol_name(spec.protocol), " ",
                                             spec.at.address.text(), " ", spec.at.port)));
  sys::Message message = TRY(sys::receive_message(socket.get(), 4096));
  TRY(net::unpack_netd_answer(message.data));
  if (message.fds.size() != 1 || !can_stand_for(message.fds[0].get(), spec))
    return Error(Errc::corrupt, "minke-portd: not the socket that was asked for");
  TRY(sys::set_nonblocking(message.fds[0].get(), true));
  return listening(std::move(message.fds[0]), spec);
}

// As a socket unit names it: without an address it takes both families.
std::string socket_address(const ListenSpec& spec) {
  return spec.at.address.is_unspecified() ? concat(spec.at.port) : spec.at.text();
}

int unprivileged_start() {
  auto text = sys::read_small_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", 32);
  auto number = text ? parse_int(trim(*text)) : std::nullopt;
  return number ? static_cast<int>(*number) : 1024;
}

}  // namespace

std::string ListenSpec::text() const {
  return concat(at.text(), "/", net::protocol_name(protocol));
}

std::vector<ListenSpec> listen_specs(const net::AttachmentRecord& record,
                                     std::vector<std::string>* warnings) {
  bool family[2] = {has_family(record, false), has_family(record, true)};
  std::vector<ListenSpec> specs;
  auto add = [&](const net::PortMapping& mapping, const net::IpAddress& address) {
    for (std::uint32_t i = 0; i < mapping.range; ++i) {
      auto port = [&](std::uint16_t first) { return static_cast<std::uint16_t>(first + i); };
      specs.push_back({{address, port(mapping.host_port), 0},
                       mapping.protocol,
                       port(mapping.container_port),
                       mapping.proxy});
    }
  };
  for (const net::PortMapping& mapping : record.ports) {
    if (!mapping.host_ip) {
      for (bool v6 : {false, true})
        if (family[v6]) add(mapping, net::IpAddress::any(v6));
      continue;
    }
    add(mapping, *mapping.host_ip);
    if (!family[mapping.host_ip->v6] && warnings != nullptr)
      warnings->push_back(concat("container ", record.name, " has no IPv",
                                 mapping.host_ip->v6 ? "6" : "4", " address: clients of ",
                                 specs.back().text(), " are seen as its network's gateway"));
  }
  return specs;
}

std::string low_port_help(const ListenSpec& spec, const Binder& binder) {
  std::string user = user_of(binder), port = concat(spec.at.port),
              protocol = net::protocol_name(spec.protocol), unit = concat("minke-", port);
  return concat(
      "ports below ", unprivileged_start(), " are root's here; three ways out:\n",
      "  1. for all users, from this port on:\n",
      "     echo net.ipv4.ip_unprivileged_port_start=", port,
      " | sudo tee /etc/sysctl.d/90-minke.conf && sudo sysctl -p /etc/sysctl.d/90-minke.conf\n",
      "  2. for user ", user, " and this port alone:\n", "     echo '", user, " ",
      spec.at.address.is_unspecified() ? "*" : spec.at.address.text(), " ", port, " ", protocol,
      "' | sudo tee -a /etc/minke/ports.d/", user,
      ".conf && sudo systemctl enable --now minke-portd.socket\n",
      "  3. a socket of systemd's, for the service that runs `minke start` or `minke run` as User=",
      user, " (here NAME.service):\n", "     printf '[Socket]\\n",
      spec.protocol == net::Protocol::tcp ? "ListenStream=" : "ListenDatagram=",
      socket_address(spec), "\\nService=NAME.service\\n[Install]\\nWantedBy=sockets.target\\n'",
      " | sudo tee /etc/systemd/system/", unit, ".socket && sudo systemctl enable --now ", unit,
      ".socket");
}

Result<sys::UniqueFd> bind_only(const ListenSpec& spec) {
  bool tcp = spec.protocol == net::Protocol::tcp;
  sys::UniqueFd fd(::socket(spec.at.address.v6 ? AF_INET6 : AF_INET,
                            (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno(errno, "socket");
  int on = 1;
  // Connections of an earlier listener may wait for their end; datagrams have nothing such, and
  // there it would let two listeners share the port.
  if (tcp) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (spec.at.address.v6 && ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
    return Error::from_errno(errno, "IPV6_V6ONLY");
  SocketAddress address(spec.at);
  if (::bind(fd.get(), &address.any, address.length) < 0) return Error::from_errno(errno, "bind");
  return fd;
}

Result<sys::UniqueFd> bind_listener(const ListenSpec& spec, const Binder& binder) {
  if (spec.protocol == net::Protocol::sctp)
    return Error(Errc::unsupported,
                 concat("rootless: cannot publish ", spec.text(), ": SCTP is not forwarded"));
  auto bound = bind_only(spec);
  if (bound) bound = listening(std::move(*bound), spec);
  if (bound) return bound;
  Error error = std::move(bound.error());
  std::string what = concat(binder.rootless ? "rootless: " : "", "cannot bind ", spec.text());
  if (error.sys() != EACCES) return std::move(error).wrap(what);
  auto granted = ask_portd(spec, binder);
  if (granted) return granted;
  std::string said = granted.error().code() == Errc::permission && granted.error().sys() == 0
                         ? concat(granted.error().message(), "; ")
                         : std::string();
  return Error(Errc::permission,
               concat(what, ": permission denied: ", said, low_port_help(spec, binder)));
}

Result<ListenSpec> describe_listener(int fd) {
  ListenSpec spec;
  int type = 0, domain = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
      ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(size = sizeof domain)) < 0)
    return Error::from_errno(errno, "a listener that was handed over");
  if ((domain != AF_INET && domain != AF_INET6) || (type != SOCK_STREAM && type != SOCK_DGRAM))
    return Error(Errc::invalid_argument, "a listener that was handed over: not TCP or UDP");
  spec.protocol = type == SOCK_STREAM ? net::Protocol::tcp : net::Protocol::udp;
  spec.at = local_endpoint(fd);
  return spec;
}

bool can_stand_for(int fd, const ListenSpec& spec) {
  auto there = describe_listener(fd);
  if (!there || there->protocol != spec.protocol || there->at.port != spec.at.port) return false;
  if (there->at.address == spec.at.address) return true;
  int only = 1;
  socklen_t size = sizeof only;
  if (!there->at.address.v6) return false;
  ::getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size);
  return only == 0 && there->at.address.is_unspecified() && !spec.at.address.v6 &&
         spec.at.address.is_unspecified();
}

}  // namespace minke::netd
