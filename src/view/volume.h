// Volumes as `volume inspect` and the rows of `volume ls` show them.
#pragma once

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "engine/volume.h"

namespace minke::view {

// `mount_count`: how many running containers have it.
json::Object inspect_volume(const engine::Volumes& volumes, const engine::VolumeConfig& volume,
                            std::int64_t mount_count);
extern const gotemplate::Shape kVolumeShape;

}  // namespace minke::view
