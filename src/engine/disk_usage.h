// What images, containers and volumes take on disk: `system df`.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/build_cache.h"
#include "engine/engine.h"

namespace minke::engine {

// Sizes of layers are those that were recorded when they were unpacked: nothing is walked for them.
struct ImageUsage {
  store::Image image;
  std::int64_t shared = 0, unique = 0;  // of its size: layers that another image has too, and not
  std::int64_t containers = 0;
};
struct ContainerUsage {
  ContainerSummary summary;
  std::int64_t rw = 0, root = 0;  // the writable layer; with the image's
};
struct VolumeUsage {
  std::string name;
  std::int64_t links = 0;  // containers that have it
  std::int64_t size = 0;
};
struct DiskUsage {
  std::vector<ImageUsage> images;
  std::int64_t images_size = 0;         // each layer counted once
  std::int64_t images_reclaimable = 0;  // what no container's image needs
  std::vector<ContainerUsage> containers;
  std::vector<VolumeUsage> volumes;
  BuildCacheUsage builds;
};
Result<DiskUsage> disk_usage(Engine& engine);

}  // namespace minke::engine
