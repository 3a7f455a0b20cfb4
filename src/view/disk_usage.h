// `system df` as it is shown.
#pragma once

#include "codec/json.h"
#include "engine/disk_usage.h"

namespace minke::view {

// Images, Containers, Local Volumes; texts and numbers of each.
json::Array disk_summary(const engine::DiskUsage& usage);
// Rows of the three tables of -v.
json::Array disk_images(const engine::DiskUsage& usage, TimeNs at);
json::Array disk_containers(const engine::DiskUsage& usage, TimeNs at);
json::Array disk_volumes(const engine::DiskUsage& usage);

}  // namespace minke::view
