// Layers with the owners that a container's own user namespace needs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/config.h"

namespace minke::engine {

// For a container with maps of its own: copies of the layers with every owner mapped, made once per
// layer and map beside the layer (LAYER/diff-HASH next to LAYER/diff) and found again by the next
// container; without maps, `layers` as they are. `layers` are LAYER/diff folders, topmost first. A
// file whose owner has no place in the maps is an error that names it.
Result<std::vector<std::string>> shift_layers(const std::vector<std::string>& layers,
                                              const std::vector<oci::IdMapping>& uid_map,
                                              const std::vector<oci::IdMapping>& gid_map);

}  // namespace minke::engine
