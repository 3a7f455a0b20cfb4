#include "base/str.h"
#include "net/setup_parts.h"

namespace minke::net {

namespace {

std::vector<UdpPort> udp_ports(const AttachmentRecord& record) {
  std::vector<UdpPort> out;
  for (const auto& mapping : record.ports) {
    if (mapping.protocol != Protocol::udp) continue;
    UdpPort port{mapping.host_ip, mapping.host_port, mapping.range};
    if (port.address && port.address->is_unspecified()) port.address.reset();
    out.push_back(port);
  }
  return out;
}

}  // namespace

Status publish(const AttachmentRecord& record, const Place& place) {
  if (place.rootless || record.ports.empty()) return {};
  auto elements = port_elements(record);
  if (elements.empty()) return {};
  {
    auto socket = TRY(open_nftables(place));
    TRY(put_elements(socket, elements, concat("publish ports of ", record.name)));
  }
  return forget_connections(place, udp_ports(record));
}

Status unpublish(const AttachmentRecord& record, const Place& place) {
  if (place.rootless || record.ports.empty()) return {};
  auto elements = port_elements(record);
  if (elements.empty()) return {};
  {
    auto socket = TRY(open_nftables(place));
    TRY(drop_elements(socket, elements, concat("unpublish ports of ", record.name)));
  }
  return forget_connections(place, udp_ports(record));
}

}  // namespace minke::net
