// The part of minke-netd that moves bytes for rootless containers: published ports inwards, TCP
// outwards. Threads of its own: one stands in N, one in the host's namespace, one reads the queue
// of held SYNs. Every function may be called from any thread, returns when it is done, and none
// takes longer than one round of a loop.
//
//   auto plane = TRY(DataPlane::start({.netns = n}));       // after joining N's user namespace
//   plane->take_ports();                                    // for the rules: tproxy leads there
//   plane->set_transparent(false);                          // when the rules could not be laid
//   ignore(plane->start_carrier(0), "the helper carries");  // once the rules hold SYNs in queue 0
//   plane->set_container(record);                           // whenever a record is new or changed
//   plane->add_port(record.id, {...listener...});
//   plane->remove_container(id);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/attachment.h"
#include "net/network.h"
#include "net/port.h"
#include "sys/fd.h"

namespace minke::netd {

struct PlaneOptions {
  int netns = -1;                  // N; needed only while start() runs
  bool dial_own_addresses = true;  // containers reach the host's own addresses (never its loopback)
  std::uint32_t udp_flows_per_port = 8192, udp_flows_per_client = 1024;
};

// A socket bound to one published port in the host's namespace, listening when of TCP. Both
// families in one socket are fine.
struct PortListener {
  sys::UniqueFd socket;
  net::Protocol protocol = net::Protocol::tcp;  // sctp is refused
  std::uint16_t container_port = 0;
  net::ProxyHeader proxy = net::ProxyHeader::none;  // of tcp
};

// Where tproxy rules lead: on 127.0.0.1 and ::1 of N. 0: no transparent listener was to be had.
struct TakePorts {
  std::uint16_t v4 = 0, v6 = 0;
};

struct PlaneStats {
  std::uint64_t ports, in_connections, in_total, in_refused, in_bytes, out_bytes;  // of clients
  std::uint64_t udp_flows, udp_flows_total, udp_dropped;
  std::uint64_t carried, carried_total, held, dialled, repeated, forbidden, unclaimed, over_limit;
  std::uint64_t carried_up_bytes, carried_down_bytes;
  std::uint64_t fd_shortages;
  bool transparent, carrying;
};

class DataPlane {
 public:
  // The process must be privileged over N. Raises RLIMIT_NOFILE to its hard limit.
  static Result<std::unique_ptr<DataPlane>> start(const PlaneOptions& options);
  ~DataPlane();  // ends the threads; what is open is closed
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  // Rule A is there (the default), or not: then containers see the gateway's address.
  void set_transparent(bool on);
  TakePorts take_ports() const;
  // Claims the netfilter queue of N and serves the SYNs held there.
  Status start_carrier(std::uint16_t queue);
  // All networks anew: their options decide which one a container answers by.
  Status set_networks(std::vector<net::Network> networks);
  // A container is new, or has other addresses: connections to those it has no more are reset.
  // `within`: its network namespace, when the record says that no bridge leads to it
  // (net/helper_mode.h).
  Status set_container(const net::AttachmentRecord& record, sys::UniqueFd within = {});
  // not_found when the container was not set.
  Status add_port(const std::string& id, PortListener listener);
  // Its listeners are closed and all its connections reset, outbound ones too. What is not there is
  // success.
  Status remove_container(const std::string& id);
  PlaneStats stats() const;

 private:
  struct Impl;
  explicit DataPlane(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace minke::netd
