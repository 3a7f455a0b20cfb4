// A read-only view of a container's root from outside. Where there is but one folder to see, that is it; else a
// detached overlay mount that nobody can reach by path and that goes with its descriptor.
#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "engine/specgen.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

// The C library of Debian 12 has wrappers for these, those before it do not.
int fs_open(const char* type) { return static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC)); }
int fs_config(int fd, unsigned command, const char* key, const char* value) {
  return static_cast<int>(::syscall(SYS_fsconfig, fd, command, key, value, 0));
}
int fs_mount(int fd, unsigned attributes) {
  return static_cast<int>(::syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes));
}

constexpr unsigned kViewAttributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

bool is_empty_dir(const std::string& path) {
  if (path.empty()) return true;
  DIR* dir = ::opendir(path.c_str());
  if (dir == nullptr) return errno == ENOENT;
  bool empty = true;
  while (const dirent* entry = ::readdir(dir)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      empty = false;
      break;
    }
  }
  ::closedir(dir);
  return empty;
}

// Why the kernel refused: the file system context tells more than the errno.
Error mount_error(int context, int err, std::string_view step) {
  char text[512];
  ssize_t size = ::read(context, text, sizeof text - 1);
  if (size > 2) {
    std::string_view line = trim(std::string_view(text, static_cast<std::size_t>(size)));
    return Error(Errc::io, concat("overlay ", step, ": ", line.substr(2)));
  }
  return Error::from_errno(err, concat("overlay ", step));
}

// ':' separates layers and '\' protects it.
std::string escaped(const std::string& path) {
  std::string out;
  for (char c : path) {
    if (c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Result<sys::UniqueFd> mount_view(const std::vector<std::string>& folders, bool userxattr) {
  sys::UniqueFd context(fs_open("overlay"));
  if (!context) return Error::from_errno(errno, "fsopen overlay");
  bool by_layer = true;
  for (const std::string& folder : folders) {
    // One layer at a time, Linux 6.5: no limit of a page for all of them.
    if (fs_config(context.get(), FSCONFIG_SET_STRING, "lowerdir+", folder.c_str()) == 0) continue;
    if (errno != EINVAL || &folder != &folders.front()) return mount_error(context.get(), errno, folder);
    by_layer = false;
    break;
  }
  if (!by_layer) {
    context.reset(fs_open("overlay"));
    std::string list;
    for (const std::string& folder : folders) list += (list.empty() ? "" : ":") + escaped(folder);
    if (fs_config(context.get(), FSCONFIG_SET_STRING, "lowerdir", list.c_str()) < 0)
      return mount_error(context.get(), errno, "lowerdir");
  }
  if (userxattr && fs_config(context.get(), FSCONFIG_SET_FLAG, "userxattr", nullptr) < 0)
    return mount_error(context.get(), errno, "userxattr");
  if (fs_config(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr) < 0)
    return mount_error(context.get(), errno, "create");
  sys::UniqueFd view(fs_mount(context.get(), kViewAttributes));
  if (!view) return Error::from_errno(errno, "fsmount overlay");
  return view;
}

// Before Linux 5.2: a mount in a mount namespace of our own, taken off again while its descriptor is held. The
// thread stays in that namespace, which nothing else of a short-lived command minds.
Result<sys::UniqueFd> mount_view_old(const std::vector<std::string>& folders, bool userxattr, const std::string& target) {
  if (::unshare(CLONE_NEWNS) < 0) return Error::from_errno(errno, "unshare the mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) return Error::from_errno(errno, "make / a slave");
  std::string data = userxattr ? "userxattr,lowerdir=" : "lowerdir=";
  for (const std::string& folder : folders) data += (&folder == &folders.front() ? "" : ":") + escaped(folder);
  if (::mount("overlay", target.c_str(), "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, data.c_str()) < 0)
    return Error::from_errno(errno, concat("mount overlay on ", target));
  auto view = sys::open(target, O_RDONLY | O_DIRECTORY);
  ::umount2(target.c_str(), MNT_DETACH);
  return view;
}

}  // namespace

Result<sys::UniqueFd> open_rootfs_view(const ContainerConfig& config, const Host& host, const std::string& upper) {
  if (!config.rootfs.empty()) return sys::open(config.rootfs, O_RDONLY | O_DIRECTORY);
  std::vector<std::string> folders;
  if (!is_empty_dir(upper)) folders.push_back(upper);
  folders.insert(folders.end(), config.lower.begin(), config.lower.end());
  if (folders.empty()) return Error(Errc::invalid_argument, concat("container ", config.id, ": the image has no layers"));
  // A lone layer has nothing below it that a whiteout could hide.
  if (folders.size() == 1) return sys::open(folders[0], O_RDONLY | O_DIRECTORY);
  auto view = mount_view(folders, host.rootless);
  if (!view && view.error().sys() == ENOSYS) return mount_view_old(folders, host.rootless, config.lower.front());
  return view;
}

}  // namespace minke::engine
