// Published ports that are still reserved for containers whose clean-up was killed.
#pragma once

#include <string>
#include <vector>

#include "engine/config.h"
#include "engine/host.h"

namespace minke::engine {

// Containers that do not run, and that nobody is at work on, but have ports that this one
// publishes.
Result<std::vector<std::string>> dead_port_owners(const Host& host, const ContainerConfig& config);

}  // namespace minke::engine
