#include "engine/volume_data.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/str.h"
#include "engine/copy_tree.h"
#include "state/object_lock.h"
#include "store/image_worker.h"

namespace minke::engine {
namespace {

// Beside _data: an archive that is unpacked and goes into the volume.
constexpr const char* kWhole = "/import";

std::string folder_of(const Host& host, const std::string& name) {
  return concat(host.volumes, "/", name);
}

Status copy_attributes(int from, int to) {
  OwnerMap same = [](std::uint32_t id) { return std::optional<std::uint32_t>(id); };
  return copy_directory_attributes(from, to, same, same);
}

bool is_folder(const sys::DirFd& dir, const std::string& name) {
  struct stat st {};
  return ::fstatat(dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

// One component, no link: a container may change the volume at the same time.
Result<sys::DirFd> enter(const sys::DirFd& dir, const std::string& name) {
  sys::UniqueFd fd = TRY(sys::open_at(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return sys::DirFd(std::move(fd));
}

Status copy_link(const sys::DirFd& from, const sys::DirFd& to, const std::string& name) {
  struct stat st = TRY(sys::stat_at(from, name.c_str()));
  std::string target = TRY(sys::read_link_at(from, name.c_str()));
  TRY(sys::symlink_at(target.c_str(), to, name.c_str()));
  timespec times[] = {st.st_atim, st.st_mtim};
  if (::fchownat(to.get(), name.c_str(), st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
      ::utimensat(to.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::from_errno(errno, concat("copy of link ", name));
  return {};
}

// The folders and links of the volume: a folder that the archive passes through without naming it
// stays as it is, and a name below a link goes where the link leads, inside of the volume.
Status copy_ways(const sys::DirFd& from, const sys::DirFd& to) {
  for (const std::string& name : TRY(sys::list_dir(from))) {
    struct stat st {};
    if (::fstatat(from.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) continue;
    if (S_ISLNK(st.st_mode)) TRY(copy_link(from, to, name));
    if (!S_ISDIR(st.st_mode)) continue;
    auto inner = enter(from, name);
    if (!inner) continue;  // it has just gone
    TRY(sys::make_dir_at(to, name.c_str(), 0700));
    sys::DirFd copy = TRY(enter(to, name));
    TRY(copy_ways(*inner, copy));
  }
  return copy_attributes(from.get(), to.get());
}

// What `from` has takes the place of what `to` has. Done again after a kill it goes on where it
// was: what has been moved is not there any more.
Status merge(const sys::DirFd& from, const sys::DirFd& to) {
  struct stat st {};
  if (::fstat(from.get(), &st) < 0) return Error::from_errno(errno, "stat");
  for (const std::string& name : TRY(sys::list_dir(from))) {
    const bool folder = is_folder(from, name);
    if (folder && is_folder(to, name)) {
      sys::DirFd inner = TRY(enter(from, name)), target = TRY(enter(to, name));
      TRY(merge(inner, target));
      TRY(sys::unlink_at(from, name.c_str(), AT_REMOVEDIR));
      continue;
    }
    if (folder || is_folder(to, name)) TRY(sys::remove_tree_at(to, name.c_str()));
    TRY(sys::rename_at(from, name.c_str(), to, name.c_str()));
    failpoint("engine.volume-import", 3);  // a part of it is there
  }
  TRY(copy_attributes(from.get(), to.get()));
  timespec times[] = {st.st_atim, st.st_mtim};  // as before its entries went
  if (::futimens(to.get(), times) < 0) return Error::from_errno(errno, "set times");
  return {};
}

Result<sys::FileLock> lock_volume(const Host& host, const std::string& name) {
  return state::lock_object(concat(host.runroot, "/volumes/", name), concat("volume ", name));
}

// Unpacked beside the volume, then moved into it: killed before the archive is whole, it has
// changed nothing; after that, the next use of the volume goes on.
Status import_staged(Engine& engine, const std::string& name, const sys::DirFd& data,
                     int input_fd) {
  const Host& host = engine.host();
  store::Staging staging = TRY(engine.store().stage("volume-import"));
  const std::string tree = staging.path() + "/tree";
  TRY(sys::make_dir_at(sys::DirFd::cwd(), tree.c_str(), 0700));
  sys::DirFd folder = TRY(sys::open_dir(tree));
  TRY(copy_ways(data, folder));
  failpoint("engine.volume-import", 1);  // nothing unpacked
  TRY(store::unpack_archive(engine.store(), input_fd, folder.get()));
  sys::FileLock lock = TRY(lock_volume(host, name));
  TRY(finish_import(host, name));
  TRY(sys::rename_at(sys::DirFd::cwd(), tree.c_str(), sys::DirFd::cwd(),
                     (folder_of(host, name) + kWhole).c_str()));
  failpoint("engine.volume-import", 2);  // whole, nothing of it in the volume
  return finish_import(host, name);
}

}  // namespace

Result<std::string> volume_folder(Engine& engine, const VolumeConfig& volume) {
  VolumeOptions options = TRY(parse_volume_options(volume.options));
  if (!options.fs_type.empty())
    return Error(Errc::unsupported,
                 concat("volume ", volume.name, " of type ", options.fs_type,
                        " is mounted inside of containers only: it is no folder of the host"));
  TRY(engine.enter());
  {
    sys::FileLock lock = TRY(lock_volume(engine.host(), volume.name));
    TRY(finish_import(engine.host(), volume.name));
  }
  return options.device.empty() ? engine.volumes().mountpoint(volume.name) : options.device;
}

Status export_volume(Engine& engine, const VolumeConfig& volume, int output_fd) {
  std::string path = TRY(volume_folder(engine, volume));
  sys::DirFd folder = TRY(sys::open_dir(path));
  return store::export_rootfs(folder.get(), output_fd);
}

Status import_volume(Engine& engine, const VolumeConfig& volume, int input_fd) {
  std::string path = TRY(volume_folder(engine, volume));
  sys::DirFd folder = TRY(sys::open_dir(path));
  // A folder elsewhere, named by `device`, is another file system: there is nowhere to stage.
  if (path != engine.volumes().mountpoint(volume.name))
    return store::unpack_archive(engine.store(), input_fd, folder.get());
  return import_staged(engine, volume.name, folder, input_fd);
}

Status finish_import(const Host& host, const std::string& name) {
  const std::string stage = folder_of(host, name) + kWhole;
  if (!sys::exists(stage)) return {};
  sys::DirFd from = TRY(sys::open_dir(stage));
  sys::DirFd to = TRY(sys::open_dir(folder_of(host, name) + "/_data"));
  TRY(merge(from, to));
  return sys::remove_tree_at(sys::DirFd::cwd(), stage.c_str());
}

}  // namespace minke::engine
