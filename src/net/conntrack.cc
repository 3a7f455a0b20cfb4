#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

#include "net/setup_parts.h"

namespace minke::net {

namespace {

constexpr std::uint16_t kConntrack = NFNL_SUBSYS_CTNETLINK << 8;
// Of the kernel's nf_internals.h, part of its interface since 5.8; older kernels do not filter.
constexpr std::uint32_t kFilterProtocol = 1U << 3, kFilterDestinationPort = 1U << 5;

nfgenmsg header(std::uint8_t family) {
  nfgenmsg header{};
  header.nfgen_family = family;
  header.version = NFNETLINK_V0;
  return header;
}

bool asked_for(const std::vector<UdpPort>& ports, const IpAddress& to, std::uint16_t port) {
  return std::any_of(ports.begin(), ports.end(), [&](const UdpPort& p) {
    return (!p.address || *p.address == to) && port >= p.first && port - p.first < p.count;
  });
}

// Whom the entry's first packet was for, if it was of UDP.
std::optional<std::pair<IpAddress, std::uint16_t>> udp_target(const sys::NetlinkAttributes& tuple,
                                                              bool v6) {
  auto address = tuple.nested(CTA_TUPLE_IP).find(v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST);
  auto protocol = tuple.nested(CTA_TUPLE_PROTO).find(CTA_PROTO_NUM);
  auto port = tuple.nested(CTA_TUPLE_PROTO).find(CTA_PROTO_DST_PORT);
  IpAddress to = IpAddress::any(v6);
  if (!address || address->size() != to.size() || !protocol || protocol->size() != 1 ||
      (*protocol)[0] != IPPROTO_UDP || !port || port->size() != 2)
    return std::nullopt;
  std::memcpy(to.bytes.data(), address->data(), address->size());
  std::uint16_t number = 0;
  std::memcpy(&number, port->data(), sizeof number);
  return std::pair(to, ntohs(number));
}

// A walk through the kernel's whole hash table, so one for both families.
Result<std::vector<sys::NetlinkAnswer>> list_udp(sys::NetlinkSocket& socket,
                                                 const std::vector<UdpPort>& ports, bool filtered) {
  sys::NetlinkRequest list;
  list.begin(kConntrack | IPCTNL_MSG_CT_GET, 0, header(AF_UNSPEC));
  if (!filtered) return socket.dump(list, "read the connection table");
  const bool one = ports.size() == 1 && ports[0].count == 1;
  list.nest(CTA_TUPLE_ORIG, [&] {
    list.nest(CTA_TUPLE_PROTO, [&] {
      list.u8(CTA_PROTO_NUM, IPPROTO_UDP);
      if (one) list.be16(CTA_PROTO_DST_PORT, ports[0].first);
    });
  });
  list.nest(CTA_FILTER, [&] {
    list.u32(CTA_FILTER_ORIG_FLAGS, kFilterProtocol | (one ? kFilterDestinationPort : 0));
    list.u32(CTA_FILTER_REPLY_FLAGS, 0);
  });
  return socket.dump(list, "read the connection table");
}

}  // namespace

Status forget_connections(sys::NetlinkSocket& socket, const Place& place,
                          const std::vector<UdpPort>& ports) {
  if (ports.empty()) return {};
  {
    auto settings = TRY(Settings::of(place.netns));
    if (settings.get("netfilter/nf_conntrack_count") == "0") return {};
  }
  auto unknown = [](const Error& error) {
    return error.sys() == EINVAL || error.sys() == EOPNOTSUPP;
  };
  auto entries = list_udp(socket, ports, true);
  // Some kernels filter nothing for us.
  if (!entries && unknown(entries.error())) entries = list_udp(socket, ports, false);
  if (!entries) {
    // One without that interface keeps the entries until they expire: 30 seconds of silence.
    if (unknown(entries.error())) return {};
    return std::move(entries.error());
  }
  for (const auto& entry : *entries) {
    if (entry.payload.empty()) continue;
    const auto family = static_cast<std::uint8_t>(entry.payload[0]);
    sys::NetlinkAttributes attributes(entry.payload, sizeof(nfgenmsg));
    auto target = udp_target(attributes.nested(CTA_TUPLE_ORIG), family == AF_INET6);
    if (!target || !asked_for(ports, target->first, target->second)) continue;
    sys::NetlinkRequest request;
    request.begin(kConntrack | IPCTNL_MSG_CT_DELETE, 0, header(family));
    request.put(CTA_TUPLE_ORIG | NLA_F_NESTED,
                attributes.find(CTA_TUPLE_ORIG).value_or(std::string_view()));
    if (auto zone = attributes.find(CTA_ZONE)) request.put(CTA_ZONE, *zone);
    auto status = socket.run(request, "remove an entry of the connection table");
    if (!status && status.error().sys() != ENOENT) return status;  // ENOENT: it has ended itself
  }
  return {};
}

}  // namespace minke::net
