// Published ports: what -p says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "net/address.h"

namespace minke::net {

enum class Protocol : std::uint8_t { tcp, udp, sctp };
const char* protocol_name(Protocol protocol);
std::optional<Protocol> parse_protocol(std::string_view text);

// The PROXY protocol's header in front of what a client sends; the container must want it.
enum class ProxyHeader : std::uint8_t { none, v1, v2 };

// `range` ports from host_port on lead to as many from container_port on.
struct PortMapping {
  std::optional<IpAddress> host_ip;  // none: every address, both families
  std::uint16_t host_port = 0;       // 0: any free one, not chosen yet
  std::uint16_t container_port = 0;
  std::uint16_t range = 1;  // at least 1
  Protocol protocol = Protocol::tcp;
  ProxyHeader proxy = ProxyHeader::none;

  auto operator<=>(const PortMapping&) const = default;
};
void bind(json::Binder& b, PortMapping& p);

// [[HOSTIP:][HOSTPORT[-END]]:]PORT[-END][/PROTOCOL][,proxy=v1|v2]; errors are Podman's.
Result<PortMapping> parse_publish(std::string_view text);
// PORT[-END][/PROTOCOL], as an image exposes it.
Result<PortMapping> parse_exposed(std::string_view text);

// In the order of their ports, each once, neighbours as one range. Two that want the same port of
// the host for different ones of the container are an error.
Result<std::vector<PortMapping>> merge_ports(std::vector<PortMapping> ports);
// Whether both want a port of the host's: "any address" wants those of all.
bool host_ports_overlap(const PortMapping& a, const PortMapping& b);

// "0.0.0.0:8080->80/tcp, ..." as ps prints them.
std::string ports_text(const std::vector<PortMapping>& ports);

}  // namespace minke::net
