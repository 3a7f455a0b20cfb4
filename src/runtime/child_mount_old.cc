// Mounts by mount(2): for kernels without the new calls, and for tests (MINKE_OLD_MOUNT_API=1).
// Targets are open already; mount(2) reaches them through the host's procfs, which is still in
// place before the pivot.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstring>

#include "runtime/child.h"
#include "runtime/mount_options.h"
#include "runtime/syscalls.h"

namespace minke::runtime {
namespace {

int fail(ChildState& c, Call call) {
  c.call = call;
  return -1;
}

// A remount replaces all flags, so those that stand are carried over.
std::uint64_t current_attributes(int mount) {
  struct statvfs vfs;
  if (::fstatvfs(mount, &vfs) < 0) return 0;
  std::uint64_t a = 0;
  if (vfs.f_flag & ST_RDONLY) a |= MOUNT_ATTR_RDONLY;
  if (vfs.f_flag & ST_NOSUID) a |= MOUNT_ATTR_NOSUID;
  if (vfs.f_flag & ST_NODEV) a |= MOUNT_ATTR_NODEV;
  if (vfs.f_flag & ST_NOEXEC) a |= MOUNT_ATTR_NOEXEC;
  if (vfs.f_flag & ST_NODIRATIME) a |= MOUNT_ATTR_NODIRATIME;
  if (vfs.f_flag & ST_NOATIME) a |= MOUNT_ATTR_NOATIME;
  return a;
}

int finish(ChildState& c, const MountPlan& m, bool attributes) {
  if ((m.recursive_set | m.recursive_clear) != 0) {
    errno = ENOSYS;  // needs mount_setattr(2), Linux 5.12
    return fail(c, Call::mount_setattr);
  }
  if (!attributes && m.propagation.empty()) return 0;
  // The descriptor of before shows what lies beneath; the mount on top is found by resolving again.
  int mount = open_in(c.root, m.target, O_PATH);
  if (mount < 0) return fail(c, Call::open_target);
  int result = 0;
  if (attributes && old_set_attributes(mount, m.set, m.clear) < 0)
    result = fail(c, Call::mount_setattr);
  for (std::size_t i = 0; result == 0 && i < m.propagation.size(); ++i)
    if (::mount(nullptr, FdPath(mount).text, nullptr, m.propagation[i], nullptr) < 0)
      result = fail(c, Call::mount_setattr);
  sys::close_keeping_errno(mount);
  return result;
}

}  // namespace

int old_set_attributes(int mount, std::uint64_t set, std::uint64_t clear) {
  std::uint64_t attributes = (current_attributes(mount) & ~clear) | set;
  return ::mount(nullptr, FdPath(mount).text, nullptr,
                 MS_REMOUNT | MS_BIND | mount_flags_of(attributes), nullptr);
}

// The option "remount". One call changes a file system's options and its mount's attributes alike;
// the new calls would take two for that.
int child_remount(ChildState& c, const MountPlan& m) {
  int mount = open_in(c.root, m.target, O_PATH);
  if (mount < 0) return fail(c, Call::open_target);
  std::uint64_t attributes = (current_attributes(mount) & ~m.clear) | m.set;
  unsigned long flags = MS_REMOUNT | mount_flags_of(attributes) | m.superblock;
  if (m.bind) flags |= MS_BIND;
  int result = ::mount(nullptr, FdPath(mount).text, nullptr, flags, m.bind ? nullptr : m.data);
  if (result < 0) fail(c, Call::mount);
  for (std::size_t i = 0; result == 0 && i < m.propagation.size(); ++i)
    if (::mount(nullptr, FdPath(mount).text, nullptr, m.propagation[i], nullptr) < 0)
      result = fail(c, Call::mount_setattr);
  sys::close_keeping_errno(mount);
  return result;
}

int old_protect_node(ChildState& c, const char* path, dev_t number) {
  int mount = open_in(c.root, path, O_PATH);
  if (mount < 0) return fail(c, Call::open_target);
  struct stat st;
  int result = 0;
  if (::fstat(mount, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != number) {
    errno = ENODEV;
    result = fail(c, Call::verify);
  } else if (old_set_attributes(mount, MOUNT_ATTR_RDONLY, 0) < 0) {
    result = fail(c, Call::mount_setattr);
  }
  sys::close_keeping_errno(mount);
  return result;
}

int old_bind_fd(ChildState& c, int source, int target) {
  if (::mount(FdPath(source).text, FdPath(target).text, nullptr, MS_BIND | MS_REC, nullptr) < 0)
    return fail(c, Call::mount);
  return 0;
}

int old_mount(ChildState& c, const MountPlan& m, int target) {
  FdPath place(target);
  if (m.bind) {
    if (::mount(m.source, place.text, nullptr, MS_BIND | (m.recursive ? MS_REC : 0), nullptr) < 0)
      return fail(c, Call::mount);
    return finish(c, m, (m.set | m.clear) != 0);
  }
  unsigned long flags =
      mount_flags_of(m.copy_up ? m.set & ~std::uint64_t{MOUNT_ATTR_RDONLY} : m.set);
  if (::mount(m.source, place.text, m.type, flags | m.superblock, m.data) < 0) {
    bool refused = errno == EPERM || errno == EBUSY || errno == EACCES;
    if (!refused || m.fallback == MountPlan::Fallback::none ||
        ::mount(m.fallback_source, place.text, nullptr,
                MS_BIND | (m.fallback == MountPlan::Fallback::rbind_sys ? MS_REC : 0), nullptr) < 0)
      return fail(c, Call::mount);
    return finish(c, m, true);
  }
  if (m.copy_up || m.label != nullptr) {
    int mount = open_in(c.root, m.target, O_PATH | O_DIRECTORY);
    if (mount < 0) return fail(c, Call::open_target);
    int result = child_label(c, m, mount);
    if (result == 0 && m.copy_up && child_copy_up(target, mount) < 0)
      result = fail(c, Call::copy_up);
    sys::close_keeping_errno(mount);
    if (result < 0) return result;
  }
  return finish(c, m, m.copy_up && (m.set & MOUNT_ATTR_RDONLY) != 0);
}

// Options of mount(2) end at a page, which many layers overrun by their names. From /proc/self/fd
// each is a number, and no name needs an escape.
int old_root_overlay(ChildState& c, const OverlayPlan& o) {
  char data[4096];
  std::size_t used = 0;
  bool overrun = false;
  auto put = [&](const char* text) {
    std::size_t n = std::strlen(text);
    if (used + n + 1 >= sizeof data) {
      overrun = true;
      return;
    }
    std::memcpy(data + used, text, n + 1);
    used += n;
  };
  auto put_fd = [&](const char* path) {
    int fd = ::open(path, O_PATH | O_CLOEXEC);
    if (fd >= 0) put(FdPath(fd).text + std::strlen("/proc/self/fd/"));
    return fd;
  };
  put("lowerdir=");
  // The descriptors stay open until exec closes them.
  for (std::size_t i = 0; i < o.lower.size(); ++i) {
    if (i > 0) put(":");
    if (put_fd(o.lower[i]) < 0) return fail(c, Call::open_source);
  }
  if (o.upper != nullptr) {
    put(",upperdir=");
    if (put_fd(o.upper) < 0) return fail(c, Call::open_source);
    put(",workdir=");
    if (put_fd(o.work) < 0) return fail(c, Call::open_source);
  }
  if (o.userxattr) put(",userxattr");
  if (o.volatile_) put(",volatile");
  if (overrun) {
    errno = E2BIG;
    return fail(c, Call::mount);
  }
  if (::chdir("/proc/self/fd") < 0) return fail(c, Call::open_source);
  if (::mount("overlay", o.place, "overlay", 0, data) < 0) return fail(c, Call::mount);
  if (::chdir("/") < 0) return -1;
  c.root = ::open(o.place, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (c.root < 0) return fail(c, Call::open_target);
  return 0;
}

int old_root_bind(ChildState& c, const char* source) {
  if (::mount(source, source, nullptr, MS_BIND | MS_REC, nullptr) < 0) return fail(c, Call::mount);
  c.root = ::open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (c.root < 0) return fail(c, Call::open_target);
  return 0;
}

}  // namespace minke::runtime
