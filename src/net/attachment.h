// What a running container has of networks: RUNROOT/containers/ID/network, replaced by rename.
// Everything that netd, cleanup, inspect, port and network reload need to know.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "net/address.h"
#include "net/network.h"
#include "net/port.h"

namespace minke::net {

struct Attachment {
  std::string network, network_id;
  std::string driver;               // bridge, macvlan, ipvlan
  std::string interface;            // inside: eth0, eth1, ...
  std::string bridge;               // Network::interface
  std::string host_interface;       // the veth's end in the host or in N; of bridges alone
  MacAddress mac;                   // all zero: the kernel's choice
  std::vector<IpPrefix> addresses;  // with the subnet's length
  std::vector<IpAddress> gateways;
  std::vector<std::string> aliases;  // besides the name and the short id
  bool internal = false, dns_enabled = false;
};
void bind(json::Binder& b, Attachment& a);

struct AttachmentRecord {
  std::string id, name, hostname;
  pid_t pid = 0;                 // of init; 0: addresses are leased, it has no process yet
  std::uint64_t start_time = 0;  // as /proc/PID/stat says: the pid is its own only with this one
  std::vector<Attachment> networks;
  std::vector<PortMapping> ports;  // with the host's ports chosen

  // What it has of the network of this name; nothing when it is not on it.
  const Attachment* find(const std::string& network) const;
  std::vector<IpAddress> dns;  // --dns: asked for names of others instead of the host's servers
};
void bind(json::Binder& b, AttachmentRecord& r);

constexpr const char* kAttachmentFile = "/network";  // below a container's run directory

// Nothing when there is none.
Result<std::optional<AttachmentRecord>> load_attachments(const std::string& run_dir);
Status save_attachments(const std::string& run_dir, const AttachmentRecord& record);

}  // namespace minke::net
