#include "engine/mounts.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/str.h"
#include "engine/container_root.h"
#include "engine/events.h"
#include "engine/records.h"
#include "engine/rootfs_view.h"
#include "state/object_lock.h"
#include "sys/foreign_mount.h"

namespace minke::engine {
namespace {

std::string kind_dir(const Host& host, MountKind kind) {
  return concat(host.runroot, "/mounts/", kind == MountKind::containers ? "containers" : "images");
}
std::string record_dir(const Host& host, MountKind kind, const std::string& id) {
  return concat(kind_dir(host, kind), "/", id);
}

Result<sys::FileLock> lock_record(const Host& host, MountKind kind, const std::string& id) {
  TRY(sys::ensure_dirs(kind_dir(host, kind), 0700));
  return state::lock_object(record_dir(host, kind, id), concat("the mount of ", short_id(id)));
}

std::int64_t read_count(const std::string& dir) {
  auto text = sys::read_small_file(dir + "/count", 64);
  return text ? parse_int(trim(*text)).value_or(0) : 0;
}
Status write_count(const std::string& dir, std::int64_t count) {
  return sys::write_file(dir + "/count", concat(count, "\n"), 0600);
}

Result<sys::UniqueFd> bind_of(const std::string& path, bool read_only) {
  sys::UniqueFd tree(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!tree) return Error::from_errno(errno, concat("open_tree ", path));
  struct mount_attr attributes {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (read_only && ::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes,
                             sizeof attributes) < 0)
    return Error::from_errno(errno, "mount_setattr");
  return tree;
}

Result<sys::UniqueFd> container_tree(const Host& host, const Container& container) {
  const ContainerConfig& config = container.config;
  if (container.live.pid > 0) return sys::clone_mount_of(container.live.pid, "/");
  if (!config.rootfs.empty()) return bind_of(config.rootfs, false);
  return mount_writable(config.lower, container.dir + "/upper", container.dir + "/work",
                        host.rootless);
}

Result<sys::UniqueFd> image_tree(const Host& host, const std::vector<std::string>& layers) {
  if (layers.size() == 1) return bind_of(layers[0], true);
  sys::UniqueFd view = TRY(mount_layers(layers, host.rootless));
  // Unlike a view that is only read, this one may be entered.
  struct mount_attr attributes {};
  attributes.attr_clr = MOUNT_ATTR_NOEXEC;
  if (::syscall(SYS_mount_setattr, view.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) <
      0)
    return Error::from_errno(errno, "mount_setattr");
  return view;
}

// The mount of the record at `dir`, made by `tree` when it is not there. The record is locked.
template <typename Make>
Result<std::string> mount_at(const std::string& dir, Make make) {
  std::string path = dir + "/merged";
  if (is_mount_point(path)) {
    TRY(write_count(dir, read_count(dir) + 1));
    return path;
  }
  TRY(sys::ensure_dirs(path, 0700));
  TRY(sys::write_file(dir + "/namespace", mount_namespace() + "\n", 0600));
  TRY(write_count(dir, 1));
  failpoint("engine.mount", 1);  // recorded, not mounted
  sys::UniqueFd tree = TRY(make());
  if (::syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) <
      0)
    return Error::from_errno(errno, concat("mount ", path));
  failpoint("engine.mount", 2);
  return path;
}

Status remove_record(const std::string& dir) {
  std::string path = dir + "/merged";
  while (is_mount_point(path))
    if (::umount2(path.c_str(), MNT_DETACH) < 0)
      return Error::from_errno(errno, concat("unmount ", path));
  failpoint("engine.unmount", 1);  // unmounted, still recorded
  return sys::remove_tree_at(sys::DirFd::cwd(), dir.c_str());
}

}  // namespace

std::string mount_path(const Host& host, MountKind kind, const std::string& id) {
  return record_dir(host, kind, id) + "/merged";
}

Result<std::string> mount_container(Engine& engine, const std::string& id) {
  TRY(engine.enter());
  const Host& host = engine.host();
  Container found = TRY(engine.find_container(id));
  // Nobody starts it meanwhile.
  sys::FileLock lock = TRY(state::lock_object(found.run_dir, concat("container ", short_id(id))));
  Container container = TRY(engine.find_container(id));
  sys::FileLock record = TRY(lock_record(host, MountKind::containers, id));
  std::string path = TRY(mount_at(record_dir(host, MountKind::containers, id),
                                  [&] { return container_tree(host, container); }));
  emit_container(host, "mount", container.live);
  return path;
}

Result<std::string> mount_image(Engine& engine, const store::Image& image) {
  TRY(engine.enter());
  const Host& host = engine.host();
  std::vector<std::string> layers = engine.store().lower_dirs(image);
  if (layers.empty())
    return Error(Errc::invalid_argument, concat("image ", short_id(image.id), " has no layers"));
  sys::FileLock record = TRY(lock_record(host, MountKind::images, image.id));
  auto mounted = mount_at(record_dir(host, MountKind::images, image.id),
                          [&] { return image_tree(host, layers); });
  std::string path = TRY(std::move(mounted));
  emit_image(host, "mount", image.id, image.names.empty() ? image.id : image.names[0]);
  return path;
}

Result<bool> unmount(Engine& engine, MountKind kind, const std::string& id, bool force) {
  TRY(engine.enter());
  const Host& host = engine.host();
  std::string dir = record_dir(host, kind, id);
  if (!sys::exists(dir)) return false;
  sys::FileLock record = TRY(lock_record(host, kind, id));
  bool mounted = is_mount_point(dir + "/merged");
  std::int64_t count = read_count(dir);
  if (mounted && count > 1 && !force) {
    TRY(write_count(dir, count - 1));
    return true;
  }
  TRY(remove_record(dir));
  if (!mounted) return false;
  if (kind == MountKind::images)
    emit_image(host, "unmount", id, id);
  else if (auto live = engine.summary(id))
    emit_container(host, "unmount", *live);
  return true;
}

Result<std::vector<std::string>> mounted_ids(const Host& host, MountKind kind) {
  std::vector<std::string> ids;
  auto names = sys::list_dir(sys::DirFd::cwd(), kind_dir(host, kind).c_str());
  if (!names) return ids;
  for (const std::string& id : *names)
    if (is_mount_point(mount_path(host, kind, id))) ids.push_back(id);
  return ids;
}

Status drop_mount(const Host& host, MountKind kind, const std::string& id) {
  std::string dir = record_dir(host, kind, id);
  if (!sys::exists(dir)) return {};
  return remove_record(dir);
}

}  // namespace minke::engine
