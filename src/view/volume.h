// Volumes as `volume inspect` and the rows of `volume ls` show them.
#pragma once

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "engine/engine.h"

namespace minke::view {

// How many running containers have it.
Result<std::int64_t> volume_mount_count(engine::Engine& engine, const std::string& name);

json::Object inspect_volume(const engine::Volumes& volumes, const engine::VolumeConfig& volume,
                            std::int64_t mount_count);
extern const gotemplate::Shape kVolumeShape;

}  // namespace minke::view
