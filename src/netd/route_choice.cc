#include "netd/route_choice.h"

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "net/helper_mode.h"

namespace minke::netd {
namespace {

constexpr std::uint32_t kUsualMetric = 100;  // of a default route when the network names none

const net::Network* find_network(const std::vector<net::Network>& networks,
                                 const std::string& name) {
  auto it = std::find_if(networks.begin(), networks.end(),
                         [&](const net::Network& n) { return n.name == name; });
  return it == networks.end() ? nullptr : &*it;
}

bool has_default_route(const net::Attachment& attachment, const net::Network* network, bool v6) {
  if (attachment.internal) return false;
  const std::string* none = network == nullptr ? nullptr : network->option("no_default_route");
  if (none != nullptr && (*none == "true" || *none == "1")) return false;
  return std::any_of(attachment.gateways.begin(), attachment.gateways.end(),
                     [&](const net::IpAddress& g) { return g.v6 == v6; });
}

std::uint32_t metric_of(const net::Network* network) {
  const std::string* metric = network == nullptr ? nullptr : network->option("metric");
  return metric == nullptr ? kUsualMetric
                           : static_cast<std::uint32_t>(std::strtoul(metric->c_str(), nullptr, 10));
}

// The attachment whose default route the container's kernel takes: the lowest metric, then the
// first.
const net::Attachment* default_attachment(const net::AttachmentRecord& record,
                                          const std::vector<net::Network>& networks, bool v6) {
  const net::Attachment* best = nullptr;
  std::uint32_t best_metric = UINT32_MAX;
  for (const net::Attachment& a : record.networks) {
    const net::Network* network = find_network(networks, a.network);
    if (!has_default_route(a, network, v6)) continue;
    const std::uint32_t metric = metric_of(network);
    if (best != nullptr && metric >= best_metric) continue;
    best = &a;
    best_metric = metric;
  }
  return best;
}

}  // namespace

// Within the container there is no bridge whose address the kernel would take by itself.
static void add_within(const net::Attachment& device, Target* target) {
  for (const net::IpPrefix& p : device.addresses) {
    const auto gateway =
        std::find_if(device.gateways.begin(), device.gateways.end(),
                     [&](const net::IpAddress& g) { return g.v6 == p.address.v6; });
    const bool leads = gateway != device.gateways.end();
    target->addresses.push_back({p, leads, leads ? std::optional(*gateway) : std::nullopt});
  }
}

bool Target::has_family(bool v6) const {
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const Address& a) { return a.address.address.v6 == v6; });
}

Target make_target(const net::AttachmentRecord& record, const std::vector<net::Network>& networks) {
  Target target;
  target.id = record.id;
  const net::Attachment* chosen[2] = {default_attachment(record, networks, false),
                                      default_attachment(record, networks, true)};
  for (const net::Attachment& a : record.networks) {
    if (net::is_slirp_device(a)) add_within(a, &target);
    if (a.driver != "bridge" && !a.driver.empty()) continue;  // no bridge, no way from N to it
    for (const net::IpPrefix& p : a.addresses)
      target.addresses.push_back({p, chosen[p.address.v6 ? 1 : 0] == &a, {}});
    if (const net::Network* network = find_network(networks, a.network))
      for (const net::Route& r : network->routes)
        if (r.destination.length > 0) target.detours.push_back(r.destination);
  }
  return target;
}

const char* disguise_reason(Disguise disguise) {
  switch (disguise) {
    case Disguise::none:
      return "none";
    case Disguise::not_transparent:
      return "transparent sockets are not possible here";
    case Disguise::host_itself:
      return "the client is the host itself";
    case Disguise::link_local:
      return "the client has a link-local address";
    case Disguise::other_family:
      return "the container has no address of the client's family";
    case Disguise::no_way_back:
      return "the container has no default route on this network";
    case Disguise::in_subnet:
      return "the client's address lies in a network of the container";
  }
  return "";
}

namespace {

const Target::Address* choose_address(const Target& target, bool v6) {
  const Target::Address* first = nullptr;
  for (const Target::Address& a : target.addresses) {
    if (a.address.address.v6 != v6 || a.address.address.is_link_local()) continue;
    if (a.default_route) return &a;
    if (first == nullptr) first = &a;
  }
  return first;
}

bool answers_elsewhere(const Target& target, const net::IpAddress& client) {
  return std::any_of(target.addresses.begin(), target.addresses.end(),
                     [&](const Target::Address& a) { return a.address.contains(client); }) ||
         std::any_of(target.detours.begin(), target.detours.end(),
                     [&](const net::IpPrefix& p) { return p.contains(client); });
}

Disguise disguise_of(const Target& target, const Target::Address& to, const net::IpAddress& client,
                     const net::IpAddress& local, bool transparent) {
  if (!transparent) return Disguise::not_transparent;
  if (client.is_loopback() || client.is_unspecified() || client == local)
    return Disguise::host_itself;
  if (client.v6 && client.is_link_local()) return Disguise::link_local;
  if (client.is_multicast()) return Disguise::link_local;
  if (client.v6 != to.address.address.v6) return Disguise::other_family;
  if (!to.default_route) return Disguise::no_way_back;
  if (answers_elsewhere(target, client)) return Disguise::in_subnet;
  return Disguise::none;
}

}  // namespace

std::optional<Route> choose_route(const Target& target, const net::IpAddress& client,
                                  const net::IpAddress& local, bool transparent) {
  const Target::Address* to = choose_address(target, client.v6);
  if (to == nullptr) to = choose_address(target, !client.v6);
  if (to == nullptr) return std::nullopt;
  Route route{to->address.address, disguise_of(target, *to, client, local, transparent)};
  if (transparent && route.disguise != Disguise::none) route.source = to->stand_in;
  return route;
}

}  // namespace minke::netd
