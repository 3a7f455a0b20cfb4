// Device nodes, links and the terminal of the container's /dev.
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>

#include <cstring>

#include "runtime/child.h"
#include "runtime/syscalls.h"

namespace minke::runtime {
namespace {

constexpr long kDevptsMagic = 0x1cd1;

int fail(ChildState& c, Call call) {
  c.call = call;
  return -1;
}

int bind_node(ChildState& c, const DevicePlan& d) {
  MountPlan m;
  m.bind = true;
  m.source = d.host_path;
  m.target = d.path;
  // A device on a read-only mount is written to as ever; its mode and owner are the host's.
  m.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  return child_mount(c, m);
}

}  // namespace

int child_device(ChildState& c, const DevicePlan& d) {
  if (d.bind) return bind_node(c, d);
  const char* name;
  int folder = open_parent(c, d.path, &name);
  if (folder < 0) return -1;
  int result = ::mknodat(folder, name, d.mode, d.number);
  bool made = result == 0;
  if (!made && errno == EEXIST) {
    struct stat st;
    // A root without a /dev of its own may bring the node along.
    bool same = ::fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                (st.st_mode & S_IFMT) == (d.mode & S_IFMT) && st.st_rdev == d.number;
    result = same ? 0 : bind_node(c, d);
    errno = same ? 0 : errno;
  } else if (!made && errno == EPERM && !S_ISFIFO(d.mode)) {
    // No right to make devices (an outer container, or a nodev file system): the host's own node
    // does.
    result = bind_node(c, d);
  } else if (!made) {
    c.call = Call::mknod;
  }
  if (made && (d.uid != 0 || d.gid != 0) &&
      ::fchownat(folder, name, d.uid, d.gid, AT_SYMLINK_NOFOLLOW) < 0)
    result = fail(c, Call::chown);
  sys::close_keeping_errno(folder);
  return result;
}

int child_symlink(ChildState& c, const char* content, const char* path) {
  const char* name;
  int folder = open_parent(c, path, &name);
  if (folder < 0) return -1;
  int result = ::symlinkat(content, folder, name);
  if (result < 0 && errno == EEXIST) {
    struct stat st;
    // devpts of the image's own /dev, or a second start: what is there already serves, but a stale
    // ptmx does not.
    bool stale = std::strcmp(content, "pts/ptmx") == 0 &&
                 ::fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st.st_mode);
    result = 0;
    if (stale) {
      result = ::unlinkat(folder, name, 0);
      if (result == 0) result = ::symlinkat(content, folder, name);
    }
  }
  if (result < 0) c.call = Call::symlink;
  sys::close_keeping_errno(folder);
  return result;
}

namespace {

int send_descriptor(int socket, int fd) {
  // The name is only a label for the receiver.
  static const char kName[] = "/dev/ptmx";
  iovec part{const_cast<char*>(kName), sizeof kName - 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* item = CMSG_FIRSTHDR(&header);
  item->cmsg_level = SOL_SOCKET;
  item->cmsg_type = SCM_RIGHTS;
  item->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(item), &fd, sizeof fd);
  ssize_t n;
  do {
    n = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n < 0 ? -1 : 0;
}

int bind_console(ChildState& c, int slave) {
  const char* name;
  int folder = open_parent(c, "/dev/console", &name);
  if (folder < 0) return -1;
  int file = ::openat(folder, name, O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_PATH, 0600);
  if (file < 0 && errno == ENOENT) {
    file = ::openat(folder, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0600);
    if (file >= 0) ::close(file);
    file = ::openat(folder, name, O_NOFOLLOW | O_CLOEXEC | O_PATH);
  }
  sys::close_keeping_errno(folder);
  if (file < 0) return fail(c, Call::make_target);
  int result;
  if (c.old_api) {
    result = old_bind_fd(c, slave, file);
  } else {
    int mount = sys_open_tree(slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
    result = mount < 0 ? fail(c, Call::open_tree)
                       : sys_move_mount(mount, "", file, "",
                                        MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    if (mount >= 0 && result < 0) c.call = Call::move_mount;
    if (mount >= 0) sys::close_keeping_errno(mount);
  }
  sys::close_keeping_errno(file);
  return result;
}

}  // namespace

// The pty comes from the container's own devpts, and everything goes by descriptor: nobody who
// renames things in /dev/pts meanwhile can give us another file (CVE-2025-52565).
int child_console(ChildState& c, const ConsolePlan& p) {
  int master = open_in(c.root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
  if (master < 0) return fail(c, Call::open_pty);
  struct statfs fs;
  if (::fstatfs(master, &fs) < 0 || fs.f_type != kDevptsMagic) {
    ::close(master);
    errno = ENODEV;
    return fail(c, Call::verify);
  }
  int unlock = 0;
  if (::ioctl(master, TIOCSPTLCK, &unlock) < 0) return fail(c, Call::unlock_pty);
  int slave = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return fail(c, Call::open_pty);
  if (p.height != 0 || p.width != 0) {
    struct winsize size {};
    size.ws_row = p.height;
    size.ws_col = p.width;
    if (::ioctl(slave, TIOCSWINSZ, &size) < 0) return fail(c, Call::open_pty);
  }
  if (p.uid != 0 && ::fchown(slave, p.uid, static_cast<gid_t>(-1)) < 0) return fail(c, Call::chown);
  if (p.console_node && bind_console(c, slave) < 0) return -1;
  if (send_descriptor(p.socket, master) < 0) return fail(c, Call::send_pty);
  ::close(master);
  if (::ioctl(slave, TIOCSCTTY, 0) < 0) return fail(c, Call::set_controlling);
  c.pty = slave;
  return 0;
}

}  // namespace minke::runtime
