// What builds have left for later builds: steps with their layers, and the folders of cache mounts.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/prune.h"
#include "store/step_cache.h"

namespace minke::engine {

struct BuildCacheUsage {
  std::int64_t steps = 0, mounts = 0;
  std::int64_t in_images = 0;    // steps whose layer an image has too
  std::int64_t size = 0;         // of layers and folders
  std::int64_t reclaimable = 0;  // of those that no image has
};
Result<BuildCacheUsage> build_cache_usage(Engine& engine);

struct BuildCachePrune {
  bool all = false;     // also steps whose layer an image has
  bool mounts = false;  // also the folders of cache mounts that no build uses now
  std::function<bool(TimeNs used)> wanted;  // last used then; empty: all of them
};
// Steps, named by their keys, and folders. The layers go with them, unless something else needs
// them.
Result<std::vector<Pruned>> prune_build_cache(Engine& engine, const BuildCachePrune& what);

}  // namespace minke::engine
