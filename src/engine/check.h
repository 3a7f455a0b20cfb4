// Looking over everything that is on disk, and mending it without losing what is healthy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/prune.h"

namespace minke::engine {

struct CheckOptions {
  bool quick = false;   // without reading the blobs
  bool repair = false;  // mend, and remove what cannot be mended and nobody uses
  bool force =
      false;  // also containers and volumes that cannot be mended, and users of such images
  std::int64_t max_age_s = 24 * 3600;  // data without an owner count as damage when older
};
struct Finding {
  std::string what;  // "image ID", "container ID", "volume NAME", ...
  std::string fault;
  std::string mended;  // what was done about it; empty: nothing
};
struct CheckReport {
  std::vector<Finding> findings;
};
Result<CheckReport> check(Engine& engine, const CheckOptions& options);

// Blobs and layers that no image and no container has, to trash.
Result<std::vector<Pruned>> collect_garbage(Engine& engine);

// Stops and removes all containers, images, volumes and secrets, and what else is the engine's own
// below ROOT and RUNROOT; nothing else that lies there.
Status reset(Engine& engine);

}  // namespace minke::engine
