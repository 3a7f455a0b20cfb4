// A network as it is on disk (ROOT/networks/NAME.json) and as `network inspect` prints it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "codec/json.h"
#include "net/address.h"

namespace minke::net {

struct Subnet {
  IpPrefix subnet;  // masked
  std::optional<IpAddress> gateway;
  std::optional<IpRange> lease_range;  // within the subnet; none: all of it
};

struct Route {
  IpPrefix destination;
  IpAddress gateway;
  std::optional<std::uint32_t> metric;
};

struct Network {
  std::string name, id;   // id: 64 hex digits
  std::string driver;     // bridge, macvlan, ipvlan
  std::string interface;  // of bridge its own name (minke0); else the parent on the host
  TimeNs created = 0;
  std::vector<Subnet> subnets;
  std::vector<Route> routes;
  bool ipv6_enabled = false, internal = false, dns_enabled = false;
  std::vector<IpAddress> dns_servers;
  // options: mtu vlan metric isolate (true, strict) parent mode no_default_route vrf com.docker.*
  // ipam_options: driver (host-local, none)
  std::map<std::string, std::string> labels, options, ipam_options;

  // Of options; nothing when it is not there.
  const std::string* option(const std::string& key) const;
  // The subnet that holds the address.
  const Subnet* subnet_of(const IpAddress& address) const;
};
void bind(json::Binder& b, Subnet& s);
void bind(json::Binder& b, Route& r);
void bind(json::Binder& b, Network& n);

// Members as text, for structs that are bound to JSON: empty text stands for an absent one.
void bind_field(json::Binder& b, const char* key, IpAddress& address);
void bind_field(json::Binder& b, const char* key, std::optional<IpAddress>& address);
void bind_field(json::Binder& b, const char* key, IpPrefix& prefix);
void bind_field(json::Binder& b, const char* key, std::vector<IpAddress>& addresses);
void bind_field(json::Binder& b, const char* key, std::vector<IpPrefix>& prefixes);
void bind_field(json::Binder& b, const char* key, MacAddress& mac);
void bind_field(json::Binder& b, const char* key, std::optional<MacAddress>& mac);

}  // namespace minke::net
