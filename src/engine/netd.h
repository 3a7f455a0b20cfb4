// Starting minke-netd, and finding it.
#pragma once

#include <functional>

#include "engine/host.h"
#include "net/netd_client.h"
#include "net/setup.h"

namespace minke::engine {

// A connection to the netd of this engine, started when there is none. Kept by the caller until its
// last word is answered, it also keeps netd from ending. After enter_namespaces().
Result<net::NetdClient> ensure_netd(const Host& host);

// One call; a netd that ended just before it is started anew.
Result<std::string> tell_netd(const Host& host, net::NetdVerb verb, std::string_view word,
                              const std::vector<int>& fds = {});

// Runs `act` where the bridges are. Rootless that is a child in N, as a command that has left the
// host's network namespace could not come back to it: only the Status returns from there.
Status at_bridges(const Host& host, const std::function<Status(const net::Place&)>& act);

}  // namespace minke::engine
