// Images and volumes as far as containers use them.
#include <algorithm>

#include "base/str.h"
#include "engine/container_root.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/mounts.h"
#include "engine/records.h"
#include "state/object_lock.h"
#include "store/image_name.h"

namespace minke::engine {

Result<std::vector<std::string>> Engine::image_users(const std::string& image_id) {
  std::vector<std::string> ids;
  for (const ContainerSummary& container : TRY(list_containers())) {
    const auto& mounted = container.mounted_images;
    if (container.image_id == image_id ||
        std::find(mounted.begin(), mounted.end(), image_id) != mounted.end())
      ids.push_back(container.id);
  }
  return ids;
}

Result<std::vector<std::string>> Engine::volume_users(const std::string& name) {
  std::vector<std::string> ids;
  for (const ContainerSummary& container : TRY(list_containers()))
    for (const std::string& volume : container.volumes)
      if (volume == name) ids.push_back(container.id);
  return ids;
}

Result<std::vector<std::string>> Engine::remove_image(std::string_view name,
                                                      const RemoveImageOptions& options) {
  TRY(enter());
  std::vector<std::string> report;
  auto image = store_->find_image_or_list(name);
  if (!image) {
    if (options.ignore && image.error().code() == Errc::not_found) return report;
    return std::move(image.error());
  }
  // A name of several is only a name; the image goes with its last one, or when it is named by id.
  bool by_id = image->id.starts_with(name) || name.starts_with("sha256:");
  if (!by_id && image->names.size() > 1) {
    std::string full = store::name_as_typed(*image, name);
    if (!full.empty()) {
      TRY(store_->untag_image(*image, full));
      report.push_back("Untagged: " + full);
      emit_image(host_, "untag", image->id, full);
      return report;
    }
  }
  if (by_id && image->names.size() > 1 && !options.force)
    return Error(Errc::conflict, concat("unable to delete image ", quote(image->id),
                                        " by ID with more than one tag ([", join(image->names, " "),
                                        "]): please force removal"));
  std::vector<std::string> users = TRY(image_users(image->id));
  if (!users.empty() && !options.force)
    return Error(Errc::in_use, concat("image used by ", users.front(),
                                      ": image is in use by a container: consider listing external "
                                      "containers and force-removing image"))
        .with_exit(2);
  for (const std::string& id : users) TRY(remove(id, {.force = true}));
  {
    // Nobody makes a container now; one that was made since the look above is a user too.
    sys::FileLock lock = TRY(state::lock_object(host_.runroot + "/images", "the images"));
    users = TRY(image_users(image->id));
    if (!users.empty())
      return Error(Errc::in_use, concat("image used by ", users.front(),
                                        ", made just now: image is in use by a container"))
          .with_exit(2);
    if (is_mount_point(mount_path(host_, MountKind::images, image->id)) && !options.force)
      return Error(Errc::in_use, concat("image ", image->id, " is mounted: unmount it first"))
          .with_exit(2);
    TRY(drop_mount(host_, MountKind::images, image->id));
    TRY(store_->remove_image(*image, {}, &report, !options.no_prune));
  }
  for (const std::string& image_name : image->names)
    emit_image(host_, "untag", image->id, image_name);
  emit_image(host_, "remove", image->id, {});
  TRY(empty_trash());
  return report;
}

Status Engine::remove_volume(std::string_view name, bool force,
                             std::optional<std::int64_t> timeout) {
  TRY(enter());
  VolumeConfig volume = TRY(volumes_.find(name));
  std::vector<std::string> users = TRY(volume_users(volume.name));
  if (!users.empty() && !force)
    return Error(Errc::in_use,
                 concat("volume ", volume.name, " is being used by the following container(s): ",
                        join(users, ", "), ": volume is being used"))
        .with_exit(2);
  for (const std::string& id : users) TRY(remove(id, {.force = true, .timeout = timeout}));
  sys::FileLock lock = TRY(state::lock_object(host_.runroot + "/volumes/" + volume.name,
                                              concat("volume ", volume.name)));
  if (!TRY(volume_users(volume.name)).empty())
    return Error(Errc::in_use, concat("volume ", volume.name,
                                      " is being used by a new container: volume is being used"))
        .with_exit(2);
  TRY(volumes_.remove(volume.name));
  emit_volume(host_, "remove", volume.name);
  return sys::remove_tree_at(sys::DirFd::cwd(),
                             (host_.runroot + "/volumes/" + volume.name).c_str());
}

}  // namespace minke::engine
