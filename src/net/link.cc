#include "net/link.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include <cstring>

#include "base/str.h"

namespace minke::net {

namespace {

constexpr unsigned char kOperUp = 6;  // IF_OPER_UP of linux/if.h, which net/if.h excludes
constexpr std::uint16_t kMake = NLM_F_CREATE | NLM_F_EXCL;

ifinfomsg link_header(int index = 0, bool up = false) {
  ifinfomsg header{};
  header.ifi_index = index;
  if (up) header.ifi_flags = header.ifi_change = IFF_UP;
  return header;
}

std::string_view bytes_of(const IpAddress& address) {
  return {reinterpret_cast<const char*>(address.bytes.data()), address.size()};
}
std::string_view bytes_of(const MacAddress& mac) {
  return {reinterpret_cast<const char*>(mac.bytes.data()), mac.bytes.size()};
}

unsigned char family_of(bool v6) { return v6 ? AF_INET6 : AF_INET; }

Link link_of(std::string_view payload) {
  Link link;
  ifinfomsg header;
  if (payload.size() < sizeof header) return link;
  std::memcpy(&header, payload.data(), sizeof header);
  sys::NetlinkAttributes attributes(payload, sizeof header);
  link.index = header.ifi_index;
  link.up = (header.ifi_flags & IFF_UP) != 0;
  link.name = attributes.text(IFLA_IFNAME);
  link.alias = attributes.text(IFLA_IFALIAS);
  link.kind = attributes.nested(IFLA_LINKINFO).text(IFLA_INFO_KIND);
  link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  link.master = static_cast<int>(attributes.u32(IFLA_MASTER).value_or(0));
  auto byte = [&](std::uint16_t attribute) {
    auto bytes = attributes.find(attribute);
    return bytes && !bytes->empty() ? static_cast<unsigned char>((*bytes)[0]) : 0;
  };
  link.carrier = byte(IFLA_CARRIER) != 0;
  link.operational = byte(IFLA_OPERSTATE) == kOperUp;
  if (auto mac = attributes.find(IFLA_ADDRESS); mac && mac->size() == link.mac.bytes.size())
    std::memcpy(link.mac.bytes.data(), mac->data(), mac->size());
  return link;
}

// No statistics: they are half of the answer.
void skip_statistics(sys::NetlinkRequest& request) {
  request.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

struct SlaveMode {
  const char* kind;
  const char* name;
  std::uint32_t number;
};
constexpr SlaveMode kSlaveModes[] = {
    {"macvlan", "bridge", MACVLAN_MODE_BRIDGE}, {"macvlan", "private", MACVLAN_MODE_PRIVATE},
    {"macvlan", "vepa", MACVLAN_MODE_VEPA},     {"macvlan", "passthru", MACVLAN_MODE_PASSTHRU},
    {"ipvlan", "l2", IPVLAN_MODE_L2},           {"ipvlan", "l3", IPVLAN_MODE_L3},
    {"ipvlan", "l3s", IPVLAN_MODE_L3S},
};

}  // namespace

Result<std::uint32_t> parse_slave_mode(const std::string& kind, const std::string& mode) {
  std::string known;
  for (const auto& row : kSlaveModes) {
    if (kind != row.kind) continue;
    if (mode.empty() || mode == row.name) return row.number;  // the first one is the default
    known += concat(known.empty() ? "" : ", ", row.name);
  }
  return Error(Errc::invalid_argument,
               concat("unknown ", kind, " mode ", quote(mode), " (known: ", known, ")"));
}

sys::NetlinkRequest& LinkBatch::step(std::string what, std::uint16_t type, std::uint16_t flags,
                                     const void* header, std::size_t size) {
  steps_.push_back(std::move(what));
  return request_.start(type, flags).append(header, size);
}

LinkBatch& LinkBatch::add_bridge(const BridgeSpec& spec) {
  auto header = link_header();
  auto& r = step(concat("make bridge ", spec.name), RTM_NEWLINK, kMake, &header, sizeof header);
  r.text(IFLA_IFNAME, spec.name);
  if (!spec.mac.is_zero()) r.put(IFLA_ADDRESS, bytes_of(spec.mac));
  if (spec.mtu) r.u32(IFLA_MTU, *spec.mtu);
  if (spec.master != 0) r.u32(IFLA_MASTER, static_cast<std::uint32_t>(spec.master));
  r.nest(IFLA_LINKINFO, [&] {
    r.text(IFLA_INFO_KIND, "bridge");
    // The default port VLAN may change only while filtering is off, so that comes later.
    if (spec.vlan) r.nest(IFLA_INFO_DATA, [&] { r.u16(IFLA_BR_VLAN_DEFAULT_PVID, *spec.vlan); });
  });
  return *this;
}

LinkBatch& LinkBatch::filter_vlans(const std::string& bridge) {
  auto header = link_header();
  auto& r = step(concat("filter VLANs on ", bridge), RTM_NEWLINK, 0, &header, sizeof header);
  r.text(IFLA_IFNAME, bridge);
  r.nest(IFLA_LINKINFO, [&] {
    r.text(IFLA_INFO_KIND, "bridge");
    r.nest(IFLA_INFO_DATA, [&] { r.u8(IFLA_BR_VLAN_FILTERING, 1); });
  });
  return *this;
}

LinkBatch& LinkBatch::add_veth(const VethSpec& spec) {
  auto header = link_header(0, true);
  auto& r =
      step(concat("make veth for ", spec.peer_name), RTM_NEWLINK, kMake, &header, sizeof header);
  r.text(IFLA_IFNAME, spec.name.empty() ? "veth%d" : spec.name);
  if (spec.mtu != 0) r.u32(IFLA_MTU, spec.mtu);
  if (spec.bridge != 0) r.u32(IFLA_MASTER, static_cast<std::uint32_t>(spec.bridge));
  r.nest(IFLA_LINKINFO, [&] {
    r.text(IFLA_INFO_KIND, "veth");
    r.nest(IFLA_INFO_DATA, [&] {
      r.nest(VETH_INFO_PEER, [&] {
        auto peer = link_header();
        r.append(&peer, sizeof peer).text(IFLA_IFNAME, spec.peer_name);
        if (!spec.peer_mac.is_zero()) r.put(IFLA_ADDRESS, bytes_of(spec.peer_mac));
        if (spec.mtu != 0) r.u32(IFLA_MTU, spec.mtu);
        if (spec.peer_netns >= 0)
          r.u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(spec.peer_netns));
      });
    });
  });
  return *this;
}

LinkBatch& LinkBatch::add_slave(const SlaveSpec& spec, std::uint32_t mode) {
  bool macvlan = spec.kind == "macvlan";
  auto header = link_header();
  auto& r =
      step(concat("make ", spec.kind, " ", spec.name), RTM_NEWLINK, kMake, &header, sizeof header);
  r.text(IFLA_IFNAME, spec.name).u32(IFLA_LINK, static_cast<std::uint32_t>(spec.parent));
  if (macvlan && !spec.mac.is_zero()) r.put(IFLA_ADDRESS, bytes_of(spec.mac));
  if (spec.mtu) r.u32(IFLA_MTU, *spec.mtu);
  if (spec.netns >= 0) r.u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(spec.netns));
  r.nest(IFLA_LINKINFO, [&] {
    r.text(IFLA_INFO_KIND, spec.kind);
    r.nest(IFLA_INFO_DATA, [&] {
      if (macvlan)
        r.u32(IFLA_MACVLAN_MODE, mode);
      else
        r.u16(IFLA_IPVLAN_MODE, static_cast<std::uint16_t>(mode));
    });
  });
  return *this;
}

LinkBatch& LinkBatch::remove(const std::string& name) {
  auto header = link_header();
  step(concat("remove ", name), RTM_DELLINK, 0, &header, sizeof header).text(IFLA_IFNAME, name);
  return *this;
}

LinkBatch& LinkBatch::remove(int index, const std::string& name) {
  auto header = link_header(index);
  step(concat("remove ", name), RTM_DELLINK, 0, &header, sizeof header);
  return *this;
}

LinkBatch& LinkBatch::set_up(int index, const std::string& name) {
  auto header = link_header(index, true);
  step(concat("set ", name, " up"), RTM_NEWLINK, 0, &header, sizeof header);
  return *this;
}

LinkBatch& LinkBatch::set_alias(int index, const std::string& name, const std::string& alias) {
  auto header = link_header(index);
  step(concat("mark ", name), RTM_NEWLINK, 0, &header, sizeof header).put(IFLA_IFALIAS, alias);
  return *this;
}

LinkBatch& LinkBatch::hairpin(const std::string& port, int index) {
  auto header = link_header(index);
  header.ifi_family = AF_BRIDGE;
  auto& r = step(concat("set ", port, " to hairpin mode"), RTM_SETLINK, 0, &header, sizeof header);
  r.nest(IFLA_PROTINFO, [&] { r.u8(IFLA_BRPORT_MODE, 1); });
  return *this;
}

LinkBatch& LinkBatch::add_address(int index, const std::string& name, const IpPrefix& address) {
  const IpAddress& ip = address.address;
  ifaddrmsg header{};
  header.ifa_family = family_of(ip.v6);
  header.ifa_prefixlen = address.length;
  header.ifa_index = static_cast<unsigned>(index);
  auto& r = step(concat("add address ", address.text(), " to ", name), RTM_NEWADDR,
                 NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
  r.put(IFA_LOCAL, bytes_of(ip)).put(IFA_ADDRESS, bytes_of(ip));
  if (ip.v6)
    r.u32(IFA_FLAGS, IFA_F_NODAD);
  else if (address.length < 31)
    r.put(IFA_BROADCAST, bytes_of(address.last()));
  return *this;
}

LinkBatch& LinkBatch::add_route(const RouteSpec& route) {
  const IpAddress& to = route.destination.address;
  rtmsg header{};
  header.rtm_family = family_of(to.v6);
  header.rtm_dst_len = route.destination.length;
  header.rtm_table = route.table < 256 ? static_cast<unsigned char>(route.table)
                                       : static_cast<unsigned char>(RT_TABLE_UNSPEC);
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope =
      route.local ? RT_SCOPE_HOST : (route.gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
  header.rtm_type = route.local ? RTN_LOCAL : RTN_UNICAST;
  std::string what = concat("add route to ", route.destination.text());
  if (route.gateway) what += concat(" via ", route.gateway->text());
  auto& r = step(std::move(what), RTM_NEWROUTE, kMake, &header, sizeof header);
  if (route.destination.length > 0) r.put(RTA_DST, bytes_of(to));
  if (route.gateway) r.put(RTA_GATEWAY, bytes_of(*route.gateway));
  if (route.index != 0) r.u32(RTA_OIF, static_cast<std::uint32_t>(route.index));
  if (route.metric != 0) r.u32(RTA_PRIORITY, route.metric);
  r.u32(RTA_TABLE, route.table);
  if (!route.congestion.empty())
    r.nest(RTA_METRICS, [&] { r.text(RTAX_CC_ALGO, route.congestion); });
  return *this;
}

LinkBatch& LinkBatch::rule(const RuleSpec& rule, std::uint16_t type, std::uint16_t flags) {
  fib_rule_hdr header{};
  header.family = family_of(rule.v6);
  header.action = FR_ACT_TO_TBL;
  auto& r = step(concat(type == RTM_NEWRULE ? "add" : "remove", " rule for table ", rule.table),
                 type, flags, &header, sizeof header);
  r.u32(FRA_TABLE, rule.table).u32(FRA_PRIORITY, rule.priority);
  if (rule.mask != 0) r.u32(FRA_FWMARK, rule.mark).u32(FRA_FWMASK, rule.mask);
  if (!rule.iifname.empty()) r.text(FRA_IIFNAME, rule.iifname);
  return *this;
}
LinkBatch& LinkBatch::add_rule(const RuleSpec& spec) { return rule(spec, RTM_NEWRULE, kMake); }
LinkBatch& LinkBatch::delete_rule(const RuleSpec& spec) { return rule(spec, RTM_DELRULE, 0); }

LinkBatch& LinkBatch::set_neighbour(int index, const IpAddress& address, const MacAddress& mac) {
  ndmsg header{};
  header.ndm_family = family_of(address.v6);
  header.ndm_ifindex = index;
  header.ndm_state = NUD_REACHABLE;
  auto& r = step(concat("set neighbour ", address.text()), RTM_NEWNEIGH,
                 NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
  r.put(NDA_DST, bytes_of(address)).put(NDA_LLADDR, bytes_of(mac));
  return *this;
}

Result<Links> Links::open(int netns) {
  auto socket = TRY(sys::NetlinkSocket::open(NETLINK_ROUTE, netns));
  return Links(std::move(socket));
}

Result<std::optional<Link>> Links::find(const std::string& name) {
  sys::NetlinkRequest request;
  request.begin(RTM_GETLINK, 0, link_header()).text(IFLA_IFNAME, name);
  skip_statistics(request);
  auto answer = socket_.ask(request, concat("find interface ", name));
  if (answer) return std::optional<Link>(link_of(answer->payload));
  if (answer.error().sys() == ENODEV) return std::optional<Link>();
  return std::move(answer.error());
}

Result<Link> Links::get(const std::string& name) {
  auto link = TRY(find(name));
  if (!link) return Error(Errc::not_found, concat("no interface ", name));
  return std::move(*link);
}

Result<std::vector<Link>> Links::list() {
  sys::NetlinkRequest request;
  request.begin(RTM_GETLINK, 0, link_header());
  skip_statistics(request);
  auto answers = TRY(socket_.dump(request, "list interfaces"));
  std::vector<Link> links;
  for (const auto& answer : answers) links.push_back(link_of(answer.payload));
  return links;
}

Result<std::vector<IpPrefix>> Links::addresses(int index) {
  ifaddrmsg header{};
  header.ifa_index = static_cast<unsigned>(index);
  sys::NetlinkRequest request;
  request.begin(RTM_GETADDR, 0, header);
  auto answers = TRY(socket_.dump(request, "list addresses"));
  std::vector<IpPrefix> found;
  for (const auto& answer : answers) {
    if (answer.payload.size() < sizeof header) continue;
    std::memcpy(&header, answer.payload.data(), sizeof header);
    // Kernels before 4.20 do not filter.
    if (header.ifa_index != static_cast<unsigned>(index)) continue;
    sys::NetlinkAttributes attributes(answer.payload, sizeof header);
    auto bytes = attributes.find(IFA_LOCAL);
    if (!bytes) bytes = attributes.find(IFA_ADDRESS);
    IpPrefix prefix;
    prefix.address.v6 = header.ifa_family == AF_INET6;
    prefix.length = header.ifa_prefixlen;
    if (!bytes || bytes->size() != prefix.address.size()) continue;
    std::memcpy(prefix.address.bytes.data(), bytes->data(), bytes->size());
    found.push_back(prefix);
  }
  return found;
}

Result<bool> Links::is_local(const IpAddress& address) {
  rtmsg header{};
  header.rtm_family = family_of(address.v6);
  header.rtm_dst_len = address.bits();
  sys::NetlinkRequest request;
  request.begin(RTM_GETROUTE, 0, header).put(RTA_DST, bytes_of(address));
  auto answer = socket_.ask(request, concat("find route to ", address.text()));
  if (!answer) {
    if (answer.error().sys() == ENETUNREACH || answer.error().sys() == EHOSTUNREACH) return false;
    return std::move(answer.error());
  }
  if (answer->payload.size() < sizeof header) return false;
  std::memcpy(&header, answer->payload.data(), sizeof header);
  return header.rtm_type == RTN_LOCAL;
}

Status Links::run(LinkBatch& batch) {
  return socket_.run(batch.request_, {}, nullptr, &batch.steps_);
}

Status Links::remove(const std::string& name) {
  LinkBatch batch;
  auto status = run(batch.remove(name));
  if (!status && status.error().sys() == ENODEV) return {};
  return status;
}

}  // namespace minke::net
