#include "engine/copy_tree.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr int kMaxDepth = 1024;
constexpr std::size_t kMaxHeldLinks =
    256;  // descriptors of files with several names; more are copied apart

std::string fd_path(int fd) { return concat("/proc/self/fd/", fd); }

struct Copier {
  const OwnerMap& uids;
  const OwnerMap& gids;
  TreeKind kind;
  std::map<std::pair<dev_t, ino_t>, sys::UniqueFd>
      links;          // first copy of a file with several names
  std::string where;  // what is being copied, from the root of the tree

  Status copy_dir(int source, int target, int depth);
  Status copy_entry(int source, int target, const char* name, int depth);
  Status copy_file(int source, int target, const char* name, const struct stat& st);
  Status copy_special(int source, int target, const char* name, const struct stat& st);
  Status copy_xattrs(int source, int target);
  Status set_owner(int target, const char* name, const struct stat& st);
};

// The path is told once, by who walks.
Error failed(const char* call) { return Error::from_errno(errno, call); }

Status Copier::set_owner(int target, const char* name, const struct stat& st) {
  auto uid = uids(st.st_uid), gid = gids(st.st_gid);
  if (!uid || !gid)
    return Error(Errc::invalid_argument,
                 concat("owner ", st.st_uid, ":", st.st_gid,
                        " is not mapped in the user namespace of the container: give ",
                        uid ? "" : concat("uid ", st.st_uid, " a place with --uidmap"),
                        uid || gid ? "" : " and ",
                        gid ? "" : concat("gid ", st.st_gid, " one with --gidmap")));
  if (::fchownat(target, name, *uid, *gid,
                 AT_SYMLINK_NOFOLLOW | (*name == '\0' ? AT_EMPTY_PATH : 0)) < 0)
    return failed("chown");
  return {};
}

// File capabilities count in the user namespace whose root they name; version 2 has no name and
// means the namespace of the file system. With an owner map they are written as version 3 for the
// mapped root.
void name_capability_root(const OwnerMap& uids, std::string* value) {
  auto root = uids(0);
  if (value->size() != XATTR_CAPS_SZ_2 || !root || *root == 0) return;
  auto magic = static_cast<unsigned char>((*value)[3]);
  if (magic != VFS_CAP_REVISION_2 >> 24) return;
  (*value)[3] = static_cast<char>(VFS_CAP_REVISION_3 >> 24);
  for (int shift = 0; shift < 32; shift += 8) *value += static_cast<char>(*root >> shift & 0xff);
}

// What the target file system has no place for stays behind.
Status Copier::copy_xattrs(int source, int target) {
  std::string names(4096, '\0');
  ssize_t size = ::flistxattr(source, names.data(), names.size());
  while (size < 0 && errno == ERANGE && names.size() < (1 << 16)) {
    names.resize(names.size() * 2);
    size = ::flistxattr(source, names.data(), names.size());
  }
  if (size < 0) return errno == EOPNOTSUPP ? Status() : failed("listxattr");
  for (std::string_view name :
       split(std::string_view(names.data(), static_cast<std::size_t>(size)), '\0')) {
    const bool overlay = name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.");
    if (name.empty() || name == "security.selinux" || (overlay && kind == TreeKind::plain))
      continue;
    std::string key(name), value(XATTR_SIZE_MAX, '\0');
    ssize_t length = ::fgetxattr(source, key.c_str(), value.data(), value.size());
    if (length < 0) continue;
    value.resize(static_cast<std::size_t>(length));
    if (name == "security.capability") name_capability_root(uids, &value);
    if (::fsetxattr(target, key.c_str(), value.data(), value.size(), 0) < 0 &&
        errno != EOPNOTSUPP && errno != EPERM)
      return failed(concat("setxattr ", key).c_str());
  }
  return {};
}

// Data only where the source has some, so that holes stay holes.
Status copy_data(int source, int target, off_t size) {
  off_t at = 0;
  while (at < size) {
    off_t data = ::lseek(source, at, SEEK_DATA);
    if (data < 0) break;  // ENXIO: a hole up to the end
    off_t hole = ::lseek(source, data, SEEK_HOLE);
    if (hole < 0) hole = size;
    while (data < hole) {
      off_t out = data;
      ssize_t n =
          ::copy_file_range(source, &data, target, &out, static_cast<std::size_t>(hole - data), 0);
      if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
        static thread_local char buffer[1 << 16];
        n = ::pread(source, buffer,
                    std::min<std::size_t>(sizeof buffer, static_cast<std::size_t>(hole - data)),
                    data);
        if (n > 0) n = ::pwrite(target, buffer, static_cast<std::size_t>(n), data);
        if (n > 0) data += n;
      }
      if (n < 0) return Error::from_errno(errno, "copy file data");
      if (n == 0) break;  // shortened meanwhile
    }
    at = hole;
  }
  if (::ftruncate(target, size) < 0) return Error::from_errno(errno, "set file size");
  return {};
}

Status set_times(int target, const struct stat& st) {
  const timespec times[2] = {st.st_atim, st.st_mtim};
  if (::futimens(target, times) < 0) return Error::from_errno(errno, "set file times");
  return {};
}

Status Copier::copy_file(int source, int target, const char* name, const struct stat& seen) {
  const std::pair<dev_t, ino_t> key(seen.st_dev, seen.st_ino);
  if (seen.st_nlink > 1) {
    auto first = links.find(key);
    if (first != links.end()) {
      // By descriptor, as the first name may have been exchanged since.
      if (::linkat(AT_FDCWD, fd_path(first->second.get()).c_str(), target, name,
                   AT_SYMLINK_FOLLOW) < 0)
        return failed("link");
      return {};
    }
  }
  sys::UniqueFd in(::openat(source, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!in) return failed("open");
  struct stat st {};
  if (::fstat(in.get(), &st) < 0 || !S_ISREG(st.st_mode))
    return Error(Errc::io, "changed while it was copied");
  sys::UniqueFd out(
      ::openat(target, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!out) return failed("create");
  TRY(copy_data(in.get(), out.get(), st.st_size));
  TRY(set_owner(out.get(), "", st));
  // After the owner: chown takes set-id bits and capabilities away.
  TRY(copy_xattrs(in.get(), out.get()));
  if (::fchmod(out.get(), st.st_mode & 07777) < 0) return failed("chmod");
  TRY(set_times(out.get(), st));
  if (st.st_nlink > 1 && links.size() < kMaxHeldLinks) links.emplace(key, std::move(out));
  return {};
}

Status Copier::copy_special(int source, int target, const char* name, const struct stat& st) {
  if (S_ISLNK(st.st_mode)) {
    std::string link(PATH_MAX, '\0');
    ssize_t size = ::readlinkat(source, name, link.data(), link.size());
    if (size < 0) return failed("readlink");
    link.resize(static_cast<std::size_t>(size));
    if (::symlinkat(link.c_str(), target, name) < 0) return failed("symlink");
    TRY(set_owner(target, name, st));
    const timespec times[2] = {st.st_atim, st.st_mtim};
    ::utimensat(target, name, times, AT_SYMLINK_NOFOLLOW);
    return {};
  }
  const bool whiteout = S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
  if (whiteout && kind == TreeKind::plain) return {};
  if (S_ISSOCK(st.st_mode)) return {};  // means nothing without its process
  if (::mknodat(target, name, st.st_mode & (S_IFMT | 07777), st.st_rdev) < 0) {
    // No device nodes in a user namespace; the image could not use them either.
    if (errno == EPERM && !S_ISFIFO(st.st_mode) && !whiteout) return {};
    return failed("mknod");
  }
  TRY(set_owner(target, name, st));
  if (::fchmodat(target, name, st.st_mode & 07777, 0) < 0) return failed("chmod");
  return {};
}

Status Copier::copy_entry(int source, int target, const char* name, int depth) {
  struct stat st {};
  if (::fstatat(source, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return failed("stat");
  if (S_ISREG(st.st_mode)) return copy_file(source, target, name, st);
  if (!S_ISDIR(st.st_mode)) return copy_special(source, target, name, st);
  if (depth >= kMaxDepth) return Error(Errc::invalid_argument, "folders are nested too deeply");
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  sys::UniqueFd in(::openat(source, name, kFlags));
  if (!in) return failed("open");
  if (::mkdirat(target, name, 0700) < 0) return failed("mkdir");
  sys::UniqueFd out(::openat(target, name, kFlags));
  if (!out) return failed("open");
  TRY(copy_dir(in.get(), out.get(), depth + 1));
  return copy_directory_attributes(in.get(), out.get(), uids, gids, kind);
}

Status Copier::copy_dir(int source, int target, int depth) {
  sys::DirFd dir(TRY(sys::duplicate(source)));
  const std::size_t here = where.size();
  for (const std::string& name : TRY(sys::list_dir(dir))) {
    where += concat("/", name);
    TRY(copy_entry(source, target, name.c_str(), depth));
    where.resize(here);
  }
  return {};
}

}  // namespace

Status copy_directory_attributes(int source, int target, const OwnerMap& uids, const OwnerMap& gids,
                                 TreeKind kind) {
  struct stat st {};
  if (::fstat(source, &st) < 0) return failed("stat");
  Copier copier{uids, gids, kind, {}, {}};
  TRY(copier.set_owner(target, "", st));
  TRY(copier.copy_xattrs(source, target));
  if (::fchmod(target, st.st_mode & 07777) < 0) return failed("chmod");
  return set_times(target, st);
}

Status copy_tree(int source, int target, const OwnerMap& uids, const OwnerMap& gids,
                 TreeKind kind) {
  Copier copier{uids, gids, kind, {}, {}};
  Status copied = copier.copy_dir(source, target, 0);
  if (copied) return {};
  sys::DirFd made(TRY(sys::duplicate(target)));
  if (auto names = sys::list_dir(made))
    for (const std::string& name : *names)
      ignore(sys::remove_tree_at(made, name.c_str()), "the first failure counts");
  return std::move(copied.error()).wrap(copier.where);
}

static Status chown_dir(int dir, std::uint32_t uid, std::uint32_t gid, int depth) {
  if (depth >= kMaxDepth) return Error(Errc::invalid_argument, "folders are nested too deeply");
  sys::DirFd folder(TRY(sys::duplicate(dir)));
  for (const std::string& name : TRY(sys::list_dir(folder))) {
    struct stat st {};
    if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) continue;  // went away
    if (S_ISDIR(st.st_mode)) {
      sys::UniqueFd below(
          ::openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!below) {
        if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR)
          continue;  // exchanged meanwhile: not ours
        return failed("open");
      }
      TRY_CTX(chown_dir(below.get(), uid, gid, depth + 1), name);
    } else if (st.st_uid != uid || st.st_gid != gid) {
      if (::fchownat(dir, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
        return failed("chown");
    }
  }
  if (::fchown(dir, uid, gid) < 0) return failed("chown");
  return {};
}

Status chown_tree(int dir, std::uint32_t uid, std::uint32_t gid) {
  return chown_dir(dir, uid, gid, 0);
}

}  // namespace minke::engine
