#include "net/port.h"

#include "base/str.h"
#include "net/network.h"

namespace minke::net {
namespace {

constexpr const char* kProtocols[] = {"tcp", "udp", "sctp"};
constexpr const char* kProxyHeaders[] = {"", "v1", "v2"};

}  // namespace

const char* protocol_name(Protocol protocol) {
  return kProtocols[static_cast<std::size_t>(protocol)];
}

std::optional<Protocol> parse_protocol(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kProtocols); ++i)
    if (text == kProtocols[i]) return static_cast<Protocol>(i);
  return std::nullopt;
}

void bind(json::Binder& b, PortMapping& p) {
  bind_field(b, "host_ip", p.host_ip);
  b.required("host_port", p.host_port);
  b.required("container_port", p.container_port);
  b.required("range", p.range);
  std::string protocol = protocol_name(p.protocol);
  b("protocol", protocol);
  std::string proxy = kProxyHeaders[static_cast<std::size_t>(p.proxy)];
  b("proxy", proxy);
  if (!b.reading()) return;
  if (auto known = parse_protocol(protocol))
    p.protocol = *known;
  else
    b.fail_at("protocol", concat(quote(protocol), " is not tcp, udp or sctp"));
  for (std::size_t i = 0; i < std::size(kProxyHeaders); ++i)
    if (proxy == kProxyHeaders[i]) p.proxy = static_cast<ProxyHeader>(i);
  if (p.range == 0) p.range = 1;
}

}  // namespace minke::net
