// Networks and containers in the kernel: bridges, veth pairs, addresses, routes, and the table
// `inet minke`. Bridges live in the host's network namespace, or rootless in N, the user's own.
//
// The callers: the engine (ensure_network, attach, publish and their reverses, while it starts and
// cleans up a container) and netd (prepare_inside, lead_names, restore, settle_loopback6,
// RulesetWatch). Everything is idempotent: a command that was killed on the way is healed by the
// next one.
//
// Published ports of the rootful table: map elements that lead (protocol, host address, port), or
// (protocol, port) for all addresses of the host, to a container. No process holds them. One case
// is beyond the kernel: a client on the host that uses [::1] on a host whose bridges hand IPv6
// packets to netfilter themselves (net.bridge.bridge-nf-call-ip6tables = 1: Docker and Kubernetes
// set it). Its answers die before they are routed. settle_loopback6 says so; netd must then listen
// on [::1]:PORT and forward, and the table leaves ::1 to it. Everywhere else ::1 is led by the
// kernel, like 127.0.0.1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/attachment.h"
#include "net/network.h"
#include "sys/netlink.h"

namespace minke::net {

// The algorithm of congestion control between a rootless container and netd or its helper. That hop
// never leaves the machine, and a sender that paces itself for a network's sake (BBR, the default
// on many a server) loses by its timers a third of the throughput and half of the CPU, measured.
// Every kernel has reno and lets everybody choose it.
inline constexpr std::string_view kInnerCongestion = "reno";

struct Place {
  int netns = -1;         // of the bridges; -1: the caller's own
  bool rootless = false;  // it is N
  std::string owner;      // the engine's run folder: bridges of another one are not ours
};

// A bridge network's bridge is up, with its addresses, settings and elements of the table; of
// macvlan and ipvlan there is nothing to make. Two questions to the kernel when all of it is there.
Status ensure_network(const Network& network, const Place& place);
// Whether a bridge of its name is there that another engine has made.
Result<bool> bridge_is_anothers(const Network& network, const Place& place);
// The bridge, if we made it, and its elements; with the last network the table and what was laid in
// other firewalls go too. What is not there is success.
Status remove_network(const Network& network, const Place& place);

// An interface in the container's namespace, with addresses, routes and its loopback up. Nothing
// stays behind when it fails.
Status attach(const Network& network, const Attachment& attachment, const Place& place,
              int container_netns);
// What is not there is success. container_netns -1: it is gone, and its interfaces with it: the
// kernel removes both ends of a pair, soon, and nobody has to wait for that (20 ms and more).
Status detach(const Attachment& attachment, const Place& place, int container_netns);

// The host's ports lead to the container: rootful alone, rootless it is netd that listens. The
// container's first network that is not internal is where they lead, per family; a container
// without an address of a family is not published on it. An element that leads elsewhere is
// replaced: who owns a port is decided before. Entries of the connection table for its UDP ports
// go.
Status publish(const AttachmentRecord& record, const Place& place);
// Only elements that lead to this container.
Status unpublish(const AttachmentRecord& record, const Place& place);

// Port 53 (TCP, UDP) of the network's gateways, asked from its bridge, leads to `port` of the same
// address, where netd listens. 0: no more.
Status lead_names(const Network& network, const Place& place, std::uint16_t port);

// A container without a bridge, whose device is a helper program's: what its kernel answers to a
// client whose address is that of a socket made within it is delivered to that socket. Such a
// socket bears kMark (net/ruleset.h). With addresses of IPv6 the device gets them, and a way out:
// the helper's own come later. What this kernel has not is taken out of `device`: addresses of
// IPv6, or the gateways when answers cannot be led.
Status prepare_within(Attachment* device, int container_netns);

// --- N, by netd at its start ---

// What hands a held SYN to netd.
enum class Queue : std::uint8_t {
  none,     // the kernel has neither: the uplink carries TCP too
  nft,      // nf_tables' own queue
  xtables,  // the NFQUEUE target through nf_tables' compat module
};
const char* queue_name(Queue queue);

struct InsidePorts {
  std::uint16_t tcp4 = 0;   // transparent listener on N's 127.0.0.1; 0: TCP is not carried
  std::uint16_t tcp6 = 0;   // on N's ::1; 0: none
  std::uint16_t queue = 0;  // number of the netfilter queue
};
struct Inside {
  Queue queue = Queue::none;
  bool transparent = false;  // sockets bound to a client's address get their answers (rule A)
  bool carries = false;      // containers' outbound TCP goes to the listeners
};
// Settings of N, the chains `hold` and `take`, and the local table that their mark leads to. May be
// called again with other ports. The marks of a held SYN's verdict: net/ruleset.h.
Result<Inside> prepare_inside(const Place& n, const InsidePorts& ports);

// --- keeping it there ---

struct Names {
  std::string network;
  std::uint16_t port = 0;
};
// Everything again after somebody has thrown the table away.
Status restore(const std::vector<Network>& networks, const std::vector<Names>& names,
               const std::vector<AttachmentRecord>& records, const Place& place);
// False when the table is gone or is not of this version.
Result<bool> table_is_there(const Place& place);
// Tells that rules have changed, not which: read all, wait for quiet, then ask table_is_there and
// call allow_forwarding and settle_loopback6.
class RulesetWatch {
 public:
  static Result<RulesetWatch> open(const Place& place);
  int fd() const { return socket_.fd(); }
  Status drain();  // what has come; never waits

 private:
  explicit RulesetWatch(sys::NetlinkSocket socket) : socket_(std::move(socket)) {}
  sys::NetlinkSocket socket_;
};

// True when netd has to serve [::1] (see above); the table follows the host's setting. Rootless:
// false.
Result<bool> settle_loopback6(const Place& place);

// Other firewalls of the host whose policy would drop what the table accepts get one rule each,
// first in their forward and input chains: it accepts packets that bear our mark, which the table
// puts on what it accepts. Says what was needed: one line each, also for those that were left
// alone. ensure_network does this by itself when it lays the table; rootless there is nothing to
// do.
Result<std::vector<std::string>> allow_forwarding(const Place& place);

}  // namespace minke::net
