// The host's sockets of published ports: which ones a container wants, and how they are had.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "net/attachment.h"
#include "netd/endpoint.h"
#include "sys/fd.h"

namespace minke::netd {

struct ListenSpec {
  Endpoint at;
  net::Protocol protocol = net::Protocol::tcp;
  std::uint16_t container_port = 0;
  net::ProxyHeader proxy = net::ProxyHeader::none;
  auto operator<=>(const ListenSpec&) const = default;
  std::string text() const;  // 0.0.0.0:80/tcp
};

// A mapping without an address stands for every address of the families that the container has: a
// client of another family could only be shown in disguise. One that names an address gets it all
// the same, with a warning.
std::vector<ListenSpec> listen_specs(const net::AttachmentRecord& record,
                                     std::vector<std::string>* warnings);

// For whom, as messages tell it, and who else may be asked for ports that are root's.
struct Binder {
  bool rootless = false;
  uid_t uid = 0;     // outside
  std::string user;  // its name; empty: the number
  std::string portd = "/run/minke-portd.sock";
};
// Bound, non-blocking, not listening yet; no words about ways out.
Result<sys::UniqueFd> bind_only(const ListenSpec& spec);
// Bound, listening when it is a stream, non-blocking. For ports that are root's the error tells the
// ways out, ready to paste.
Result<sys::UniqueFd> bind_listener(const ListenSpec& spec, const Binder& binder);

// What a socket that somebody else bound is good for.
Result<ListenSpec> describe_listener(int fd);
// Whether it can stand for `spec`: the same port and protocol, and the same address or, without
// IPV6_V6ONLY, [::] for 0.0.0.0.
bool can_stand_for(int fd, const ListenSpec& spec);

// The lines that open a port below 1024 for this user.
std::string low_port_help(const ListenSpec& spec, const Binder& binder);

}  // namespace minke::netd
