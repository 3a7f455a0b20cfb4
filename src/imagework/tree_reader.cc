#include "imagework/tree_reader.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/str.h"

namespace minke::imagework {
namespace {

using sys::UniqueFd;

constexpr int kMaxDepth = 2048;

TimeNs time_of(const struct timespec& t) {
  return static_cast<TimeNs>(t.tv_sec) * kSecond + t.tv_nsec;
}

std::uint64_t mount_id(int dir, const char* name) {
  struct statx st {};
  long rc = ::syscall(SYS_statx, dir, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_MNT_ID, &st);
  return rc == 0 && (st.stx_mask & STATX_MNT_ID) != 0 ? st.stx_mnt_id : 0;
}

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

TarEntry entry_of(const struct stat& st) {
  TarEntry entry;
  entry.mode = st.st_mode & 07777;
  entry.uid = st.st_uid;
  entry.gid = st.st_gid;
  entry.mtime = time_of(st.st_mtim);
  return entry;
}

// Capabilities of files say in version 3 whose root they are for; an archive has no user namespace.
void drop_capability_root(std::string* value) {
  if (value->size() != XATTR_CAPS_SZ_3) return;
  (*value)[3] = static_cast<char>(VFS_CAP_REVISION_2 >> 24);
  value->resize(XATTR_CAPS_SZ_2);
}

std::optional<std::uint64_t> map_id(const std::vector<store::WorkerIdRange>& map,
                                    std::uint64_t id) {
  if (map.empty()) return id;
  for (const store::WorkerIdRange& range : map)
    if (id >= range.from && id - range.from < range.count) return range.to + (id - range.from);
  return std::nullopt;
}

}  // namespace

Result<Owner> give_owner(const store::WorkerOwners& rule, Owner from, std::string_view path) {
  if (rule.fixed) return Owner{rule.uid, rule.gid};
  auto uid = map_id(rule.uids, from.uid), gid = map_id(rule.gids, from.gid);
  if (!uid || !gid)
    return Error(Errc::invalid_argument,
                 concat(path, ": owner ", from.uid, ":", from.gid,
                        " is not mapped in the user namespace of the container"));
  return Owner{*uid, *gid};
}

void TreeReader::note(std::string text) {
  if (notes_->size() < 100) notes_->push_back(std::move(text));
}

std::string TreeReader::full(const std::string& path) const {
  if (options_.name.empty()) return path;
  return path.empty() ? options_.name : concat(options_.name, "/", path);
}

Status TreeReader::add(TarEntry entry, int fd) {
  Owner owner = TRY(give_owner(options_.owners, {entry.uid, entry.gid}, entry.path));
  entry.uid = owner.uid;
  entry.gid = owner.gid;
  return sink_.add(entry, fd);
}

Status TreeReader::read(int source) {
  struct stat st {};
  if (::fstat(source, &st) < 0) return Error::from_errno(errno, "stat the source");
  if (S_ISDIR(st.st_mode)) {
    root_mount_ = mount_id(source, "");
    int fd = ::openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Error::from_errno(errno, concat("open ", full("")));
    UniqueFd dir(fd);
    if (!options_.name.empty()) {
      TarEntry entry = entry_of(st);
      entry.type = TarEntry::Type::directory;
      entry.path = concat(options_.name, "/");
      TRY(read_xattrs(fd, &entry));
      TRY(add(std::move(entry), -1));
    }
    return walk(std::move(dir), "", 0);
  }
  TarEntry entry = entry_of(st);
  entry.path = options_.name;
  if (S_ISREG(st.st_mode)) {
    st.st_nlink = 1;  // its other names are not asked for
    return open_file(source, st, std::move(entry));
  }
  if (S_ISFIFO(st.st_mode)) {
    entry.type = TarEntry::Type::fifo;
  } else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
    entry.type = S_ISCHR(st.st_mode) ? TarEntry::Type::char_device : TarEntry::Type::block_device;
    entry.major = major(st.st_rdev);
    entry.minor = minor(st.st_rdev);
  } else {
    return Error(Errc::unsupported, concat(options_.name, ": a socket cannot be copied"));
  }
  return add(std::move(entry), -1);
}

Status TreeReader::walk(UniqueFd dir, const std::string& path, int depth) {
  if (depth > kMaxDepth)
    return Error(Errc::unsupported, concat(quote(path.substr(0, 100)), ": nested too deep"));
  UniqueFd copy = TRY(sys::duplicate(dir.get()));
  std::vector<std::string> names = TRY(sys::list_dir(sys::DirFd(std::move(copy))));
  for (const std::string& name : names) {
    if (depth == 0 && options_.container_root && (name == "dev" || name == "proc" || name == "sys"))
      continue;
    Status done = one(dir.get(), name, path.empty() ? name : concat(path, "/", name), depth);
    // What goes away while the container runs is not an error.
    if (!done && done.error().sys() != ENOENT) return done;
  }
  return {};
}

Status TreeReader::whiteout(const std::string& path) {
  std::size_t slash = path.rfind('/') + 1;
  TarEntry entry;
  entry.path = concat(path.substr(0, slash), ".wh.", path.substr(slash));
  return sink_.add(entry, -1);
}

Status TreeReader::one(int dir, const std::string& name, const std::string& path, int depth) {
  struct stat st {};
  if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::from_errno(errno, concat("stat ", path));
  if (options_.skip && options_.skip(path, S_ISDIR(st.st_mode))) return {};
  if (options_.layer && is_whiteout(st)) return whiteout(path);
  TarEntry entry = entry_of(st);
  entry.path = full(path);
  switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
      return directory(dir, name, path, std::move(entry), depth);
    case S_IFREG:
      return file(dir, name, std::move(entry), st);
    case S_IFLNK: {
      entry.type = TarEntry::Type::symlink;
      sys::DirFd here(TRY(sys::duplicate(dir)));
      entry.link = TRY(sys::read_link_at(here, name.c_str()));
      break;
    }
    case S_IFCHR:
    case S_IFBLK:
      entry.type = S_ISCHR(st.st_mode) ? TarEntry::Type::char_device : TarEntry::Type::block_device;
      entry.major = major(st.st_rdev);
      entry.minor = minor(st.st_rdev);
      break;
    case S_IFIFO:
      entry.type = TarEntry::Type::fifo;
      break;
    default:
      return {};  // sockets have no place in a tar
  }
  linked_before(st, &entry);
  return add(std::move(entry), -1);
}

// True when another name of the same file was there already: `entry` becomes a hard link.
bool TreeReader::linked_before(const struct stat& st, TarEntry* entry) {
  if (st.st_nlink < 2) return false;
  auto [it, fresh] = seen_.try_emplace({st.st_dev, st.st_ino}, entry->path);
  if (fresh) return false;
  entry->type = TarEntry::Type::hard_link;
  entry->link = it->second;
  entry->size = 0;
  return true;
}

Status TreeReader::directory(int dir, const std::string& name, const std::string& path,
                             TarEntry entry, int depth) {
  int raw = ::openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (raw < 0) return Error::from_errno(errno, concat("open ", path));
  UniqueFd fd(raw);
  struct statfs fs {};
  bool kernel = ::fstatfs(raw, &fs) == 0 &&
                (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
                 fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC);
  entry.type = TarEntry::Type::directory;
  entry.path += '/';
  TRY(read_xattrs(fd.get(), &entry));
  TRY(add(std::move(entry), -1));
  // ".wh..wh..opq": all that the layers below have here is hidden.
  if (options_.opaque.contains(path)) TRY(whiteout(concat(path, "/.wh..opq")));
  if (kernel || (options_.one_mount && mount_id(fd.get(), "") != root_mount_)) return {};
  return walk(std::move(fd), path, depth + 1);
}

Status TreeReader::file(int dir, const std::string& name, TarEntry entry, const struct stat& seen) {
  if (linked_before(seen, &entry)) return add(std::move(entry), -1);
  // NONBLOCK: it may have become a fifo since the look at it.
  int raw = ::openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (raw < 0) return Error::from_errno(errno, concat("open ", entry.path));
  UniqueFd fd(raw);
  struct stat st {};
  if (::fstat(raw, &st) < 0) return Error::from_errno(errno, concat("stat ", entry.path));
  if (!S_ISREG(st.st_mode)) return {};
  return open_file(raw, st, std::move(entry));
}

Status TreeReader::open_file(int fd, const struct stat& st, TarEntry entry) {
  entry.size = static_cast<std::uint64_t>(st.st_size);
  TRY(read_xattrs(fd, &entry));
  find_extents(fd, st, &entry);
  return add(std::move(entry), fd);
}

// Only when blocks are missing: asking for holes costs two calls for each stretch.
void TreeReader::find_extents(int fd, const struct stat& st, TarEntry* entry) {
  constexpr std::size_t kMaxExtents = 1 << 16;
  if (st.st_blocks * 512 >= st.st_size) return;
  std::vector<TarEntry::Extent> extents;
  for (off_t at = 0; at < st.st_size;) {
    off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return;  // this file system cannot say
    if (data < 0 || data >= st.st_size) break;
    off_t hole = ::lseek(fd, data, SEEK_HOLE);
    if (hole < 0) return;
    hole = std::min(hole, st.st_size);
    extents.push_back({static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)});
    if (extents.size() > kMaxExtents) return;
    at = hole;
  }
  if (extents.size() == 1 && extents[0].size == entry->size) return;
  entry->sparse = true;
  entry->extents = std::move(extents);
}

Status TreeReader::read_xattrs(int fd, TarEntry* entry) {
  char names[64 << 10];
  ssize_t length = ::flistxattr(fd, names, sizeof names);
  if (length < 0) {
    if (errno == ENOTSUP) return {};
    return Error::from_errno(errno, concat("list the extended attributes of ", entry->path));
  }
  std::string_view rest(names, static_cast<std::size_t>(length));
  while (!rest.empty()) {
    std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    // Overlay's own marks and the host's labels say nothing elsewhere.
    if (name != "security.capability" && !name.starts_with("system.posix_acl_") &&
        (!name.starts_with("user.") || name.starts_with("user.overlay.")))
      continue;
    std::string value(std::size_t{64} << 10, '\0');
    ssize_t n = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (n < 0 && (errno == ENODATA || errno == ENOTSUP)) continue;
    if (n < 0)
      return Error::from_errno(errno,
                               concat("read the extended attribute ", name, " of ", entry->path));
    value.resize(static_cast<std::size_t>(n));
    if (name == "security.capability") drop_capability_root(&value);
    entry->xattrs.emplace_back(std::move(name), std::move(value));
  }
  std::sort(entry->xattrs.begin(), entry->xattrs.end());
  return {};
}

}  // namespace minke::imagework
