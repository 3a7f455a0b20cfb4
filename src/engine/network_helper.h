// The helper program of a container with --network slirp4netns or pasta: started when its process
// exists and before it runs, ended by its clean-up, or with its monitor.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/config.h"
#include "engine/host.h"
#include "monitor/plan.h"

namespace minke::engine {

bool is_helper_mode(const std::string& mode);
// Whether the program is there, the options mean something, and the ports can be had: before
// anything is made. `ports`: what is to be published.
Status check_network_helper(const ContainerConfig& config, const Host& host);

// What the container is told of its network (engine/name_files.h).
struct HelperNames {
  std::vector<std::string> own;      // addresses
  std::vector<std::string> servers;  // of names, before those of the host
  std::string host;                  // the host as the container sees it; empty: not at all
};

// Who serves the published ports: minke-netd (port_handler=rootlesskit of a user's slirp4netns:
// from within the container, which sees clients' own addresses), or the program itself.
std::string port_handler(const ContainerConfig& config, const Host& host);
constexpr const char* kOwnHandler = "minke-netd";

// Returns when the interface is there, the ports are open, and the container's files name what it
// has. `life`: the reading end of a pipe that its monitor holds open; slirp4netns ends with it.
// `listeners`: as of tell_networks. What has begun is ended when it fails.
Status start_network_helper(const Host& host, const ContainerConfig& config,
                            const monitor::StateRecord& init, int life, std::vector<int> listeners);
// A network namespace of the container's own, whoever serves it.
bool has_own_network(const std::string& mode);
// And its ports are free. What is not there is success.
Status stop_network_helper(const Host& host, const std::string& id);
// In the run directory of a container whose helper runs, or ran when its command was killed.
constexpr const char* kHelperFile = "/helper";

}  // namespace minke::engine
