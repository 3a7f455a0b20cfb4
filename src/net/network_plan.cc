// What a new network is: names, subnets and options decided and checked, nothing written.
#include <algorithm>
#include <set>

#include "base/str.h"
#include "codec/digest.h"
#include "net/network_store.h"

namespace minke::net {
namespace {

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

bool is_name(std::string_view name) {
  auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  bool right = !name.empty() && alnum(name[0]);
  for (char c : name) right = right && (alnum(c) || c == '_' || c == '.' || c == '-');
  return right;
}

constexpr const char* kNameRule = "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument";
constexpr std::string_view kModes[] = {"none",    "host",      "bridge", "default",     "private",
                                       "default", "container", "pasta",  "slirp4netns", "pod"};
constexpr std::size_t kNameMax = 200;      // it is a file's name, with more behind it
constexpr std::size_t kInterfaceMax = 15;  // IFNAMSIZ less the NUL

// ---- options ----

bool is_number(const std::string& text, std::uint64_t most) {
  auto number = parse_uint(text);
  return number && *number <= most;
}

struct OptionRow {
  std::string_view drivers;  // those that take it
  std::string_view name;
  bool (*valid)(const std::string& value);
  const char* what;  // a valid one
};
constexpr OptionRow kOptions[] = {
    {"bridge macvlan ipvlan", "mtu", [](const std::string& v) { return is_number(v, 65535); },
     "a number from 0 to 65535"},
    {"bridge", "vlan", [](const std::string& v) { return is_number(v, 4094); },
     "a number from 0 to 4094"},
    {"bridge macvlan ipvlan", "metric",
     [](const std::string& v) { return is_number(v, UINT32_MAX); }, "a number"},
    {"bridge", "isolate",
     [](const std::string& v) { return v == "strict" || parse_bool(v).has_value(); },
     "true, false or strict"},
    {"bridge macvlan ipvlan", "no_default_route",
     [](const std::string& v) { return parse_bool(v).has_value(); }, "true or false"},
    {"bridge", "vrf", [](const std::string& v) { return is_name(v) && v.size() <= kInterfaceMax; },
     "the name of a VRF interface"},
    {"bridge", "mode", [](const std::string& v) { return v == "managed"; },
     "managed (bridges of others are not supported yet)"},
    {"macvlan", "mode",
     [](const std::string& v) {
       return v == "bridge" || v == "private" || v == "vepa" || v == "passthru";
     },
     "bridge, private, vepa or passthru"},
    {"ipvlan", "mode", [](const std::string& v) { return v == "l2" || v == "l3" || v == "l3s"; },
     "l2, l3 or l3s"},
    {"macvlan ipvlan", "parent",
     [](const std::string& v) { return !v.empty() && v.size() <= kInterfaceMax; },
     "the name of an interface of the host"},
};

// Docker's names of the same.
constexpr std::pair<std::string_view, std::string_view> kDockerNames[] = {
    {"com.docker.network.driver.mtu", "mtu"},
    {"com.docker.network.bridge.name", "interface"},
};

bool has_word(std::string_view words, std::string_view word) {
  for (std::string_view other : split(words, ' '))
    if (other == word) return true;
  return false;
}

Status take_options(const NetworkRequest& request, Network* network) {
  for (const auto& [given, value] : request.options) {
    std::string name = given;
    for (const auto& [docker, own] : kDockerNames)
      if (given == docker) name = own;
    if (name == "interface" && given != name && network->driver == "bridge") {
      network->interface = value;
      continue;
    }
    const OptionRow* found = nullptr;
    for (const OptionRow& row : kOptions)
      if (row.name == name && has_word(row.drivers, network->driver)) found = &row;
    if (found == nullptr)
      return invalid(concat("unsupported ", network->driver, " network option ", given));
    if (!found->valid(value))
      return invalid(concat(network->driver, " network option ", given, "=", value, ": expected ",
                            found->what));
    if (name == "parent")
      network->interface = value;
    else
      network->options[name] = value;
  }
  return {};
}

// ---- interfaces ----

std::string free_bridge_name(int first, const std::vector<Network>& others, const HostUse& host,
                             bool rootless) {
  for (int number = first;; ++number) {
    std::string name = concat("minke", number);
    bool taken = !rootless && host.links.contains(name);
    for (const Network& other : others) taken = taken || other.interface == name;
    if (!taken) return name;
  }
}

Status take_interface(const NetworkRequest& request, const std::vector<Network>& others,
                      const HostUse& host, bool rootless, Network* network) {
  if (!request.interface.empty()) network->interface = request.interface;
  const std::string& name = network->interface;
  if (network->driver != "bridge") {
    if (name.empty()) network->interface = host.default_link;
    if (name.empty())
      return invalid(concat(network->driver,
                            " needs a parent: the host has no default route, so name it with -o "
                            "parent="));
    if (!name.empty() && !host.links.contains(name))
      return Error(Errc::not_found, concat("parent interface ", name, " does not exist"));
    return {};
  }
  if (name.empty()) {
    network->interface = free_bridge_name(1, others, host, rootless);
    return {};
  }
  if (!is_name(name)) return invalid(concat("bridge name ", name, " invalid: ", kNameRule));
  if (name.size() > kInterfaceMax)
    return invalid(concat("bridge name ", name, " is longer than ", kInterfaceMax, " bytes"));
  bool taken = !rootless && host.links.contains(name);
  for (const Network& other : others) taken = taken || other.interface == name;
  if (taken) return Error(Errc::already_exists, concat("bridge name ", name, " already in use"));
  return {};
}

// ---- subnets ----

bool is_free(const IpPrefix& subnet, const std::vector<IpPrefix>& used) {
  return std::none_of(used.begin(), used.end(),
                      [&](const IpPrefix& other) { return other.overlaps(subnet); });
}

std::vector<IpPrefix> used_prefixes(const std::vector<Network>& others, const HostUse& host) {
  std::vector<IpPrefix> used = host.taken;
  for (const Network& other : others)
    for (const Subnet& subnet : other.subnets) used.push_back(subnet.subnet);
  return used;
}

std::optional<IpPrefix> free_v4(const std::vector<SubnetPool>& pools,
                                const std::vector<IpPrefix>& used) {
  for (const SubnetPool& pool : pools) {
    if (pool.base.address.v6 || pool.size < pool.base.length || pool.size > 30) continue;
    const std::uint64_t step = std::uint64_t{1} << (32 - pool.size);
    const std::uint64_t count = std::uint64_t{1} << (pool.size - pool.base.length);
    IpPrefix candidate{pool.base.network(), pool.size};
    for (std::uint64_t i = 0; i < count; ++i) {
      if (is_free(candidate, used)) return candidate;
      candidate.address = candidate.address.plus(step);
    }
  }
  return std::nullopt;
}

// fd and 56 bits that follow from the id.
IpPrefix free_v6(const std::string& id, const std::vector<IpPrefix>& used) {
  std::string digits = id;
  for (;;) {
    IpPrefix prefix;
    prefix.address.v6 = true;
    prefix.length = 64;
    prefix.address.bytes[0] = 0xfd;
    for (std::size_t i = 1; i < 8; ++i)
      prefix.address.bytes[i] = static_cast<std::uint8_t>(
          parse_uint(std::string_view(digits).substr(2 * i - 2, 2), 16).value_or(0));
    if (is_free(prefix, used)) return prefix;
    digits = sha256_hex(digits);
  }
}

Subnet with_gateway(const IpPrefix& prefix) {
  return {prefix, prefix.network().next(), std::nullopt};
}

Status check_subnet(Subnet* subnet, bool add_gateway, const std::vector<IpPrefix>& used) {
  subnet->subnet = subnet->subnet.masked();
  const IpPrefix& prefix = subnet->subnet;
  if (prefix.length + 2 > prefix.address.bits())
    return invalid(concat("subnet ", prefix.text(),
                          " is too small: a gateway and a container need "
                          "two addresses"));
  if (prefix.address.is_multicast() || prefix.address.is_loopback() ||
      prefix.network().is_unspecified())
    return invalid(concat("subnet ", prefix.text(), " cannot be one of a network"));
  if (!is_free(prefix, used))
    return Error(Errc::conflict, concat("subnet ", prefix.text(),
                                        " is already used on the host or by another config"));
  if (subnet->gateway && !prefix.contains(*subnet->gateway))
    return invalid(concat("gateway ", subnet->gateway->text(), " not in subnet ", prefix.text()));
  if (!subnet->gateway && add_gateway) subnet->gateway = prefix.network().next();
  if (!subnet->lease_range) return {};
  for (const auto& [what, address] : {std::pair{"start", subnet->lease_range->first},
                                      std::pair{"end", subnet->lease_range->last}})
    if (!prefix.contains(address))
      return invalid(
          concat("lease range ", what, " ip ", address.text(), " not in subnet ", prefix.text()));
  if (subnet->lease_range->last < subnet->lease_range->first)
    return invalid(concat("lease range ", subnet->lease_range->first.text(), "-",
                          subnet->lease_range->last.text(), " ends before it begins"));
  return {};
}

bool has_family(const Network& network, bool v6) {
  return std::any_of(network.subnets.begin(), network.subnets.end(),
                     [v6](const Subnet& s) { return s.subnet.address.v6 == v6; });
}

Status take_subnets(const NetworkRequest& request, const NetworkDefaults& defaults,
                    const std::vector<Network>& others, const HostUse& host, Network* network) {
  std::vector<IpPrefix> used = used_prefixes(others, host);
  const bool bridge = network->driver == "bridge", ours = network->ipam_options["driver"] != "none";
  const bool choose = bridge && ours;
  network->subnets = request.subnets;
  if (!ours && !request.subnets.empty())
    return invalid("none ipam driver is set but subnets are given");
  network->ipv6_enabled = request.ipv6.value_or((choose && request.subnets.empty() && host.ipv6) ||
                                                has_family(*network, true));
  if (has_family(*network, true)) network->ipv6_enabled = true;
  if (network->ipv6_enabled && !host.ipv6)
    return invalid(
        "IPv6: this host has none (no IPv6 in the kernel, or "
        "net.ipv6.conf.all.disable_ipv6 is 1): leave out --ipv6 and subnets of IPv6");
  // Gateways serve names too, so that an internal network has one unless it has no names.
  const bool add_gateway = !network->internal || network->dns_enabled;
  for (Subnet& subnet : network->subnets) {
    TRY(check_subnet(&subnet, add_gateway, used));
    used.push_back(subnet.subnet);
  }
  if (!choose) return {};
  auto add = [&](const IpPrefix& prefix) {
    Subnet subnet = with_gateway(prefix);
    if (!add_gateway) subnet.gateway.reset();
    network->subnets.push_back(subnet);
  };
  if (network->subnets.empty() || (network->ipv6_enabled && !has_family(*network, false))) {
    auto prefix = free_v4(defaults.pools, used);
    if (!prefix)
      return Error(Errc::unavailable,
                   "could not find free subnet from subnet pools: name one with --subnet");
    add(*prefix);
  }
  if (network->ipv6_enabled && !has_family(*network, true)) add(free_v6(network->id, used));
  return {};
}

Status take_routes(const NetworkRequest& request, Network* network) {
  for (const Route& route : request.routes) {
    bool reachable = network->subnet_of(route.gateway) != nullptr;
    if (!reachable)
      return invalid(concat("route gateway ", route.gateway.text(),
                            " not in any subnet of network ", network->name));
    if (route.destination.address != route.destination.network())
      return invalid(concat("route destination ", route.destination.text(),
                            " is not a network: did you mean ", route.destination.masked().text(),
                            "?"));
  }
  network->routes = request.routes;
  return {};
}

Status take_dns(const NetworkRequest& request, Network* network) {
  if (request.dns_servers.empty()) return {};
  if (!network->dns_enabled)
    return invalid(
        "cannot set NetworkDNSServers if DNS is not enabled for the network: invalid argument");
  for (const std::string& text : request.dns_servers) {
    auto address = IpAddress::parse(text);
    if (!address)
      return invalid(
          concat("unable to parse ip ", text, " specified in NetworkDNSServers: invalid argument"));
    network->dns_servers.push_back(*address);
  }
  return {};
}

Status take_ipam(const NetworkRequest& request, Network* network) {
  std::string driver = request.ipam_driver;
  if (driver == "dhcp" ||
      (driver.empty() && network->driver != "bridge" && request.subnets.empty()))
    return Error(Errc::unsupported,
                 network->driver == "bridge"
                     ? "dhcp ipam driver is not supported yet: addresses come from host-local"
                     : concat(network->driver,
                              " driver needs at least one subnet specified, DHCP is not supported "
                              "yet (or --ipam-driver none)"));
  if (driver.empty()) driver = "host-local";
  if (driver != "host-local" && driver != "none")
    return invalid(concat("unsupported ipam driver ", quote(driver)));
  network->ipam_options["driver"] = driver;
  if (driver == "none") network->dns_enabled = false;
  return {};
}

std::string free_name(const std::vector<Network>& others) {
  for (int number = 1;; ++number) {
    std::string name = concat("podman", number);
    if (std::none_of(others.begin(), others.end(),
                     [&](const Network& other) { return other.name == name; }))
      return name;
  }
}

}  // namespace

Status check_network_name(std::string_view name) {
  if (!is_name(name)) return invalid(concat("network name ", name, " invalid: ", kNameRule));
  if (name.size() > kNameMax)
    return invalid(concat("network name ", name, " is longer than ", kNameMax, " bytes"));
  for (std::string_view mode : kModes)
    if (name == mode)
      return invalid(concat("cannot create network with name ", quote(name),
                            " because it conflicts with a valid network mode: invalid argument"));
  return {};
}

Result<IpRange> parse_range(std::string_view text) {
  if (auto ends = split_once(text, '-')) {
    auto first = IpAddress::parse(ends->first), last = IpAddress::parse(ends->second);
    if (!first || !last || first->v6 != last->v6)
      return invalid(concat("range ", quote(text), " is not FIRST-LAST"));
    return IpRange{*first, *last};
  }
  auto prefix = IpPrefix::parse(text);
  if (!prefix) return invalid(concat("invalid CIDR address: ", text));
  return IpRange{prefix->network().next(), prefix->last()};
}

Result<Route> parse_route(std::string_view text) {
  std::vector<std::string_view> parts = split(text, ',');
  if (parts.size() < 2 || parts.size() > 3)
    return invalid(concat("invalid route: ", text,
                          "\nFormat: --route <destination in CIDR>,<gateway>,<metric (optional)>"));
  Route route;
  auto destination = IpPrefix::parse(parts[0]);
  if (!destination) return invalid(concat("invalid route destination ", parts[0]));
  auto gateway = IpAddress::parse(parts[1]);
  if (!gateway) return invalid(concat("invalid route gateway ", parts[1]));
  if (gateway->v6 != destination->address.v6)
    return invalid(concat("invalid route ", text, ": destination and gateway differ in family"));
  route.destination = *destination;
  route.gateway = *gateway;
  if (parts.size() == 3) {
    auto metric = parse_uint(parts[2]);
    if (!metric || *metric > UINT32_MAX) return invalid(concat("invalid route metric ", parts[2]));
    route.metric = static_cast<std::uint32_t>(*metric);
  }
  return route;
}

namespace detail {

Result<Network> plan_network(const NetworkRequest& request, const NetworkDefaults& defaults,
                             const std::vector<Network>& others, const HostUse& host,
                             bool rootless) {
  Network network;
  network.name = request.name.empty() ? free_name(others) : request.name;
  TRY(check_network_name(network.name));
  for (const Network& other : others)
    if (other.name == network.name)
      return Error(Errc::already_exists,
                   concat("network name ", network.name, " already used: network already exists"));
  network.id = network_id(network.name);
  network.created = now();
  network.driver = request.driver.empty() ? "bridge" : request.driver;
  if (network.driver != "bridge" && network.driver != "macvlan" && network.driver != "ipvlan")
    return invalid(concat("unsupported driver ", network.driver, ": invalid argument"));
  network.labels = request.labels;
  network.internal = request.internal;
  network.dns_enabled = network.driver == "bridge" && !request.disable_dns;
  TRY(take_options(request, &network));
  TRY(take_interface(request, others, host, rootless, &network));
  TRY(take_ipam(request, &network));
  TRY(take_dns(request, &network));
  TRY(take_subnets(request, defaults, others, host, &network));
  TRY(take_routes(request, &network));
  return network;
}

Network plan_default_network(const NetworkDefaults& defaults, const std::vector<Network>& others,
                             const HostUse& host, bool rootless) {
  Network network;
  network.name = defaults.name;
  network.id = network_id(network.name);
  network.created = now();
  network.driver = "bridge";
  network.interface = free_bridge_name(0, others, host, rootless);
  network.ipam_options["driver"] = "host-local";
  std::vector<IpPrefix> used = used_prefixes(others, host);
  IpPrefix subnet = defaults.subnet.masked();
  if (!is_free(subnet, used)) subnet = free_v4(defaults.pools, used).value_or(subnet);
  network.subnets.push_back(with_gateway(subnet));
  network.ipv6_enabled = host.ipv6;
  if (host.ipv6 && !subnet.address.v6)
    network.subnets.push_back(with_gateway(free_v6(network.id, used)));
  return network;
}

}  // namespace detail

}  // namespace minke::net
