// The helper program of a container with --network slirp4netns or pasta: started when its process
// exists and before it runs, ended by its clean-up.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "net/port.h"

namespace minke::engine {

struct NetworkHelper {
  std::string mode;     // slirp4netns, pasta
  std::string options;  // behind the colon
  std::vector<net::PortMapping> ports;
};

bool is_helper_mode(const std::string& mode);
// Whether the options mean something, and the ports can be had: before anything is made.
Status check_network_helper(const NetworkHelper& helper);
// Returns when the interface is there and the ports are open. `pid`: the container's init. What has
// begun is ended when it fails.
Status start_network_helper(const NetworkHelper& helper, const std::string& run_dir, pid_t pid);
// What is not there is success.
Status stop_network_helper(const std::string& run_dir);

}  // namespace minke::engine
