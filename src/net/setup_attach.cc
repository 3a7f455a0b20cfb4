#include <net/if.h>

#include <algorithm>
#include <ctime>

#include "base/failpoint.h"
#include "base/str.h"
#include "net/link.h"
#include "net/setup_parts.h"

namespace minke::net {

namespace {

constexpr std::uint32_t kDefaultMetric = 100;  // Podman's
constexpr std::uint32_t kMetricTries = 64;     // networks of one container
constexpr int kSettleTries = 200;              // 20 ms, then it comes when it comes
constexpr long kSettlePauseNs = 100'000;
constexpr std::uint32_t kMtuMin = 68, kMtuMax = 65535;

// The veth's end of a container that was killed on the way bears our name: it may go.
Status make_veth(Links& links, const Attachment& attachment, const Link& bridge, std::uint32_t mtu,
                 int container_netns) {
  VethSpec spec;
  spec.name = attachment.host_interface;
  spec.peer_name = attachment.interface;
  spec.peer_netns = container_netns;
  spec.peer_mac = attachment.mac;
  spec.mtu = mtu;
  spec.bridge = bridge.index;
  LinkBatch first;
  auto made = links.run(first.add_veth(spec));
  if (made || made.error().sys() != EEXIST || spec.name.empty()) return made;
  auto old = TRY(links.find(spec.name));
  if (!old || old->kind != "veth") return made;
  TRY(links.remove(spec.name));
  LinkBatch again;
  return links.run(again.add_veth(spec));
}

Status make_bridge_port(Links& host, const Network& network, const Attachment& attachment,
                        const Place& place, int container_netns) {
  auto mtu = TRY(option_number(network, "mtu", kMtuMin, kMtuMax));
  Link bridge = TRY(host.get(network.interface));
  TRY(make_veth(host, attachment, bridge, mtu.value_or(bridge.mtu), container_netns));
  bool bridge_calls = false;
  {
    auto settings = TRY(Settings::of(place.netns));
    bridge_calls = settings.get("bridge/bridge-nf-call-iptables") == "1";
  }
  LinkBatch batch;
  if (bridge_calls && !attachment.host_interface.empty()) {
    // netfilter then leads a container's packet back to itself within the bridge, which sends
    // nothing out of the port that it came in by unless it is told to.
    Link port = TRY(host.get(attachment.host_interface));
    batch.hairpin(port.name, port.index);
  }
  // An address that another container had before is known by the old one's MAC.
  if (!attachment.mac.is_zero())
    for (const auto& address : attachment.addresses)
      batch.set_neighbour(bridge.index, address.address, attachment.mac);
  return host.run(batch);
}

// The interface of the default route with the lowest metric.
Result<std::string> default_parent(const Place& place) {
  auto there = TRY(sys::InNetns::enter(place.netns));
  std::string table = TRY(sys::read_small_file("/proc/thread-self/net/route"));
  std::string best;
  std::uint64_t best_metric = UINT64_MAX;
  for (std::string_view line : split(table, '\n')) {
    auto fields = split(line, '\t');  // Iface Destination Gateway Flags RefCnt Use Metric Mask
    if (fields.size() < 8 || fields[1] != "00000000" || trim(fields[7]) != "00000000") continue;
    auto metric = parse_uint(fields[6]).value_or(0);
    if (metric >= best_metric) continue;
    best_metric = metric;
    best = trim(fields[0]);
  }
  if (best.empty())
    return Error(Errc::not_found, "no parent given and no default route to take it from");
  return best;
}

Status make_slave(Links& host, const Network& network, const Attachment& attachment,
                  const Place& place, int container_netns) {
  const std::string* mode_name = network.option("mode");
  auto mode = TRY(parse_slave_mode(network.driver, mode_name ? *mode_name : std::string()));
  std::string parent_name = network.interface;
  if (const auto* option = network.option("parent"); parent_name.empty() && option)
    parent_name = *option;
  if (parent_name.empty()) parent_name = TRY(default_parent(place));
  auto parent = TRY(host.find(parent_name));
  if (!parent)
    return Error(
        Errc::not_found,
        concat("parent ", parent_name, " of ", network.driver, " is not there",
               place.rootless ? ": a rootless network has none of the host's interfaces" : ""));
  SlaveSpec spec{network.driver,       mode_name ? *mode_name : std::string(),
                 attachment.interface, parent->index,
                 container_netns,      attachment.mac,
                 std::nullopt};
  spec.mtu = TRY(option_number(network, "mtu", kMtuMin, kMtuMax));
  LinkBatch batch;
  auto made = host.run(batch.add_slave(spec, mode));
  if (!made && made.error().sys() == EOPNOTSUPP)
    return Error(Errc::unsupported, concat("this kernel has no ", network.driver));
  return made;
}

// Settings of the interface inside, before it is up.
Status set_inside(const Attachment& attachment, int container_netns) {
  auto settings = TRY(Settings::of(container_netns));
  std::string v4 = concat("ipv4/conf/", attachment.interface, "/");
  std::string v6 = concat("ipv6/conf/", attachment.interface, "/");
  // Its neighbours learn the new MAC of an address that was another container's.
  TRY(settings.set_if_there(v4 + "arp_notify", "1"));
  TRY(settings.set_if_there(v6 + "ndisc_notify", "1"));
  // Answers may come by another of its networks.
  TRY(settings.set_if_there(v4 + "rp_filter", "2"));
  // Addresses are given, not made up from advertisements.
  return settings.set_if_there(v6 + "autoconf", "0");
}

// A second network's default route gets the next free metric: the first network's stays the way
// out.
Status add_default_route(Links& inside, const IpAddress& gateway, int index, std::uint32_t metric,
                         std::string_view congestion) {
  RouteSpec route;
  route.congestion = congestion;
  route.destination = {IpAddress::any(gateway.v6), 0};
  route.gateway = gateway;
  route.index = index;
  for (std::uint32_t i = 0;; ++i) {
    route.metric = metric + i;
    LinkBatch batch;
    auto status = inside.run(batch.add_route(route));
    if (status || status.error().sys() != EEXIST || i == kMetricTries) return status;
  }
}

bool reachable(const Attachment& attachment, const IpAddress& gateway) {
  return std::any_of(attachment.addresses.begin(), attachment.addresses.end(),
                     [&](const IpPrefix& p) { return p.contains(gateway); });
}

Status add_routes(Links& inside, const Network& network, const Attachment& attachment,
                  const Place& place, int index) {
  const std::string_view congestion = place.rootless ? kInnerCongestion : "";
  auto metric = TRY(option_number(network, "metric", 0, UINT32_MAX - kMetricTries));
  LinkBatch batch;
  for (const auto& route : network.routes) {
    if (!reachable(attachment, route.gateway)) continue;  // of a family that it has no address of
    RouteSpec spec;
    spec.destination = route.destination.masked();
    spec.gateway = route.gateway;
    spec.index = index;
    spec.metric = route.metric.value_or(metric.value_or(kDefaultMetric));
    spec.congestion = congestion;
    batch.add_route(spec);
  }
  TRY(inside.run(batch));
  bool none = TRY(option_flag(network, "no_default_route"));
  if (attachment.internal || none) return {};
  for (const auto& gateway : attachment.gateways) {
    if (!reachable(attachment, gateway)) continue;
    TRY(add_default_route(inside, gateway, index, metric.value_or(kDefaultMetric), congestion));
  }
  return {};
}

void pause_a_little() {
  timespec pause{0, kSettlePauseNs};
  ::nanosleep(&pause, nullptr);
}

// An interface whose carrier has just come is dead (packets are dropped, a bridge's port blocked)
// until the kernel's link watch has run, some milliseconds later; a client then waits a whole
// second for the lost packet. Since Linux 6.8 the question for the interface does that work at
// once.
Status settle_carrier(Links& links, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (name.empty()) continue;
    for (int tries = 0; tries < kSettleTries; ++tries) {
      auto link = TRY(links.find(name));
      if (!link || !link->carrier || link->operational) break;
      pause_a_little();
    }
  }
  return {};
}

// An address of IPv6 becomes one by a work of the kernel's, soon after it was added: answers that
// come before are lost, and asked for again after a second.
Status settle_addresses(Links& inside, const Attachment& attachment) {
  int patience = kSettleTries;
  for (const auto& address : attachment.addresses) {
    if (!address.address.v6) continue;
    for (; patience > 0; --patience) {
      bool there = TRY(inside.is_local(address.address));
      if (there) break;
      pause_a_little();
    }
  }
  return {};
}

Status configure_inside(Links& host, const Network& network, const Attachment& attachment,
                        const Place& place, int container_netns) {
  TRY(set_inside(attachment, container_netns));
  auto inside = TRY(Links::open(container_netns));
  Link link = TRY(inside.get(attachment.interface));
  LinkBatch batch;
  batch.set_up(1, "lo");  // the first interface of every namespace
  // Addresses before the interface is up: going up announces them.
  for (const auto& address : attachment.addresses)
    batch.add_address(link.index, link.name, address);
  TRY(inside.run(batch.set_up(link.index, link.name)));
  TRY(add_routes(inside, network, attachment, place, link.index));
  TRY(settle_carrier(host, {attachment.host_interface, network.interface}));
  TRY(settle_carrier(inside, {link.name}));
  return settle_addresses(inside, attachment);
}

Status attach_to(const Network& network, const Attachment& attachment, const Place& place,
                 int container_netns) {
  if (attachment.interface.empty() || attachment.interface.size() >= IFNAMSIZ ||
      attachment.host_interface.size() >= IFNAMSIZ)
    return Error(Errc::invalid_argument,
                 concat("interface ", quote(attachment.interface), ": not a name of one"));
  auto host = TRY(Links::open(place.netns));
  Rollback undo;
  if (network.driver == "bridge") {
    undo.add([&] { ignore(detach(attachment, place, container_netns), "the first error counts"); });
    auto made = make_bridge_port(host, network, attachment, place, container_netns);
    if (!made && made.error().sys() == EEXIST) {
      undo.dismiss();  // an interface of that name is there: it is not ours to remove
      return Error(Errc::already_exists,
                   concat("the container has an interface ", attachment.interface, " already"));
    }
    TRY(std::move(made));
  } else if (network.driver == "macvlan" || network.driver == "ipvlan") {
    TRY(make_slave(host, network, attachment, place, container_netns));
    undo.add([&] { ignore(detach(attachment, place, container_netns), "the first error counts"); });
  } else {
    return Error(Errc::unsupported, concat("driver ", network.driver, " is not known"));
  }
  failpoint("net.attach", 1);  // a pair, without addresses
  TRY(configure_inside(host, network, attachment, place, container_netns));
  undo.dismiss();
  return {};
}

}  // namespace

Status attach(const Network& network, const Attachment& attachment, const Place& place,
              int container_netns) {
  TRY_CTX(attach_to(network, attachment, place, container_netns), concat("network ", network.name));
  return {};
}

Status detach(const Attachment& attachment, const Place& place, int container_netns) {
  if (container_netns < 0) return {};
  ErrorList errors;
  auto inside = TRY(Links::open(container_netns));
  errors.add(inside.remove(attachment.interface));
  // One end takes the other with it; this is for an end that was made and not finished.
  if (!errors.empty() && !attachment.host_interface.empty()) {
    auto host = TRY(Links::open(place.netns));
    errors.add(host.remove(attachment.host_interface));
  }
  TRY_CTX(std::move(errors).to_status(), concat("network ", attachment.network));
  return {};
}

}  // namespace minke::net
