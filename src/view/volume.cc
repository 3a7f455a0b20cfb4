#include "view/volume.h"

#include "view/json_make.h"

namespace minke::view {
namespace {
using gotemplate::FieldKind;
constexpr gotemplate::FieldShape kFields[] = {
    {"CreatedAt", FieldKind::time},    {"Labels", FieldKind::map},
    {"Options", FieldKind::map},       {"Status", FieldKind::map},
    {"UID", FieldKind::number},        {"GID", FieldKind::number},
    {"Anonymous", FieldKind::boolean}, {"NeedsCopyUp", FieldKind::boolean},
};
}  // namespace

const gotemplate::Shape kVolumeShape = {"interface {}", kFields};

Result<std::int64_t> volume_mount_count(engine::Engine& engine, const std::string& name) {
  std::int64_t count = 0;
  for (const std::string& id : TRY(engine.volume_users(name))) {
    auto live = engine.summary(id);
    count += live && live->pid > 0 ? 1 : 0;
  }
  return count;
}

json::Object inspect_volume(const engine::Volumes& volumes, const engine::VolumeConfig& volume,
                            std::int64_t mount_count) {
  json::Object out;
  out.set("Name", volume.name);
  out.set("Driver", volume.driver);
  out.set("Mountpoint", volumes.mountpoint(volume.name));
  out.set("CreatedAt", format_rfc3339(volume.created));
  out.set("Labels", to_object(volume.labels));
  out.set("Scope", "local");
  out.set("Options", to_object(volume.options));
  if (volume.uid != 0) out.set("UID", volume.uid);
  if (volume.gid != 0) out.set("GID", volume.gid);
  if (volume.anonymous) out.set("Anonymous", true);
  out.set("MountCount", mount_count);
  if (volume.needs_copy_up) out.set("NeedsCopyUp", true);
  return out;
}

}  // namespace minke::view
