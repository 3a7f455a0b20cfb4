// Mounts by the new mount API: made detached, then attached to a target that is already open.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <cstring>

#include "runtime/child.h"
#include "runtime/syscalls.h"

namespace minke::runtime {
namespace {

constexpr unsigned kMoveByFd = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

int fail(ChildState& c, Call call) {
  c.call = call;
  return -1;
}

// The kernel's own words on why a configuration is refused: "e overlay: ...".
void keep_message(ChildState& c, int context) {
  int saved = errno;
  ssize_t n = ::read(context, c.text, sizeof c.text - 1);
  if (n > 2 && c.text[1] == ' ') {
    std::memmove(c.text, c.text + 2, static_cast<std::size_t>(n - 2));
    n -= 2;
  }
  while (n > 0 && c.text[n - 1] == '\n') --n;
  c.text[n > 0 ? n : 0] = 0;
  errno = saved;
}

int set_string(ChildState& c, int context, const char* key, const char* value) {
  if (sys_fsconfig(context, value != nullptr ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value,
                   0) == 0)
    return 0;
  keep_message(c, context);
  return fail(c, Call::fsconfig);
}

// fsopen, every option, fsmount: a detached mount. The context is closed again.
int make_filesystem(ChildState& c, const MountPlan& m) {
  int context = sys_fsopen(m.type);
  if (context < 0) return fail(c, Call::fsopen);
  int result = 0;
  if (m.source != nullptr && m.source[0] != 0) result = set_string(c, context, "source", m.source);
  for (std::size_t i = 0; result == 0 && i < m.params.size(); ++i)
    result = set_string(c, context, m.params[i].first, m.params[i].second);
  static constexpr struct {
    std::uint64_t flag;
    const char* word;
  } kSuperblock[] = {{MS_SYNCHRONOUS, "sync"},
                     {MS_DIRSYNC, "dirsync"},
                     {1 << 25, "lazytime"},
                     {MS_MANDLOCK, "mand"},
                     {1 << 23, "iversion"}};
  for (const auto& row : kSuperblock)
    if (result == 0 && (m.superblock & row.flag) != 0)
      result = set_string(c, context, row.word, nullptr);
  if (result == 0 && (m.superblock & MS_RDONLY) != 0)
    result = set_string(c, context, "ro", nullptr);
  if (result == 0 && sys_fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    keep_message(c, context);
    result = fail(c, Call::fsconfig);
  }
  if (result == 0) {
    result = sys_fsmount(
        context,
        static_cast<unsigned>(m.copy_up ? m.set & ~std::uint64_t{MOUNT_ATTR_RDONLY} : m.set));
    if (result < 0) c.call = Call::fsmount;
  }
  sys::close_keeping_errno(context);
  return result;
}

int set_attributes(ChildState& c, int mount, std::uint64_t set, std::uint64_t clear,
                   std::uint64_t propagation, bool recursive) {
  struct mount_attr attr {};
  attr.attr_set = set;
  attr.attr_clr = clear;
  attr.propagation = propagation;
  if (sys_mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr) == 0)
    return 0;
  return fail(c, Call::mount_setattr);
}

int apply_attributes(ChildState& c, const MountPlan& m, int mount) {
  if (m.bind && (m.set | m.clear) != 0 && set_attributes(c, mount, m.set, m.clear, 0, false) < 0)
    return -1;
  if ((m.recursive_set | m.recursive_clear) != 0 &&
      set_attributes(c, mount, m.recursive_set, m.recursive_clear, 0, true) < 0)
    return -1;
  return 0;
}

int apply_propagation(ChildState& c, const MountPlan& m, int mount) {
  for (unsigned long flags : m.propagation)
    if (set_attributes(c, mount, 0, 0, flags & ~static_cast<unsigned long>(MS_REC),
                       (flags & MS_REC) != 0) < 0)
      return -1;
  return 0;
}

int clone_tree(ChildState& c, const char* path, bool recursive) {
  int mount = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0));
  if (mount < 0) return fail(c, Call::open_tree);
  return mount;
}

// Whoever has the volume may swap links in it meanwhile: none of them leads out of the source.
int clone_below(ChildState& c, const MountPlan& m) {
  int source = ::open(m.source, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (source < 0) return fail(c, Call::open_source);
  int place = open_in(source, m.subpath, O_PATH);
  sys::close_keeping_errno(source);
  if (place < 0) return fail(c, Call::open_source);
  int mount =
      sys_open_tree(place, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | (m.recursive ? AT_RECURSIVE : 0));
  sys::close_keeping_errno(place);
  if (mount < 0) return fail(c, Call::open_tree);
  return mount;
}

bool is_folder(int fd) {
  struct stat st;
  return ::fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

int attach(ChildState& c, int mount, int target) {
  if (sys_move_mount(mount, "", target, "", kMoveByFd) == 0) return 0;
  return fail(c, Call::move_mount);
}

int bind_mount(ChildState& c, const MountPlan& m) {
  int mount = m.mount_fd;
  if (mount < 0 && m.received >= 0 && m.received < c.received_count) mount = c.received[m.received];
  if (mount < 0)
    mount = m.subpath != nullptr ? clone_below(c, m) : clone_tree(c, m.source, m.recursive);
  if (mount < 0) return -1;
  int result = -1;
  int target = open_target(c, m, is_folder(mount));
  if (target >= 0 && apply_attributes(c, m, mount) == 0 && apply_propagation(c, m, mount) == 0)
    result = attach(c, mount, target);
  if (target >= 0) sys::close_keeping_errno(target);
  sys::close_keeping_errno(mount);
  return result;
}

int fallback_bind(ChildState& c, const MountPlan& m, int target) {
  int mount = clone_tree(c, m.fallback_source, m.fallback == MountPlan::Fallback::rbind_sys);
  if (mount < 0) return -1;
  // Below a bound /sys lie the host's cgroups, which must be read-only as well (CVE-2023-25809).
  int result = set_attributes(c, mount, m.set, 0, 0, true);
  if (result == 0) result = attach(c, mount, target);
  sys::close_keeping_errno(mount);
  return result;
}

int new_filesystem(ChildState& c, const MountPlan& m) {
  int target = open_target(c, m, true);
  if (target < 0) return -1;
  int mount = make_filesystem(c, m);
  if (mount < 0) {
    bool refused = errno == EPERM || errno == EBUSY || errno == EACCES;
    int result =
        refused && m.fallback != MountPlan::Fallback::none ? fallback_bind(c, m, target) : -1;
    sys::close_keeping_errno(target);
    return result;
  }
  int result = child_label(c, m, mount);
  if (result == 0 && m.copy_up && child_copy_up(target, mount) < 0) result = fail(c, Call::copy_up);
  if (result == 0 && m.copy_up && (m.set & MOUNT_ATTR_RDONLY) != 0)
    result = set_attributes(c, mount, MOUNT_ATTR_RDONLY, 0, 0, false);
  if (result == 0) result = apply_attributes(c, m, mount);
  if (result == 0) result = attach(c, mount, target);
  // After attaching: a new mount joins the propagation of where it lands.
  if (result == 0) result = apply_propagation(c, m, mount);
  sys::close_keeping_errno(mount);
  sys::close_keeping_errno(target);
  return result;
}

// The root lands on top of "/" itself: no folder is needed, and it is reached by its descriptor
// only.
int attach_root(ChildState& c, int mount) {
  if (sys_move_mount(mount, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return fail(c, Call::move_mount);
  c.root = mount;
  return 0;
}

// Option values are limited to 255 bytes: a longer path goes by descriptor.
int set_path(ChildState& c, int context, const char* key, const char* path) {
  if (std::strlen(path) < 256) return set_string(c, context, key, path);
  int fd = ::open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return fail(c, Call::open_source);
  int result = set_string(c, context, key, FdPath(fd).text);
  sys::close_keeping_errno(fd);
  return result;
}

int overlay_mount(ChildState& c, const OverlayPlan& o) {
  int context = sys_fsopen("overlay");
  if (context < 0) return fail(c, Call::fsopen);
  int result = 0;
  for (std::size_t i = 0; result == 0 && i < o.lower.size(); ++i)
    result = set_path(c, context, "lowerdir+", o.lower[i]);
  if (result == 0 && o.upper != nullptr) result = set_path(c, context, "upperdir", o.upper);
  if (result == 0 && o.work != nullptr) result = set_path(c, context, "workdir", o.work);
  if (result == 0 && o.userxattr) result = set_string(c, context, "userxattr", nullptr);
  if (result == 0 && o.volatile_) result = set_string(c, context, "volatile", nullptr);
  if (result == 0 && sys_fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    keep_message(c, context);
    result = fail(c, Call::fsconfig);
  }
  if (result == 0) {
    result = sys_fsmount(context, 0);
    if (result < 0) c.call = Call::fsmount;
  }
  sys::close_keeping_errno(context);
  return result;
}

}  // namespace

int child_label(ChildState& c, const MountPlan& m, int mount) {
  if (m.label == nullptr) return 0;
  if (::setxattr(FdPath(mount).text, "security.selinux", m.label, std::strlen(m.label) + 1, 0) == 0)
    return 0;
  return fail(c, Call::mount);
}

int child_mount(ChildState& c, const MountPlan& m) {
  if (m.remount) return child_remount(c, m);
  if (c.old_api && m.subpath != nullptr) {
    errno = ENOSYS;
    return fail(c, Call::unsupported);
  }
  if (c.old_api) {
    int target = -1;
    bool folder = !m.bind;
    if (m.bind) {
      struct stat st;
      if (::stat(m.source, &st) < 0) return fail(c, Call::open_source);
      folder = S_ISDIR(st.st_mode);
    }
    target = open_target(c, m, folder);
    if (target < 0) return -1;
    int result = old_mount(c, m, target);
    sys::close_keeping_errno(target);
    return result;
  }
  return m.bind ? bind_mount(c, m) : new_filesystem(c, m);
}

int child_root_overlay(ChildState& c, const OverlayPlan& o) {
  int mount = o.mount_fd;
  if (mount < 0 && o.received >= 0 && o.received < c.received_count) mount = c.received[o.received];
  if (mount < 0 && !c.old_api) {
    mount = overlay_mount(c, o);
    // No fsopen (before 5.2) or no "lowerdir+" (before 6.7).
    if (mount < 0 && (errno == ENOSYS || (errno == EINVAL && c.call == Call::fsconfig))) {
      c.text[0] = 0;
      return old_root_overlay(c, o);
    }
  } else if (mount < 0) {
    return old_root_overlay(c, o);
  }
  if (mount < 0) return -1;
  return attach_root(c, mount);
}

int child_root_bind(ChildState& c, const char* source, int made) {
  if (made >= 0) return attach_root(c, made);
  if (!c.old_api) {
    int mount = clone_tree(c, source, true);
    if (mount >= 0) return attach_root(c, mount);
    if (errno != ENOSYS) return -1;
    c.old_api = true;
  }
  return old_root_bind(c, source);
}

namespace {

// Another mount of what `*mount` shows; the first one is attached itself, later ones are clones of
// it (a detached mount cannot be cloned before Linux 6.15).
int attach_shared(ChildState& c, int* mount, bool* attached, int target) {
  if (c.old_api) return old_bind_fd(c, *mount, target);
  if (!*attached) {
    *attached = true;
    return attach(c, *mount, target);
  }
  int copy = sys_open_tree(*mount, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
  if (copy < 0) return fail(c, Call::open_tree);
  int result = attach(c, copy, target);
  sys::close_keeping_errno(copy);
  return result;
}

// The host's own null device, proved to be it (CVE-2025-31133: never the container's /dev/null).
int open_null(ChildState& c) {
  int fd = c.old_api ? ::open("/dev/null", O_PATH | O_CLOEXEC | O_NOFOLLOW)
                     : sys_open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
  if (fd < 0) return fail(c, Call::open_source);
  struct stat st;
  if (::fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)) {
    ::close(fd);
    errno = ENODEV;
    return fail(c, Call::verify);
  }
  // Read-only, so that nobody inside changes mode or owner of the host's node through it; writing
  // to the device still works.
  if (!c.old_api && set_attributes(c, fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                                   0, 0, false) < 0) {
    sys::close_keeping_errno(fd);
    return -1;
  }
  return fd;
}

int open_empty(ChildState& c) {
  MountPlan m;
  m.type = "tmpfs";
  m.source = "tmpfs";
  m.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  return make_filesystem(c, m);
}

}  // namespace

int child_mask(ChildState& c, const char* path) {
  int target = open_in(c.root, path, O_PATH);
  if (target < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return 0;  // nothing there to hide
    return fail(c, Call::open_target);
  }
  int result;
  if (is_folder(target)) {
    if (c.old_api) {
      result = ::mount("tmpfs", FdPath(target).text, "tmpfs",
                       MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
    } else {
      if (c.empty_mount < 0) c.empty_mount = open_empty(c);
      result = c.empty_mount < 0 ? -1 : attach_shared(c, &c.empty_mount, &c.empty_attached, target);
    }
  } else {
    if (c.null_mount < 0) c.null_mount = open_null(c);
    result = c.null_mount < 0 ? -1 : attach_shared(c, &c.null_mount, &c.null_attached, target);
    if (result == 0 && c.old_api) result = old_protect_node(c, path, makedev(1, 3));
  }
  sys::close_keeping_errno(target);
  return result;
}

int child_readonly(ChildState& c, const char* path) {
  int target = open_in(c.root, path, O_PATH);
  if (target < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return 0;
    return fail(c, Call::open_target);
  }
  int result = -1;
  if (c.old_api) {
    if (old_bind_fd(c, target, target) == 0) {
      int mount = open_in(c.root, path, O_PATH);
      result =
          mount < 0 ? fail(c, Call::open_target) : old_set_attributes(mount, MOUNT_ATTR_RDONLY, 0);
      if (mount >= 0) sys::close_keeping_errno(mount);
    }
  } else {
    int mount = sys_open_tree(target, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE);
    if (mount < 0) {
      c.call = Call::open_tree;
    } else {
      result = set_attributes(c, mount, MOUNT_ATTR_RDONLY, 0, 0, true);
      if (result == 0) result = attach(c, mount, target);
      sys::close_keeping_errno(mount);
    }
  }
  sys::close_keeping_errno(target);
  return result;
}

int child_remount_readonly(ChildState& c, const char* path) {
  int mount = open_in(c.root, path, O_PATH);
  if (mount < 0) return fail(c, Call::open_target);
  int result = c.old_api ? old_set_attributes(mount, MOUNT_ATTR_RDONLY, 0)
                         : set_attributes(c, mount, MOUNT_ATTR_RDONLY, 0, 0, false);
  sys::close_keeping_errno(mount);
  return result;
}

}  // namespace minke::runtime
