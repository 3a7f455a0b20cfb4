// Who may bind which port below 1024: lines of /etc/minke/ports.d/*.conf, for minke-portd.
//
//   USER ADDRESS PORTS PROTOCOL
//
// USER: a name or a number. ADDRESS: one of the host's, or * for any. PORTS: numbers and ranges
// with commas between (25,465,587 or 80-90). PROTOCOL: tcp, udp, or * for both. A # begins a
// comment.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/port.h"

namespace minke::net {

struct PortGrant {
  std::string user;
  std::optional<IpAddress> address;                            // none: any
  std::vector<std::pair<std::uint16_t, std::uint16_t>> ports;  // first and last
  std::optional<Protocol> protocol;                            // none: tcp and udp
};
// The error names the line.
Result<std::vector<PortGrant>> parse_port_grants(std::string_view text);

struct PortWish {
  Protocol protocol = Protocol::tcp;
  IpAddress address;
  std::uint16_t port = 0;
};
// "tcp 0.0.0.0 25": what netd asks for.
Result<PortWish> parse_port_wish(std::string_view text);

// `user_names`: those that stand for whoever asks, his number among them.
bool grants(const PortGrant& grant, const std::vector<std::string>& user_names,
            const PortWish& wish);

}  // namespace minke::net
