#include "view/disk_usage.h"

#include "base/str.h"
#include "codec/units.h"
#include "oci/reference.h"

namespace minke::view {
namespace {

using engine::ContainerState;

std::string size_text(std::int64_t bytes) { return units::human_size(static_cast<double>(bytes)); }

json::Object summary(const char* type, std::int64_t total, std::int64_t active, std::int64_t size,
                     std::int64_t reclaimable) {
  std::int64_t percent = size > 0 ? reclaimable * 100 / size : 0;
  json::Object row;
  row.set("Type", type);
  row.set("Total", total);
  row.set("Active", active);
  row.set("RawSize", size);
  row.set("RawReclaimable", reclaimable);
  row.set("TotalCount", total);
  row.set("Size", size_text(size));
  row.set("Reclaimable", concat(size_text(reclaimable), " (", percent, "%)"));
  return row;
}

json::Object image_row(const engine::ImageUsage& usage, std::string repository, std::string tag,
                       TimeNs at) {
  json::Object row;
  row.set("Repository", std::move(repository));
  row.set("Tag", std::move(tag));
  row.set("ImageID", usage.image.id.substr(0, 12));
  row.set("Created", human_duration(at - usage.image.created));
  row.set("Size", size_text(usage.image.size));
  row.set("SharedSize", size_text(usage.shared));
  row.set("UniqueSize", size_text(usage.unique));
  row.set("Containers", usage.containers);
  return row;
}

}  // namespace

json::Array disk_summary(const engine::DiskUsage& usage) {
  auto count = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  std::int64_t images_used = 0, running = 0, rw = 0, rw_free = 0, mounted = 0, volumes = 0,
               volumes_free = 0;
  for (const engine::ImageUsage& image : usage.images) images_used += image.containers > 0 ? 1 : 0;
  for (const engine::ContainerUsage& container : usage.containers) {
    bool runs = container.summary.state == ContainerState::running;
    running += runs ? 1 : 0;
    rw += container.rw;
    if (!runs) rw_free += container.rw;
  }
  for (const engine::VolumeUsage& volume : usage.volumes) {
    mounted += volume.links;
    volumes += volume.size;
    if (volume.links == 0) volumes_free += volume.size;
  }
  json::Array rows;
  rows.emplace_back(summary("Images", count(usage.images), images_used, usage.images_size,
                            usage.images_reclaimable));
  rows.emplace_back(summary("Containers", count(usage.containers), running, rw, rw_free));
  rows.emplace_back(summary("Local Volumes", count(usage.volumes), mounted, volumes, volumes_free));
  // As Docker's; Podman knows no such row, so that it is there only when there is something in it.
  const engine::BuildCacheUsage& builds = usage.builds;
  if (builds.steps + builds.mounts > 0)
    rows.emplace_back(summary("Build Cache", builds.steps + builds.mounts, builds.in_images,
                              builds.size, builds.reclaimable));
  return rows;
}

json::Array disk_images(const engine::DiskUsage& usage, TimeNs at) {
  json::Array rows;
  for (const engine::ImageUsage& image : usage.images) {
    bool named = false;
    for (const std::string& name : image.image.names) {
      auto ref = oci::Reference::parse(name);
      if (!ref) continue;
      named = true;
      rows.emplace_back(image_row(image, ref->name(), ref->tag.empty() ? "<none>" : ref->tag, at));
    }
    if (!named) rows.emplace_back(image_row(image, "<none>", "<none>", at));
  }
  return rows;
}

json::Array disk_containers(const engine::DiskUsage& usage, TimeNs at) {
  json::Array rows;
  for (const engine::ContainerUsage& container : usage.containers) {
    const engine::ContainerSummary& s = container.summary;
    json::Object row;
    row.set("ContainerID", s.id.substr(0, 12));
    row.set("Image", s.image_id.substr(0, 12));
    row.set("Command", join(s.command, " "));
    row.set("LocalVolumes", static_cast<std::int64_t>(s.volumes.size()));
    row.set("RWSize", size_text(container.rw));
    row.set("Size", size_text(container.rw));
    row.set("Created", human_duration(at - s.created));
    row.set("Status", engine::state_name(s.state));
    row.set("Names", s.name);
    rows.emplace_back(std::move(row));
  }
  return rows;
}

json::Array disk_volumes(const engine::DiskUsage& usage) {
  json::Array rows;
  for (const engine::VolumeUsage& volume : usage.volumes) {
    json::Object row;
    row.set("VolumeName", volume.name);
    row.set("Links", volume.links);
    row.set("Size", size_text(volume.size));
    row.set("ReclaimableSize", size_text(volume.links > 0 ? 0 : volume.size));
    rows.emplace_back(std::move(row));
  }
  return rows;
}

}  // namespace minke::view
