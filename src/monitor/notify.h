// systemd's sd_notify protocol: states told to the service manager, and a container's own states
// passed on.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::monitor {

// Sends `state` ("READY=1\nMAINPID=7") to `socket` (a path, or @abstract). An empty name does
// nothing.
Status notify_manager(const std::string& socket, std::string_view state);

// The socket that a container writes to instead of the manager's.
Result<sys::UniqueFd> listen_notify(const std::string& path);
// Reads one message of the container; what of it may go on to the manager, or nothing. A container
// says when it is ready and how it fares; it does not name main processes, descriptors or errors of
// the host's.
std::string read_notify(int socket);
std::string allowed_states(std::string_view message);

}  // namespace minke::monitor
