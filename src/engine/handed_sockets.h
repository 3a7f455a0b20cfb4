// Sockets that a service manager hands to the command which starts a container (LISTEN_PID,
// LISTEN_FDS, LISTEN_FDNAMES; sd_listen_fds(3)). Those at published ports serve them: the one way
// to a port below 1024 that needs no setting of the host's. The others go into the container, as
// Podman does.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/config.h"

namespace minke::engine {

struct HandedSocket {
  int fd;
  std::string name;   // of LISTEN_FDNAMES; empty: none
  bool used = false;  // a container listens on it: it is not for the next one
};

// What this process was given, taken from its environment and kept from programs that it starts.
// The first call takes; the others find the same.
Result<std::vector<HandedSocket>*> take_handed_sockets();

struct SortedSockets {
  std::vector<HandedSocket*> published, inside;
};
// Errors: a socket at a published port that cannot serve it, be it at another address of the host's
// or no listener; any at one of root's, which the kernel leads before a socket is looked for.
Result<SortedSockets> sort_handed_sockets(const ContainerConfig& config, bool rootless,
                                          std::vector<HandedSocket>* sockets);

// LISTEN_* for a container whose first process gets them as 3, 4, ...
std::vector<std::string> handed_environment(const std::vector<HandedSocket*>& sockets);

}  // namespace minke::engine
