// Raw calls that the child may make, where glibc 2.36 has no wrapper or an unfit one.
#pragma once

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace minke::runtime {

inline int sys_openat2(int dir, const char* path, std::uint64_t flags, std::uint64_t mode,
                       std::uint64_t resolve) {
  struct open_how how {};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  for (int tries = 0;; ++tries) {
    int fd = static_cast<int>(::syscall(SYS_openat2, dir, path, &how, sizeof how));
    // EAGAIN: a rename went on elsewhere and the kernel could not be sure that ".." stays inside.
    if (fd >= 0 || !(errno == EINTR || (errno == EAGAIN && tries < 512))) return fd;
  }
}
inline int sys_fsopen(const char* type) {
  return static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}
inline int sys_fsconfig(int fd, unsigned cmd, const char* key, const void* value, int aux) {
  return static_cast<int>(::syscall(SYS_fsconfig, fd, cmd, key, value, aux));
}
inline int sys_fsmount(int fd, unsigned attributes) {
  return static_cast<int>(::syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes));
}
inline int sys_open_tree(int dir, const char* path, unsigned flags) {
  return static_cast<int>(::syscall(SYS_open_tree, dir, path, flags | O_CLOEXEC));
}
inline int sys_move_mount(int from, const char* from_path, int to, const char* to_path,
                          unsigned flags) {
  return static_cast<int>(::syscall(SYS_move_mount, from, from_path, to, to_path, flags));
}
inline int sys_mount_setattr(int dir, const char* path, unsigned flags, struct mount_attr* attr) {
  return static_cast<int>(::syscall(SYS_mount_setattr, dir, path, flags, attr, sizeof *attr));
}
inline int sys_pivot_root(const char* root, const char* old_root) {
  return static_cast<int>(::syscall(SYS_pivot_root, root, old_root));
}

}  // namespace minke::runtime
