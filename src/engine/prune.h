// Removing what nobody uses.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace minke::engine {

struct Pruned {
  std::string name;        // what is printed: an id or a name
  std::int64_t bytes = 0;  // given back
};
struct PruneReport {
  std::vector<Pruned> containers, networks, volumes, images, steps;
  std::int64_t bytes() const;
};

using WantContainer = std::function<bool(const ContainerSummary&)>;
using WantVolume = std::function<bool(const VolumeConfig&)>;
using WantNetwork = std::function<bool(const net::Network&)>;
using WantImage = std::function<bool(const store::Image&)>;

// Containers that do not run and that `wanted` says yes to.
Result<std::vector<Pruned>> prune_containers(Engine& engine, const WantContainer& wanted,
                                             ErrorList* errors);
// Volumes that no container has and that `wanted` says yes to; with `dry_run` only named.
Result<std::vector<Pruned>> prune_volumes(Engine& engine, const WantVolume& wanted, bool dry_run,
                                          ErrorList* errors);
// Networks but the default one that no container is on and that `wanted` says yes to.
Result<std::vector<Pruned>> prune_networks(Engine& engine, const WantNetwork& wanted,
                                           ErrorList* errors);
// Images that no container uses: those without a name, with `all` every one.
Result<std::vector<Pruned>> prune_images(Engine& engine, bool all, const WantImage& wanted,
                                         ErrorList* errors);

}  // namespace minke::engine
