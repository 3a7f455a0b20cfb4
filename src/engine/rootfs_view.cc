// A read-only view of a container's root from outside. Where there is but one folder to see, that
// is it; else a detached overlay mount that nobody can reach by path and that goes with its
// descriptor.
#include "engine/rootfs_view.h"

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
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::engine {
namespace {

// The C library of Debian 12 has wrappers for these, those before it do not.
int fs_open(const char* type) {
  return static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}
int fs_config(int fd, unsigned command, const char* key, const char* value) {
  return static_cast<int>(::syscall(SYS_fsconfig, fd, command, key, value, 0));
}
int fs_mount(int fd, unsigned attributes) {
  return static_cast<int>(::syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes));
}

constexpr unsigned kViewAttributes =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

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

// Parameters of fsconfig(2) end at 255 bytes, so a longer list names its folders by descriptor.
constexpr std::size_t kParameterMax = 255;
constexpr std::size_t kMountDataMax = 4095;

std::string fd_path(int fd) { return concat("/proc/self/fd/", fd); }

Result<std::vector<sys::UniqueFd>> open_all(const std::vector<std::string>& folders) {
  std::vector<sys::UniqueFd> fds;
  for (const std::string& folder : folders)
    fds.push_back(TRY(sys::open(folder, O_PATH | O_DIRECTORY)));
  return fds;
}

Status add_layers(int context, const std::vector<sys::UniqueFd>& fds, LayerWay way) {
  if (way == LayerWay::each) {
    for (const sys::UniqueFd& fd : fds)
      if (fs_config(context, FSCONFIG_SET_STRING, "lowerdir+", fd_path(fd.get()).c_str()) < 0)
        return mount_error(context, errno, "lowerdir+");
    return {};
  }
  std::string list;
  for (const sys::UniqueFd& fd : fds) list += (list.empty() ? "" : ":") + fd_path(fd.get());
  if (list.size() > kParameterMax) return Error::from_errno(E2BIG, "overlay lowerdir");
  if (fs_config(context, FSCONFIG_SET_STRING, "lowerdir", list.c_str()) < 0)
    return mount_error(context, errno, "lowerdir");
  return {};
}

// The folders that changes go to, both or none.
struct Writable {
  sys::UniqueFd upper, work;
};

Result<sys::UniqueFd> mount_detached(const std::vector<sys::UniqueFd>& fds, bool userxattr,
                                     LayerWay way, const Writable* writable = nullptr) {
  sys::UniqueFd context(fs_open("overlay"));
  if (!context) return Error::from_errno(errno, "fsopen overlay");
  TRY(add_layers(context.get(), fds, way));
  if (userxattr && fs_config(context.get(), FSCONFIG_SET_FLAG, "userxattr", nullptr) < 0)
    return mount_error(context.get(), errno, "userxattr");
  if (writable != nullptr)
    for (auto [key, fd] :
         {std::pair{"upperdir", writable->upper.get()}, std::pair{"workdir", writable->work.get()}})
      if (fs_config(context.get(), FSCONFIG_SET_STRING, key, fd_path(fd).c_str()) < 0)
        return mount_error(context.get(), errno, key);
  if (fs_config(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr) < 0)
    return mount_error(context.get(), errno, "create");
  sys::UniqueFd view(fs_mount(
      context.get(), writable != nullptr ? MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV : kViewAttributes));
  if (!view) return Error::from_errno(errno, "fsmount overlay");
  return view;
}

// What the child below does; the errno of what failed. The folders are opened in the new mount
// namespace, since overlay takes no mount of another one.
int mount_and_send(const std::vector<std::string>& folders, bool userxattr, int socket,
                   const std::string* upper = nullptr, const std::string* work = nullptr) {
  if (::unshare(CLONE_NEWNS) < 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
    return errno;
  auto fds = open_all(folders);
  if (!fds) return fds.error().sys();
  std::string data = userxattr ? "userxattr,lowerdir=" : "lowerdir=";
  for (const sys::UniqueFd& fd : *fds) data += (data.back() == '=' ? "" : ":") + fd_path(fd.get());
  unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (upper != nullptr) {
    auto own = open_all({*upper, *work});
    if (!own) return own.error().sys();
    flags = MS_NOSUID | MS_NODEV;
    data += ",upperdir=" + fd_path((*own)[0].get()) + ",workdir=" + fd_path((*own)[1].get());
    for (sys::UniqueFd& fd : *own) fds->push_back(std::move(fd));
  }
  if (data.size() > kMountDataMax) return E2BIG;
  const char* target = folders.front().c_str();
  if (::mount("overlay", target, "overlay", flags, data.c_str()) < 0) return errno;
  int tree = static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, target, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (tree < 0) return errno;
  return sys::send_message(socket, "view", {tree}) ? 0 : EIO;
}

// By mount(2), whose text may fill a page, in a child with a mount namespace of its own: it sends
// back a detached copy and takes its mount with it.
Result<sys::UniqueFd> mount_in_child(const std::vector<std::string>& folders, bool userxattr,
                                     const std::string* upper = nullptr,
                                     const std::string* work = nullptr) {
  auto [ours, theirs] = TRY(sys::make_seqpacket_pair());
  pid_t child = ::fork();
  if (child < 0) return Error::from_errno(errno, "fork");
  if (child == 0) ::_exit(mount_and_send(folders, userxattr, theirs.get(), upper, work));
  theirs.reset();
  auto message = sys::receive_message(ours.get());
  int status = TRY(sys::wait_pid(child));
  if (sys::exit_code_of(status) == E2BIG)
    return Error(Errc::unsupported, concat(folders.size(), " layers in one view need Linux 6.5"));
  if (status != 0) return Error::from_errno(sys::exit_code_of(status), "mount overlay for a view");
  sys::Message received = TRY(std::move(message));
  if (received.fds.size() != 1)
    return Error(Errc::internal, "mount overlay for a view: no descriptor came back");
  return std::move(received.fds[0]);
}

}  // namespace

Result<sys::UniqueFd> mount_layers(const std::vector<std::string>& folders, bool userxattr,
                                   LayerWay way) {
  if (way == LayerWay::child) return mount_in_child(folders, userxattr);
  std::vector<sys::UniqueFd> fds = TRY(open_all(folders));
  auto view = mount_detached(fds, userxattr, way);
  if (view || way == LayerWay::list) {
    if (!view && view.error().sys() == E2BIG) return mount_in_child(folders, userxattr);
    return view;
  }
  // "lowerdir+" is unknown before Linux 6.5.
  return mount_layers(folders, userxattr, LayerWay::list);
}

Result<sys::UniqueFd> mount_writable(const std::vector<std::string>& folders,
                                     const std::string& upper, const std::string& work,
                                     bool userxattr) {
  std::vector<sys::UniqueFd> fds = TRY(open_all(folders));
  Writable writable;
  writable.upper = TRY(sys::open(upper, O_PATH | O_DIRECTORY));
  writable.work = TRY(sys::open(work, O_PATH | O_DIRECTORY));
  auto mount = mount_detached(fds, userxattr, LayerWay::each, &writable);
  if (mount) return mount;
  mount = mount_detached(fds, userxattr, LayerWay::list, &writable);
  if (mount || mount.error().sys() != E2BIG) return mount;
  return mount_in_child(folders, userxattr, &upper, &work);
}

Result<sys::UniqueFd> open_rootfs_view(const ContainerConfig& config, const Host& host,
                                       const std::string& upper) {
  if (!config.rootfs.empty()) return sys::open(config.rootfs, O_RDONLY | O_DIRECTORY);
  std::vector<std::string> folders;
  if (!is_empty_dir(upper)) folders.push_back(upper);
  folders.insert(folders.end(), config.lower.begin(), config.lower.end());
  if (folders.empty())
    return Error(Errc::invalid_argument,
                 concat("container ", config.id, ": the image has no layers"));
  // A lone layer has nothing below it that a whiteout could hide.
  if (folders.size() == 1) return sys::open(folders[0], O_RDONLY | O_DIRECTORY);
  return mount_layers(folders, host.rootless);
}

}  // namespace minke::engine
