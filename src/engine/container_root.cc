#include "engine/container_root.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "engine/records.h"
#include "engine/rootfs_view.h"
#include "engine/specgen.h"
#include "state/object_lock.h"
#include "sys/foreign_mount.h"

namespace minke::engine {
namespace {

int open_tree(int dir, const char* path, unsigned flags) {
  return static_cast<int>(::syscall(SYS_open_tree, dir, path, flags | OPEN_TREE_CLOEXEC));
}
int move_mount(int from, int to, const char* path) {
  unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0);
  return static_cast<int>(::syscall(SYS_move_mount, from, "", to, path, flags));
}
Status make_read_only(int mount) {
  struct mount_attr attributes {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (::syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                sizeof attributes) < 0)
    return Error::from_errno(errno, "mount_setattr");
  return {};
}

// Rootless commands stand in one already.
Status leave_host_mounts(const Host& host) {
  if (host.in_user_namespace) return {};
  if (::unshare(CLONE_NEWNS) < 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
    return Error::from_errno(errno, "make a mount namespace");
  return {};
}

bool has_sources(const ContainerConfig& config) {
  for (const ResolvedMount& mount : config.mounts)
    if (mount.type == "bind" || mount.type == "volume") return true;
  return false;
}

// The place in the root where a mount goes; made as a start would make it.
Result<sys::UniqueFd> open_place(int root, const std::string& path, bool folder) {
  auto place = sys::open_in_root(root, path.c_str(), O_PATH);
  if (place || place.error().sys() != ENOENT) return place;
  sys::UniqueFd at = TRY(sys::duplicate(root));
  std::string so_far;
  std::vector<std::string_view> parts = split(path, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty() || parts[i] == ".") continue;
    std::string name(parts[i]);
    so_far += concat("/", name);
    auto next = sys::open_in_root(root, so_far.c_str(), O_PATH);
    if (!next) {
      bool last_file = !folder && i + 1 == parts.size();
      int made = last_file ? ::mknodat(at.get(), name.c_str(), S_IFREG | 0755, 0)
                           : ::mkdirat(at.get(), name.c_str(), 0755);
      if (made < 0 && errno != EEXIST) return Error::from_errno(errno, concat("mkdir ", so_far));
      next = sys::open_in_root(root, so_far.c_str(), O_PATH);
    }
    at = TRY(std::move(next));
  }
  return at;
}

Status attach(int root, const ResolvedMount& mount) {
  if (mount.type != "bind" && mount.type != "volume") return {};
  if (mount.idmap || mount.overlay || !mount.fs_type.empty())
    return Error(Errc::unsupported, concat("it is ",
                                           mount.idmap     ? "an idmapped mount"
                                           : mount.overlay ? "an overlay of its own"
                                                           : "a file system of its own",
                                           ", which is there only while the container runs"));
  bool recursive = true;
  for (const std::string& option : mount.options) recursive = recursive && option != "bind";
  sys::UniqueFd from = TRY(sys::open(mount.source, O_PATH));
  if (!mount.subpath.empty())
    from = TRY(sys::open_in_root(from.get(), mount.subpath.c_str(), O_PATH));
  sys::UniqueFd source(
      open_tree(from.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0)));
  if (!source) return Error::from_errno(errno, mount.source);
  if (!mount.read_write) TRY(make_read_only(source.get()));
  struct stat st {};
  if (::fstat(source.get(), &st) < 0) return Error::from_errno(errno, mount.source);
  sys::UniqueFd place = TRY(open_place(root, mount.destination, S_ISDIR(st.st_mode)));
  if (move_mount(source.get(), place.get(), "") < 0) return Error::from_errno(errno, "move_mount");
  return {};
}

bool is_missing(int root, const ContainerConfig& config) {
  for (const ResolvedMount& mount : config.mounts)
    if (mount.type == "bind" || mount.type == "volume")
      if (!sys::open_in_root(root, mount.destination.c_str(), O_PATH)) return true;
  return false;
}

// Outer before inner, as they are mounted when it runs.
std::vector<ResolvedMount> in_order(const ContainerConfig& config) {
  std::vector<ResolvedMount> mounts = config.mounts;
  auto depth = [](const ResolvedMount& mount) {
    return std::count(mount.destination.begin(), mount.destination.end(), '/');
  };
  std::stable_sort(mounts.begin(), mounts.end(),
                   [&](const auto& a, const auto& b) { return depth(a) < depth(b); });
  return mounts;
}

// The bare root, without volumes.
Result<sys::UniqueFd> open_bare(const Host& host, const Container& container, RootUse use) {
  const ContainerConfig& config = container.config;
  std::string mounted = container_mount_point(host, config.id);
  if (is_mount_point(mounted)) return sys::open(mounted, O_RDONLY | O_DIRECTORY);
  if (!config.rootfs.empty()) return sys::open(config.rootfs, O_RDONLY | O_DIRECTORY);
  if (use == RootUse::read || config.request.read_only)
    return open_rootfs_view(config, host, container.dir + "/upper");
  return mount_writable(config.lower, container.dir + "/upper", container.dir + "/work",
                        host.rootless);
}

Result<sys::UniqueFd> open_with_volumes(const Host& host, const Container& container, RootUse use) {
  TRY(leave_host_mounts(host));
  sys::UniqueFd bare = TRY(open_bare(host, container, use));
  if (use == RootUse::read && is_missing(bare.get(), container.config))
    return Error::from_errno(ENOENT, "a volume's place");
  // Only what is attached can carry mounts. A folder that is no mount of its own is made one; the
  // place that it covers is seen by this process alone.
  sys::UniqueFd tree(open_tree(bare.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE));
  if (tree) bare = std::move(tree);
  std::string place = container.dir + "/upper";
  if (move_mount(bare.get(), AT_FDCWD, place.c_str()) < 0)
    return Error::from_errno(
        errno, concat("attach the root of container ", short_id(container.config.id)));
  sys::UniqueFd root = TRY(sys::open(place, O_RDONLY | O_DIRECTORY));
  for (const ResolvedMount& mount : in_order(container.config))
    TRY_CTX(attach(root.get(), mount), concat("mount ", mount.destination));
  return root;
}

}  // namespace

Result<RunningInit> open_init(const Host& host, const ContainerSummary& live) {
  auto state = TRY(load_state(ContainerPaths(host, live.id).run_dir));
  if (!state || state->pid != live.pid)
    return Error(Errc::not_found, concat("container ", short_id(live.id), " has just ended"));
  RunningInit init;
  init.start_time = state->start_time;
  init.process = TRY(sys::Pidfd::open(state->pid, state->start_time));
  return init;
}

Result<sys::UniqueFd> open_running_root(const Host& host, const ContainerSummary& live, int flags) {
  sys::UniqueFd root = TRY(sys::open(concat("/proc/", live.pid, "/root"), flags | O_DIRECTORY));
  // After the open: a number that is another's by now leads to a root that is not ours to touch.
  TRY(open_init(host, live));
  return root;
}

std::string container_mount_point(const Host& host, const std::string& id) {
  return concat(host.runroot, "/mounts/containers/", id, "/merged");
}

std::string mount_namespace() {
  return sys::read_link_at(sys::DirFd::cwd(), "/proc/self/ns/mnt").value_or("");
}

// An ordinary user's mounts are in the namespace of an `unshare`, as long as a process is in it.
static std::optional<pid_t> process_in(const std::string& name) {
  auto pids = sys::list_dir(sys::DirFd::cwd(), "/proc");
  for (std::size_t i = 0; pids && i < pids->size(); ++i) {
    auto pid = parse_int((*pids)[i]);
    if (!pid) continue;
    auto link = sys::read_link_at(sys::DirFd::cwd(), concat("/proc/", *pid, "/ns/mnt").c_str());
    if (link && *link == name) return static_cast<pid_t>(*pid);
  }
  return std::nullopt;
}

Result<sys::UniqueFd> mounted_root(const Host& host, const ContainerConfig& config) {
  const std::string place = container_mount_point(host, config.id);
  if (!config.rootfs.empty() || !sys::exists(place)) return sys::UniqueFd();
  sys::UniqueFd tree;
  if (is_mount_point(place)) {
    tree.reset(open_tree(AT_FDCWD, place.c_str(), OPEN_TREE_CLONE));
    if (!tree) return Error::from_errno(errno, concat("open_tree ", place));
  } else {
    auto space = sys::read_small_file(place.substr(0, place.rfind('/')) + "/namespace", 256);
    if (!space || trim(*space) == mount_namespace()) return sys::UniqueFd();
    auto pid = process_in(std::string(trim(*space)));
    if (!pid) return sys::UniqueFd();
    tree = TRY_CTX(sys::clone_mount_of(*pid, place.c_str()),
                   concat("container ", short_id(config.id), " is mounted in an `unshare`"));
  }
  if (!config.uid_map.empty())
    return Error(Errc::conflict,
                 concat("container ", short_id(config.id),
                        " is mounted: unmount it first (unmount ", config.name, ")"));
  // What `mount` keeps from the host is not kept from the container.
  struct mount_attr attributes {};
  attributes.attr_clr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) <
      0)
    return Error::from_errno(errno, "mount_setattr");
  return tree;
}

bool is_mount_point(const std::string& path) {
  struct stat here {
  }, above{};
  return ::lstat(path.c_str(), &here) == 0 && ::lstat((path + "/..").c_str(), &above) == 0 &&
         here.st_dev != above.st_dev;
}

Result<ContainerRoot> open_container_root(const Host& host, const Container& container,
                                          RootUse use) {
  ContainerRoot out;
  if (container.live.pid > 0) {
    if (auto inside = open_running_root(host, container.live, O_RDONLY)) {
      out.root = std::move(*inside);
      out.running = true;
      return out;
    }
  }
  bool volumes = has_sources(container.config);
  if (use == RootUse::read) {
    auto root = volumes ? open_with_volumes(host, container, use) : open_bare(host, container, use);
    if (root || root.error().sys() != ENOENT) {
      out.root = TRY(std::move(root));
      return out;
    }
  }
  out.lock = TRY(
      state::lock_object(container.run_dir, concat("container ", short_id(container.config.id))));
  bool unused = false;
  ContainerSummary live = TRY(load_summary(host, container.config.id, &unused));
  if (live.pid > 0)
    return Error(Errc::conflict,
                 concat("container ", short_id(live.id), " has just been started: try again"));
  out.root = TRY(volumes ? open_with_volumes(host, container, RootUse::write)
                         : open_bare(host, container, RootUse::write));
  return out;
}

}  // namespace minke::engine
