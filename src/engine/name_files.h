// /etc/hosts and /etc/resolv.conf of a container: bound in from its folder.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/config.h"
#include "engine/host.h"
#include "engine/network_helper.h"
#include "net/attachment.h"

namespace minke::engine {

// What is known of its networks when the files are written; nothing of a container that does not
// run, or of one without networks.
struct NameSources {
  const net::AttachmentRecord* record = nullptr;
  std::string host_address;             // of host.containers.internal
  bool names_served = false;            // minke-netd answers at the gateways
  const HelperNames* helper = nullptr;  // of --network slirp4netns or pasta
};

Result<std::string> hosts_text(const ContainerConfig& config, const NameSources& sources);
// Rewritten where they are, in the container's folder: containers have their inodes.
Status write_names(const ContainerConfig& config, const std::string& dir, NameSources sources);
std::string resolv_text(const ContainerConfig& config, const NameSources& sources);

// Servers that a container can reach: those of /etc/resolv.conf but the host's own loopback ones,
// in whose place come those that systemd-resolved asks, or, without any, Google's as Podman does.
struct HostResolver {
  std::vector<std::string> servers;
  std::string search, options;  // whole lines with their ends
};
HostResolver host_resolver(bool loopback_too);

}  // namespace minke::engine
