// Published ports and addresses that are still held for containers whose clean-up was killed.
#pragma once

#include <string>
#include <vector>

#include "engine/config.h"
#include "engine/host.h"
#include "net/network.h"

namespace minke::engine {

// Containers that do not run, and that nobody is at work on, but have ports that this one
// publishes.
Result<std::vector<std::string>> dead_port_owners(const Host& host, const ContainerConfig& config);

// The same of addresses in a network: all but `id`.
Result<std::vector<std::string>> dead_address_owners(const Host& host, const net::Network& network,
                                                     const std::string& id);

}  // namespace minke::engine
