// Interfaces, addresses, routes and rules of one network namespace, by rtnetlink. A verb is a
// message of a batch; a batch is one system call and its answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "sys/netlink.h"

namespace minke::net {

struct Link {
  int index = 0;
  std::string name, kind, alias;  // kind: bridge, veth, ...; empty for devices
  MacAddress mac;
  std::uint32_t mtu = 0;
  int master = 0;
  bool up = false;
  bool carrier = false;
  bool operational = false;  // up, with a carrier that the kernel has acted upon
};

struct BridgeSpec {
  std::string name;
  MacAddress mac;                     // fixed: else it is that of some port, and changes with them
  std::optional<std::uint32_t> mtu;   // none: the kernel's
  std::optional<std::uint16_t> vlan;  // of all ports and of the bridge itself, untagged
  int master = 0;                     // a vrf
};

// One end here (up, a port of `bridge`), the other made within `peer_netns`.
struct VethSpec {
  std::string name;  // empty: vethN, of the kernel's choice
  std::string peer_name;
  int peer_netns = -1;
  MacAddress peer_mac;  // all zero: the kernel's choice
  std::uint32_t mtu = 0;
  int bridge = 0;
};

// macvlan or ipvlan on `parent`, made within `netns`.
struct SlaveSpec {
  std::string kind, mode, name;  // mode empty: bridge of macvlan, l2 of ipvlan
  int parent = 0;
  int netns = -1;
  MacAddress mac;  // of macvlan alone
  std::optional<std::uint32_t> mtu;
};
// The modes of podman(1): invalid_argument with the list of them for another one.
Result<std::uint32_t> parse_slave_mode(const std::string& kind, const std::string& mode);

struct RouteSpec {
  IpPrefix destination;
  std::optional<IpAddress> gateway;
  int index = 0;                // 0: where the gateway is
  std::uint32_t metric = 0;     // 0: the kernel's
  std::uint32_t table = 254;    // RT_TABLE_MAIN
  bool local = false;           // delivered here
  std::string_view congestion;  // of TCP that goes by it; empty: the namespace's
};

struct RuleSpec {
  bool v6 = false;
  std::uint32_t priority = 0, table = 0;
  std::uint32_t mark = 0, mask = 0;  // mask 0: any
  std::string iifname;               // empty: any
};

// Steps that go to the kernel together. A failed one does not stop those behind it; the error is
// the first one's: "STEP: reason".
class LinkBatch {
 public:
  LinkBatch& add_bridge(const BridgeSpec& spec);
  LinkBatch& add_veth(const VethSpec& spec);
  LinkBatch& add_slave(const SlaveSpec& spec, std::uint32_t mode);
  LinkBatch& remove(const std::string& name);
  LinkBatch& remove(int index, const std::string& name);
  LinkBatch& set_up(int index, const std::string& name);
  LinkBatch& set_alias(int index, const std::string& name, const std::string& alias);
  LinkBatch& filter_vlans(const std::string& bridge);
  LinkBatch& hairpin(const std::string& port, int index);
  // Usable at once: no duplicate address detection. What is there already is success.
  LinkBatch& add_address(int index, const std::string& name, const IpPrefix& address);
  LinkBatch& add_route(const RouteSpec& route);
  LinkBatch& add_rule(const RuleSpec& rule);     // EEXIST when it is there
  LinkBatch& delete_rule(const RuleSpec& rule);  // ENOENT when it is not
  // The neighbour is known without asking.
  LinkBatch& set_neighbour(int index, const IpAddress& address, const MacAddress& mac);

 private:
  friend class Links;
  sys::NetlinkRequest& step(std::string what, std::uint16_t type, std::uint16_t flags,
                            const void* header, std::size_t size);
  LinkBatch& rule(const RuleSpec& rule, std::uint16_t type, std::uint16_t flags);
  sys::NetlinkRequest request_;
  std::vector<std::string> steps_;
};

class Links {
 public:
  static Result<Links> open(int netns = -1);
  // Nothing when there is none of that name.
  Result<std::optional<Link>> find(const std::string& name);
  Result<Link> get(const std::string& name);  // not_found: "no interface NAME"
  Result<std::vector<Link>> list();
  Result<std::vector<IpPrefix>> addresses(int index);
  // Whether packets for the address are delivered here.
  Result<bool> is_local(const IpAddress& address);
  Status run(LinkBatch& batch);
  Status remove(const std::string& name);  // success when there is none

 private:
  explicit Links(sys::NetlinkSocket socket) : socket_(std::move(socket)) {}
  sys::NetlinkSocket socket_;
};

}  // namespace minke::net
