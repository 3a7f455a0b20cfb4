// First use of volumes: what the image has at their place is copied into them, once; and owners for
// U.
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "engine/copy_tree.h"
#include "engine/specgen_internal.h"
#include "engine/userns.h"
#include "engine/volume.h"
#include "state/object_lock.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

// Owners as the container's ids, turned into those of the namespace that we stand in.
OwnerMap owner_map(const std::vector<oci::IdMapping>& map) {
  if (map.empty()) return [](std::uint32_t id) { return std::optional<std::uint32_t>(id); };
  return [&map](std::uint32_t id) { return map_to_host(map, id); };
}

struct Owner {
  std::uint32_t uid = 0, gid = 0;
};

// The container's user, looked up when the first mount needs it.
Result<Owner> container_owner(const ContainerConfig& config, int root_fd) {
  std::string passwd = read_account_file(root_fd, "etc/passwd"),
              group = read_account_file(root_fd, "etc/group");
  ResolvedUser user = TRY(resolve_user(config.user, {}, passwd, group));
  auto uid = owner_map(config.uid_map)(user.uid), gid = owner_map(config.gid_map)(user.gid);
  if (!uid || !gid)
    return Error(Errc::invalid_argument,
                 concat("user ", user.uid, ":", user.gid,
                        " is not mapped in the user namespace of the container"));
  return Owner{*uid, *gid};
}

Status fill_volume(const ContainerConfig& config, const Host& host, int root_fd,
                   const ResolvedMount& mount) {
  Volumes volumes(host);
  sys::FileLock lock = TRY(state::lock_object(concat(host.runroot, "/volumes/", mount.volume_name),
                                              concat("volume ", mount.volume_name)));
  VolumeConfig volume = TRY(volumes.load(mount.volume_name));
  if (!volume.needs_copy_up) return {};
  sys::DirFd target = TRY(sys::open_dir(mount.source));
  // Stands while a copy is under way: with it, what lies in the volume is half a copy of ours.
  const std::string marker = concat(host.volumes, "/", mount.volume_name, "/copying");
  const bool half_done = sys::exists(marker);
  std::vector<std::string> entries = TRY(sys::list_dir(target));
  if (half_done)
    for (const std::string& name : entries) TRY(sys::remove_tree_at(target, name.c_str()));
  if (half_done || entries.empty()) {
    auto source = sys::open_in_root(root_fd, mount.destination.c_str(), O_RDONLY | O_DIRECTORY);
    if (source) {
      // The layers have the owners of the container's namespace already (shift_layers).
      OwnerMap same = owner_map({});
      TRY(sys::write_file(marker, "", 0600));
      TRY(copy_tree((*source).get(), target.get(), same, same));
      TRY(copy_directory_attributes((*source).get(), target.get(), same, same));
    } else if (volume.uid == 0 && volume.gid == 0) {
      Owner owner = TRY(container_owner(config, root_fd));
      if ((owner.uid != 0 || owner.gid != 0) && ::fchown(target.get(), owner.uid, owner.gid) < 0)
        return Error::from_errno(errno, concat("chown ", mount.source));
    }
  }
  TRY(volumes.mark_copied(mount.volume_name));
  ignore(sys::unlink_at(sys::DirFd::cwd(), marker.c_str()),
         "means nothing once the volume says that it was copied");
  return {};
}

}  // namespace

std::string overlay_dir(const std::string& container_dir, std::size_t index) {
  return concat(container_dir, "/overlay/", index);
}

Status prepare_overlays(const ContainerConfig& config, const std::string& container_dir) {
  const auto cwd = sys::DirFd::cwd();
  for (std::size_t i = 0; i < config.mounts.size(); ++i) {
    const ResolvedMount& mount = config.mounts[i];
    bool lasting = !mount.upper.empty(), frozen = !mount.image_id.empty() && !mount.read_write;
    if (!mount.overlay || lasting || frozen) continue;
    const std::string dir = overlay_dir(container_dir, i);
    TRY(sys::remove_tree_at(cwd, dir.c_str()));
    TRY(sys::ensure_dirs(dir, 0700));
    for (const char* name : {"/upper", "/work"})
      TRY(sys::make_dir_at(cwd, (dir + name).c_str(), 0755));
    // The root of an overlay looks like its upper folder.
    sys::DirFd source = TRY(sys::open_dir(mount.lower.empty() ? mount.source : mount.lower[0]));
    sys::DirFd upper = TRY(sys::open_dir(dir + "/upper"));
    OwnerMap same = owner_map({});
    TRY(copy_directory_attributes(source.get(), upper.get(), same, same));
  }
  return {};
}

Status prepare_volumes(const ContainerConfig& config, const Host& host, int root_fd) {
  for (const ResolvedMount& mount : config.mounts) {
    if (mount.copy_up && !mount.volume_name.empty())
      TRY_CTX(fill_volume(config, host, root_fd, mount), concat("volume ", mount.volume_name));
    if (!mount.chown || mount.type == "tmpfs") continue;
    Owner owner = TRY(container_owner(config, root_fd));
    sys::UniqueFd place = TRY(sys::open(mount.source, O_PATH));
    if (!mount.subpath.empty())
      place = TRY_CTX(sys::open_in_root(place.get(), mount.subpath.c_str(), O_PATH),
                      concat("volume ", mount.volume_name));
    struct stat st {};
    if (::fstat(place.get(), &st) < 0)
      return Error::from_errno(errno, concat("stat ", mount.source));
    if (S_ISDIR(st.st_mode)) {
      sys::DirFd dir = TRY(sys::open_dir(concat("/proc/self/fd/", place.get())));
      TRY_CTX(chown_tree(dir.get(), owner.uid, owner.gid), concat("chown ", mount.source));
    } else if (::fchownat(place.get(), "", owner.uid, owner.gid, AT_EMPTY_PATH) < 0) {
      return Error::from_errno(errno, concat("chown ", mount.source));
    }
  }
  return {};
}

}  // namespace minke::engine
