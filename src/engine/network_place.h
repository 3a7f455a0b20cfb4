// Namespaces of containers, and who serves their networks.
#pragma once

#include "config/containers_conf.h"
#include "engine/host.h"
#include "engine/netd.h"
#include "net/network_store.h"
#include "sys/fd.h"

namespace minke::engine {

// The network namespace of a process, which is known to be that very one.
Result<sys::UniqueFd> open_network_namespace(pid_t pid, std::uint64_t start_time);

// Whether minke-netd is there to answer for names and published ports.
bool netd_serves(const Host& host);
// Says what has changed of the container's networks: to a netd that is started when `needed`, else
// to one that runs. `listeners`: sockets of its published ports that somebody else has bound.
Status tell_networks(const Host& host, net::NetdVerb verb, const std::string& id, bool needed,
                     const std::vector<int>& listeners = {});
// What containers.conf says of new networks.
Result<net::NetworkDefaults> network_defaults(const config::ContainersConf& conf);
// The bridge of a network that nobody is on goes; the next container makes it anew.
Status drop_idle_bridge(const Host& host, const net::Network& network, const net::Place& place);
// Whether netd must know before the container runs.
bool needs_netd(const Host& host, const net::AttachmentRecord& record);

}  // namespace minke::engine
