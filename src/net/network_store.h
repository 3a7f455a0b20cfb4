// Networks on disk: ROOT/networks/NAME.json. Made and changed by whoever holds the networks' lock
// (RUNROOT/networks/lock), which the caller takes; read without.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/host_use.h"
#include "net/network.h"

namespace minke::net {

// Where free subnets are looked for, each `size` bits long.
struct SubnetPool {
  IpPrefix base;
  std::uint8_t size = 24;
};

// Of containers.conf, or Podman's own.
struct NetworkDefaults {
  std::string name = "podman";
  IpPrefix subnet;
  std::vector<SubnetPool> pools;
};
NetworkDefaults built_in_defaults();

// What `network create` is asked for.
struct NetworkRequest {
  std::string name;    // empty: the first free podmanN
  std::string driver;  // empty: bridge
  std::vector<Subnet> subnets;
  std::vector<Route> routes;
  std::optional<bool> ipv6;  // none: dual stack where the host has it and no subnet is given
  bool internal = false, disable_dns = false;
  std::vector<std::string> dns_servers;
  std::map<std::string, std::string> labels, options;
  std::string ipam_driver;  // empty: host-local
  std::string interface;    // --interface-name
};

class NetworkStore {
 public:
  NetworkStore(std::string root, NetworkDefaults defaults, bool rootless)
      : dir_(std::move(root) + "/networks"), defaults_(std::move(defaults)), rootless_(rootless) {}

  const std::string& default_name() const { return defaults_.name; }
  // By exact name; the default one also where nobody has written it yet.
  Result<Network> load(const std::string& name) const;
  // By name, full id, or unambiguous beginning of an id. not_found: `unable to find network with
  // name or ID x: network not found`. "bridge" and "default" are other names of the default one
  // where no network is called so.
  Result<Network> find(std::string_view name_or_id) const;
  Result<std::vector<Network>> list() const;  // by name, the default one among them

  // What would be made: checked against the host and the other networks, names and subnets chosen.
  Result<Network> plan(const NetworkRequest& request) const;
  Result<Network> create(const NetworkRequest& request) const;
  // The default network, written when it is not; after that its subnet stays as it is.
  Result<Network> ensure_default() const;
  bool is_written(const std::string& name) const;
  Status replace(const Network& network) const;
  Status remove(const std::string& name) const;

 private:
  Result<Network> plan_default() const;
  Result<std::vector<Network>> list_written() const;
  Status write(const Network& network, bool anew) const;
  std::string path(std::string_view name) const { return dir_ + "/" + std::string(name) + ".json"; }
  std::string dir_;
  NetworkDefaults defaults_;
  bool rootless_;
};

// [a-zA-Z0-9][a-zA-Z0-9_.-]*, and none of the words that are modes of --network.
Status check_network_name(std::string_view name);
// Addresses FIRST-LAST, or those of a prefix, for --ip-range.
Result<IpRange> parse_range(std::string_view text);
// DESTINATION,GATEWAY[,METRIC] for --route.
Result<Route> parse_route(std::string_view text);
// 64 hex digits that follow from the name, as Podman's.
std::string network_id(std::string_view name);

namespace detail {  // network_plan.cc, for network_store.cc and tests
Result<Network> plan_network(const NetworkRequest& request, const NetworkDefaults& defaults,
                             const std::vector<Network>& others, const HostUse& host,
                             bool rootless);
Network plan_default_network(const NetworkDefaults& defaults, const std::vector<Network>& others,
                             const HostUse& host, bool rootless);
}  // namespace detail

}  // namespace minke::net
