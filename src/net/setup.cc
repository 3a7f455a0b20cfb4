#include "net/setup.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "net/link.h"
#include "net/setup_parts.h"
#include "sys/fd.h"

namespace minke::net {

namespace {

constexpr std::uint32_t kMtuMin = 68, kMtuMax = 65535, kVlanMax = 4094;
// Nothing of N goes to a wire: connections end in netd, datagrams go through a helper's interface
// of this size. Large frames are most of its speed.
constexpr std::uint32_t kInsideMtu = 65520;
constexpr const char *kAliasStart = "minke ", *kOwnerMark = " of ";
// An alias has 255 bytes, a network's name up to 200.
constexpr std::size_t kOwnerMax = 28;
constexpr int kGenerationTries = 16;

// What a bridge network's options ask for, checked.
struct BridgeOptions {
  std::optional<std::uint32_t> mtu;
  std::optional<std::uint16_t> vlan;
  std::string vrf;
};

Result<BridgeOptions> bridge_options(const Network& network) {
  BridgeOptions options;
  options.mtu = TRY(option_number(network, "mtu", kMtuMin, kMtuMax));
  if (auto vlan = TRY(option_number(network, "vlan", 1, kVlanMax)))
    options.vlan = static_cast<std::uint16_t>(*vlan);
  if (const auto* vrf = network.option("vrf")) options.vrf = *vrf;
  if (const auto* isolate = network.option("isolate"); isolate && *isolate != "strict")
    TRY(option_flag(network, "isolate", "true, false or strict"));
  if (network.interface.empty() || network.interface.size() >= IFNAMSIZ)
    return Error(Errc::invalid_argument,
                 concat("bridge name ", quote(network.interface), ": not a name of an interface"));
  return options;
}

bool has_v6(const Network& network) {
  return std::any_of(network.subnets.begin(), network.subnets.end(),
                     [](const Subnet& s) { return s.subnet.address.v6; });
}

std::uint64_t fnv(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325) {
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
  return hash;
}

// The owner's part of a bridge's alias.
std::string owner_mark(const Place& place) {
  if (place.owner.empty()) return {};
  std::size_t size = std::min(place.owner.size(), kOwnerMax);
  return concat(kOwnerMark, place.owner.substr(place.owner.size() - size));
}

// Of an engine with another run folder: a bridge must not be shared, as each leases the same
// addresses.
bool is_anothers(const Link& link, const Place& place) {
  std::size_t at = link.alias.find(kOwnerMark);
  return !place.owner.empty() && link.alias.starts_with(kAliasStart) && at != std::string::npos &&
         link.alias.substr(at) != owner_mark(place);
}

// Set as the last step: a bridge with this alias has everything that the network says.
std::string bridge_alias(const Network& network, const Place& place) {
  std::string all = concat(network.id, ' ', network.internal ? 'i' : 'e');
  for (const auto& subnet : network.subnets)
    all += concat(' ', subnet.subnet.text(), '-', subnet.gateway ? subnet.gateway->text() : "");
  for (const auto& [key, value] : network.options) all += concat(' ', key, '=', value);
  return concat(kAliasStart, network.name,
                format(" %016llx", static_cast<unsigned long long>(fnv(all))), owner_mark(place));
}

// Fixed for the network's life, locally administered: neighbours' tables stay right.
MacAddress bridge_mac(const Network& network) {
  std::uint64_t hash = fnv(network.interface, fnv(network.id));
  MacAddress mac;
  for (auto& byte : mac.bytes) {
    byte = static_cast<std::uint8_t>(hash);
    hash >>= 8;
  }
  mac.bytes[0] = static_cast<std::uint8_t>((mac.bytes[0] & 0xfc) | 0x02);
  return mac;
}

bool made_by_us(const Link& link, const Network& network) {
  return link.kind == "bridge" &&
         (link.alias.starts_with(kAliasStart) || link.mac == bridge_mac(network));
}

// Switching IPv6 forwarding on makes interfaces that live on router advertisements deaf to them and
// throws their default route away, unless accept_ra is 2.
Status forward_v6(const Settings& settings) {
  if (settings.get("ipv6/conf/all/forwarding") == "1") return {};
  auto dir = sys::open_dir("/proc/sys/net/ipv6/conf");
  if (!dir) return {};  // a kernel without IPv6
  auto names = TRY(sys::list_dir(*dir));
  for (const auto& name : names) {
    if (name == "all" || name == "lo") continue;
    std::string setting = concat("ipv6/conf/", name, "/accept_ra");
    if (settings.get(setting) == "1")
      ignore(settings.set(setting, "2"), "the interface went away, or keeps its route by itself");
  }
  return settings.set("ipv6/conf/all/forwarding", "1");
}

// Before the bridge is up.
Status set_bridge(const Network& network, const Place& place) {
  auto settings = TRY(Settings::of(place.netns));
  std::string v4 = concat("ipv4/conf/", network.interface, "/");
  std::string v6 = concat("ipv6/conf/", network.interface, "/");
  TRY(settings.set("ipv4/ip_forward", "1"));
  // Clients on the host come by 127.0.0.1 (and answers to them from a container).
  if (!place.rootless) TRY(settings.set(v4 + "route_localnet", "1"));
  // A bridge has no carrier before its first port, so detection would leave addresses tentative.
  TRY(settings.set_if_there(v6 + "accept_dad", "0"));
  TRY(settings.set_if_there(v6 + "accept_ra", "0"));
  if (has_v6(network)) TRY(forward_v6(settings));
  return {};
}

Status make_bridge(Links& links, const Network& network, const Place& place,
                   const BridgeOptions& options) {
  BridgeSpec spec{network.interface, bridge_mac(network), options.mtu, options.vlan, 0};
  if (!spec.mtu && place.rootless) spec.mtu = kInsideMtu;
  if (!options.vrf.empty()) {
    Link vrf = TRY_CTX(links.get(options.vrf), "option vrf");
    if (vrf.kind != "vrf")
      return Error(Errc::invalid_argument, concat("option vrf: ", options.vrf, " is no VRF"));
    spec.master = vrf.index;
  }
  LinkBatch batch, filter;
  auto made = links.run(batch.add_bridge(spec));
  if (!made && made.error().sys() == EEXIST) return {};  // another command was quicker
  TRY(std::move(made));
  if (!options.vlan) return {};
  auto filtered = links.run(filter.filter_vlans(network.interface));
  if (filtered) return {};
  ignore(links.remove(network.interface), "the first error counts");
  if (filtered.error().sys() != EOPNOTSUPP) return filtered;
  return Error(Errc::unsupported, "option vlan: this kernel's bridges know no VLANs");
}

// Answers to a client on ::1 come in at the bridge, where the kernel finds ::1 only by a route of
// it.
Status lead_loopback6(Links& links, const Network& network, int bridge) {
  RuleSpec rule{true, kLocalTable, kLocalTable, 0, 0, network.interface};
  LinkBatch rules, routes;
  auto added = links.run(rules.add_rule(rule));
  if (!added && added.error().sys() != EEXIST) return added;
  RouteSpec route;
  route.destination = IpPrefix::host(IpAddress::loopback(true));
  route.index = bridge;
  route.table = kLocalTable;
  route.local = true;
  auto routed = links.run(routes.add_route(route));
  if (!routed && routed.error().sys() != EEXIST) return routed;
  return {};
}

Status lay_bridge(Links& links, const Network& network, const Place& place,
                  const std::optional<Link>& there, const BridgeOptions& options) {
  if (there && there->kind != "bridge")
    return Error(Errc::conflict,
                 concat("interface ", network.interface, " exists and is no bridge"));
  if (!there) TRY(make_bridge(links, network, place, options));
  failpoint("net.ensure", 1);  // a bridge, without settings or addresses
  TRY(set_bridge(network, place));
  Link bridge = TRY(links.get(network.interface));
  LinkBatch batch;
  for (const auto& subnet : network.subnets)
    if (subnet.gateway)
      batch.add_address(bridge.index, bridge.name, {*subnet.gateway, subnet.subnet.length});
  TRY(links.run(batch.set_up(bridge.index, bridge.name)));
  if (!place.rootless && has_v6(network)) TRY(lead_loopback6(links, network, bridge.index));
  if (!made_by_us(bridge, network)) return {};  // somebody's own bridge: not marked, so not removed
  failpoint("net.ensure", 2);                   // not marked as whole
  LinkBatch mark;
  return links.run(mark.set_alias(bridge.index, bridge.name, bridge_alias(network, place)));
}

Status lay_table(sys::NetlinkSocket& socket, const Network& network, const Place& place) {
  nft::Transaction transaction(NFPROTO_INET, kTable);
  add_base(transaction, place.rootless);
  for (const auto& set : network_elements(network)) transaction.add_elements(set.set, set.elements);
  return transaction.commit(socket, "table inet minke");
}

Result<bool> elements_are_there(sys::NetlinkSocket& socket, const std::string& bridge) {
  std::vector<nft::Element> wanted = {{nft::Fields().ifname(kLayout).bytes(), {}, false}};
  if (!bridge.empty()) wanted.push_back({nft::Fields().ifname(bridge).bytes(), {}, false});
  auto found = TRY(nft::find_elements(socket, NFPROTO_INET, kTable, "bridges", wanted));
  return found.size() == wanted.size();
}

Result<bool> has_ports(Links& links, int bridge) {
  for (const Link& link : TRY(links.list()))
    if (link.master == bridge) return true;
  return false;
}

// The kernel takes a network namespace down after its last process, so the port of a container
// that has just ended is there a little longer.
Result<bool> keeps_ports(Links& links, int bridge) {
  constexpr auto kNap = std::chrono::milliseconds(10);
  constexpr int kNaps = 100;
  for (int i = 0; i < kNaps; ++i) {
    if (!TRY(has_ports(links, bridge))) return false;
    std::this_thread::sleep_for(kNap);
  }
  return true;
}

// A bridge of ours that says something else is of an earlier network of this name. Without a port
// it goes, and with it what the table has of it.
Status drop_earlier(Links& links, sys::NetlinkSocket& socket, const Network& network,
                    std::optional<Link>* there) {
  if ((*there)->kind != "bridge" || !(*there)->alias.starts_with(kAliasStart)) return {};
  if (TRY(keeps_ports(links, (*there)->index))) return {};
  Network earlier;
  earlier.interface = network.interface;
  earlier.options["isolate"] = "strict";
  for (const IpPrefix& address : TRY(links.addresses((*there)->index)))
    if (!address.address.is_link_local())
      earlier.subnets.push_back({address.masked(), address.address, {}});
  std::vector<SetElements> elements;
  for (bool internal : {false, true}) {
    earlier.internal = internal;
    for (SetElements& set : network_elements(earlier))  // each once: one that is not there ends all
      if (!internal || set.set == "internal") elements.push_back(std::move(set));
  }
  for (SetElements& set : name_elements(earlier, 0)) {
    for (auto& element : set.elements) element.data.clear();
    elements.push_back(std::move(set));
  }
  LinkBatch batch;
  // By its number: another command may have made the new one meanwhile.
  auto removed = links.run(batch.remove((*there)->index, network.interface));
  if (!removed && removed.error().sys() != ENODEV) return removed;
  *there = TRY(links.find(network.interface));
  if (*there) return {};
  return drop_elements(socket, elements, "table inet minke");
}

Status ensure_bridge_network(const Network& network, const Place& place) {
  auto options = TRY(bridge_options(network));
  auto links = TRY(Links::open(place.netns));
  auto there = TRY(links.find(network.interface));
  if (there && is_anothers(*there, place))
    return Error(
        Errc::conflict,
        concat("bridge ", network.interface, " is of another engine (run folder ...",
               there->alias.substr(there->alias.find(kOwnerMark) + std::strlen(kOwnerMark)),
               "): make a network with another --interface-name and --subnet"));
  auto socket = TRY(open_nftables(place));
  if (there && !there->alias.empty() && there->alias != bridge_alias(network, place))
    TRY(drop_earlier(links, socket, network, &there));
  const bool bridge_is_there = there && there->up && there->alias == bridge_alias(network, place);
  if (bridge_is_there) {
    bool laid = TRY(elements_are_there(socket, network.interface));
    if (laid) return {};
  }
  if (!bridge_is_there) TRY(lay_bridge(links, network, place, there, options));
  failpoint("net.ensure", 3);  // the bridge, without its part of the table
  TRY(lay_table(socket, network, place));
  if (place.rootless) return {};
  TRY(settle_loopback6(place));
  auto notes = TRY(settle_firewalls(place));
  for (const auto& note : notes) note.done ? log::info(note.text) : log::warn(note.text);
  return {};
}

// Of the last network: the table goes if nothing of another command has come in between.
Status drop_table_if_empty(sys::NetlinkSocket& socket) {
  for (int tries = 0; tries < kGenerationTries; ++tries) {
    std::uint32_t generation = TRY(nft::generation(socket));
    auto left = TRY(nft::list_elements(socket, NFPROTO_INET, kTable, "bridges"));
    const std::string layout = nft::Fields().ifname(kLayout).bytes();
    if (left.size() != 1 || left[0].key != layout) return {};
    nft::Transaction transaction(NFPROTO_INET, kTable);
    transaction.only_in_generation(generation).delete_table();
    auto status = transaction.commit(socket, "remove table inet minke");
    if (status) return forget_forwarding(socket);
    if (status.error().sys() != ERESTART && status.error().sys() != EAGAIN) return status;
  }
  return {};  // a busy host: the next one's turn
}

Status remove_bridge(const Network& network, const Place& place) {
  auto links = TRY(Links::open(place.netns));
  auto bridge = TRY(links.find(network.interface));
  if (bridge && is_anothers(*bridge, place)) return {};
  if (bridge && made_by_us(*bridge, network)) TRY(links.remove(network.interface));
  if (place.rootless || !has_v6(network)) return {};
  LinkBatch batch;
  auto status =
      links.run(batch.delete_rule({true, kLocalTable, kLocalTable, 0, 0, network.interface}));
  if (!status && status.error().sys() == ENOENT) return {};
  return status;
}

}  // namespace

Result<std::optional<std::uint32_t>> option_number(const Network& network, const char* key,
                                                   std::uint32_t least, std::uint32_t most) {
  const std::string* text = network.option(key);
  if (!text) return std::optional<std::uint32_t>();
  auto number = parse_uint(*text);
  if (!number || *number < least || *number > most)
    return Error(Errc::invalid_argument,
                 concat("option ", key, "=", *text, ": not a number from ", least, " to ", most));
  return std::optional<std::uint32_t>(static_cast<std::uint32_t>(*number));
}

Result<bool> option_flag(const Network& network, const char* key, const char* known) {
  const std::string* text = network.option(key);
  if (!text) return false;
  if (auto flag = parse_bool(*text)) return *flag;
  return Error(Errc::invalid_argument, concat("option ", key, "=", *text, ": not ", known));
}

Status ensure_network(const Network& network, const Place& place) {
  if (network.driver != "bridge") return {};
  TRY_CTX(ensure_bridge_network(network, place), concat("network ", network.name));
  return {};
}

Result<bool> bridge_is_anothers(const Network& network, const Place& place) {
  if (network.driver != "bridge") return false;
  auto links = TRY(Links::open(place.netns));
  auto there = TRY(links.find(network.interface));
  return there && is_anothers(*there, place);
}

Status remove_network(const Network& network, const Place& place) {
  if (network.driver != "bridge") return {};
  ErrorList errors;
  errors.add(remove_bridge(network, place));
  auto socket = TRY(open_nftables(place));
  auto elements = network_elements(network);
  for (auto& set : name_elements(network, 0)) {
    for (auto& element : set.elements) element.data.clear();
    elements.push_back(std::move(set));
  }
  errors.add(drop_elements(socket, elements, "table inet minke"));
  // A user's table also holds what netd has laid for itself (hold, take); it goes with N.
  if (errors.empty() && !place.rootless) errors.add(drop_table_if_empty(socket));
  TRY_CTX(std::move(errors).to_status(), concat("network ", network.name));
  return {};
}

Status lead_names(const Network& network, const Place& place, std::uint16_t port) {
  if (network.driver != "bridge") return {};
  auto socket = TRY(open_nftables(place));
  auto elements = name_elements(network, port);
  if (port != 0) return put_elements(socket, elements, concat("names of network ", network.name));
  for (auto& set : elements)
    for (auto& element : set.elements) element.data.clear();
  return drop_elements(socket, elements, concat("names of network ", network.name));
}

Result<bool> table_is_there(const Place& place) {
  auto socket = TRY(open_nftables(place));
  return elements_are_there(socket, {});
}

Status restore(const std::vector<Network>& networks, const std::vector<Names>& names,
               const std::vector<AttachmentRecord>& records, const Place& place) {
  ErrorList errors;
  for (const auto& network : networks) {
    auto status = ensure_network(network, place);
    for (const auto& one : names)
      if (status && one.network == network.name) status = lead_names(network, place, one.port);
    errors.add(std::move(status));
  }
  for (const auto& record : records) errors.add(publish(record, place));
  return std::move(errors).to_status();
}

Result<RulesetWatch> RulesetWatch::open(const Place& place) {
  auto socket = TRY(open_nftables(place));
  TRY(socket.join_group(NFNLGRP_NFTABLES, "watch nftables"));
  TRY(sys::set_nonblocking(socket.fd(), true));
  return RulesetWatch(std::move(socket));
}

Status RulesetWatch::drain() {
  char buffer[8192];
  for (;;) {
    // What is lost when the buffer is full does not matter: all is looked at anew.
    if (::recv(socket_.fd(), buffer, sizeof buffer, 0) >= 0 || errno == ENOBUFS || errno == EINTR)
      continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
    return Error::from_errno(errno, "watch nftables");
  }
}

Result<bool> settle_loopback6(const Place& place) {
  if (place.rootless) return false;
  bool proxied = false;
  {
    auto settings = TRY(Settings::of(place.netns));
    // Without the bridge's netfilter module there is no such setting.
    proxied = settings.get("bridge/bridge-nf-call-ip6tables") == "1";
  }
  auto socket = TRY(open_nftables(place));
  bool laid = TRY(elements_are_there(socket, {}));
  if (!laid) return proxied;  // comes with the first network
  std::vector<SetElements> elements = {loopback6_element()};
  if (proxied)
    TRY(drop_elements(socket, elements, "table inet minke"));
  else
    TRY(put_elements(socket, elements, "table inet minke"));
  return proxied;
}

}  // namespace minke::net
