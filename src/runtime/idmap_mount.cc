#include "runtime/idmap_mount.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/idmap.h"
#include "runtime/syscalls.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::runtime {
namespace {

// fork(2) with namespaces; the child gets 0 and may use system calls only.
pid_t fork_into(std::uint64_t flags) {
  struct clone_args args {};
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
}

Status map_owners(int tree, int user_namespace, bool below, std::string_view what) {
  struct mount_attr attr {};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<std::uint64_t>(user_namespace);
  if (sys_mount_setattr(tree, "", AT_EMPTY_PATH | (below ? AT_RECURSIVE : 0), &attr) == 0)
    return {};
  int err = errno;
  Error error = Error::from_errno(err, concat("map the owners of ", what));
  if (err == EINVAL)
    return Error(Errc::unsupported, concat(error.message(),
                                           " (its file system cannot show mapped owners: ext4, xfs "
                                           "and btrfs can)"));
  if (err == EPERM)
    return Error(Errc::permission, concat(error.message(),
                                          " (only root may map the owners of a mount: leave the "
                                          "option idmap out, or run as root)"));
  return error;
}

struct OverlayWork {
  std::vector<sys::UniqueFd>
      trees;            // of the lower layers, and last of the folder of upper and work
  std::string options;  // in terms of folders 0, 1, ... of a tmpfs
};

std::string parent_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<OverlayWork> prepare(const OverlayRoot& o, int user_namespace) {
  OverlayWork w;
  w.options = "lowerdir=";
  for (std::size_t i = 0; i < o.lower.size(); ++i) {
    w.trees.push_back(TRY(make_idmapped_tree(o.lower[i], false, user_namespace, false)));
    w.options += concat(i > 0 ? ":" : "", i);
  }
  if (!o.upper.empty()) {
    // Both must be seen through one mount.
    if (parent_of(o.upper) != parent_of(o.work))
      return Error(Errc::invalid_argument, "overlay root: upper and work must lie in one folder");
    std::size_t index = w.trees.size();
    w.trees.push_back(TRY(make_idmapped_tree(parent_of(o.upper), false, user_namespace, false)));
    w.options += concat(",upperdir=", index, "/", name_of(o.upper), ",workdir=", index, "/",
                        name_of(o.work));
  }
  if (o.userxattr) w.options += ",userxattr";
  if (o.volatile_ && !o.upper.empty()) w.options += ",volatile";
  return w;
}

struct HelperReport {
  int err;
  char what[28];
};

// In a process and a mount namespace of its own: overlay takes no detached mounts before
// Linux 6.15, so the layers are attached here, where they vanish with us.
[[noreturn]] void mount_in_helper(const OverlayWork& w, uid_t uid, gid_t gid, int socket) {
  auto fail = [&](const char* what) {
    HelperReport r{errno, {}};
    for (int i = 0; i < 27 && what[i] != 0; ++i) r.what[i] = what[i];
    ssize_t ignored = ::send(socket, &r, sizeof r, MSG_NOSIGNAL);
    ::_exit(ignored < 0 ? 2 : 1);
  };
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) fail("propagation");
  int context = sys_fsopen("tmpfs");
  if (context < 0 || sys_fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    fail("tmpfs");
  int base = sys_fsmount(context, 0);
  if (base < 0 || sys_move_mount(base, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
    fail("tmpfs");
  for (std::size_t i = 0; i <= w.trees.size(); ++i) {
    char name[16];
    int n = 0;
    for (std::size_t rest = i; n == 0 || rest > 0; rest /= 10)
      name[n++] = static_cast<char>('0' + rest % 10);
    for (int a = 0, b = n - 1; a < b; ++a, --b) {
      char swap = name[a];
      name[a] = name[b];
      name[b] = swap;
    }
    name[n] = 0;
    if (::mkdirat(base, name, 0700) < 0) fail("folder of a layer");
    if (i < w.trees.size() &&
        sys_move_mount(w.trees[i].get(), "", base, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
      fail("attach a layer");
    if (i < w.trees.size()) continue;
    if (::fchdir(base) < 0) fail("enter tmpfs");
    // Overlay acts on the layers as who mounts it. An id that the mapping does not know could
    // create nothing there, so we are the container's root, with our own capabilities raised again.
    ::setfsgid(gid);
    ::setfsuid(uid);
    __user_cap_header_struct caps_header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct caps[2];
    if (::syscall(SYS_capget, &caps_header, caps) < 0) fail("capabilities");
    for (auto& half : caps) half.effective = half.permitted;
    if (::syscall(SYS_capset, &caps_header, caps) < 0) fail("capabilities");
    if (::mount("overlay", name, "overlay", 0, w.options.c_str()) < 0) fail("overlay");
    int tree = sys_open_tree(AT_FDCWD, name, OPEN_TREE_CLONE);
    if (tree < 0) fail("detach the overlay");
    iovec part{const_cast<char*>("ok"), 2};
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
    *reinterpret_cast<int*>(CMSG_DATA(item)) = tree;
    if (::sendmsg(socket, &header, MSG_NOSIGNAL) < 0) fail("send the overlay");
  }
  ::_exit(0);
}

}  // namespace

Result<sys::UniqueFd> make_user_namespace(const std::vector<oci::IdMapping>& uids,
                                          const std::vector<oci::IdMapping>& gids) {
  pid_t pid = fork_into(CLONE_NEWUSER);
  if (pid == 0)
    for (;;) ::pause();
  if (pid < 0) return Error::from_errno(errno, "clone for id mapping");
  Status mapped = write_id_maps(pid, uids, gids);
  auto fd = sys::open(concat("/proc/", pid, "/ns/user"), O_RDONLY);
  ::kill(pid, SIGKILL);
  ignore(sys::wait_pid(pid), "reaping");
  if (!mapped) return std::move(mapped.error());
  return fd;
}

Result<sys::UniqueFd> make_idmapped_tree(const std::string& source, bool recursive,
                                         int user_namespace, bool map_below) {
  sys::UniqueFd tree(
      sys_open_tree(AT_FDCWD, source.c_str(), OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0)));
  if (!tree) return Error::from_errno(errno, concat("open ", source));
  TRY(map_owners(tree.get(), user_namespace, map_below, source));
  return tree;
}

std::uint32_t mapped_root(const std::vector<oci::IdMapping>& mappings) {
  for (const oci::IdMapping& m : mappings)
    if (m.container_id == 0) return m.host_id;
  return mappings.empty() ? 0 : mappings[0].host_id;
}

Result<sys::UniqueFd> make_idmapped_overlay(const OverlayRoot& overlay, int user_namespace,
                                            uid_t uid, gid_t gid) {
  OverlayWork work = TRY(prepare(overlay, user_namespace));
  if (work.options.size() >= 4095)
    return Error(Errc::unsupported,
                 "overlay root: too many layers for a container with mapped ids");
  auto pair = TRY(sys::make_seqpacket_pair());
  pid_t pid = fork_into(CLONE_NEWNS);
  if (pid == 0) mount_in_helper(work, uid, gid, pair.second.get());
  if (pid < 0) return Error::from_errno(errno, "clone to mount the overlay");
  pair.second.reset();
  auto message = sys::receive_message(pair.first.get(), 256);
  ignore(sys::wait_pid(pid), "reaping");
  if (!message) return std::move(message.error());
  if (message->fds.size() == 1) return std::move(message->fds[0]);
  if (message->data.size() != sizeof(HelperReport))
    return Error(Errc::internal, "mount the overlay: no answer");
  const auto* report = reinterpret_cast<const HelperReport*>(message->data.data());
  return Error::from_errno(report->err, concat("overlay root with mapped ids: ", report->what));
}

Result<sys::UniqueFd> make_outer_overlay(const OverlayRoot& o) {
  sys::UniqueFd context(sys_fsopen("overlay"));
  if (!context) return Error::from_errno(errno, "overlay root: fsopen");
  auto set = [&](const char* key, const std::string& path) -> Status {
    // Option values are limited to 255 bytes: by descriptor they are short.
    sys::UniqueFd folder = TRY(sys::open_at(sys::DirFd::cwd(), path.c_str(), O_PATH | O_DIRECTORY));
    std::string link = concat("/proc/self/fd/", folder.get());
    if (sys_fsconfig(context.get(), FSCONFIG_SET_STRING, key, link.c_str(), 0) == 0) return {};
    if (errno == EINVAL) return Error(Errc::unsupported, concat("overlay root: ", key));
    return Error::from_errno(errno, concat("overlay root: ", key, " ", path));
  };
  for (const std::string& path : o.lower) TRY(set("lowerdir+", path));
  if (!o.upper.empty()) {
    TRY(set("upperdir", o.upper));
    TRY(set("workdir", o.work));
  }
  for (const auto& [flag, wanted] : {std::pair("userxattr", o.userxattr),
                                     std::pair("volatile", o.volatile_ && !o.upper.empty())})
    if (wanted && sys_fsconfig(context.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0) < 0)
      return Error::from_errno(errno, concat("overlay root: ", flag));
  if (sys_fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return Error::from_errno(errno, "overlay root");
  sys::UniqueFd mount(sys_fsmount(context.get(), 0));
  if (!mount) return Error::from_errno(errno, "overlay root: fsmount");
  return mount;
}

}  // namespace minke::runtime
