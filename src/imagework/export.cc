// export: a tree as tar, walked by descriptor so that nothing that moves meanwhile leads outside of
// it.
#include <dirent.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>

#include "base/str.h"
#include "codec/tar_writer.h"
#include "imagework/source.h"
#include "imagework/verbs.h"

namespace minke::imagework {
namespace {

using sys::UniqueFd;

constexpr int kMaxDepth = 2048;
constexpr std::size_t kBufferSize = 256 << 10;

TimeNs time_of(const struct timespec& t) {
  return static_cast<TimeNs>(t.tv_sec) * kSecond + t.tv_nsec;
}

std::uint64_t mount_id(int dir, const char* name) {
  struct statx st {};
  long rc = ::syscall(SYS_statx, dir, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_MNT_ID, &st);
  return rc == 0 && (st.stx_mask & STATX_MNT_ID) != 0 ? st.stx_mnt_id : 0;
}

class Exporter {
 public:
  Exporter(int output, std::vector<std::string>* notes)
      : sink_(output), writer_(sink_), notes_(notes), buffer_(kBufferSize) {}

  Status run(int root) {
    root_mount_ = mount_id(root, "");
    int fd = ::openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Error::from_errno(errno, "open the root");
    TRY(walk(UniqueFd(fd), "", 0));
    TRY(writer_.finish());
    return sink_.flush();
  }

 private:
  Status walk(UniqueFd dir, const std::string& path, int depth) {
    if (depth > kMaxDepth)
      return Error(Errc::unsupported, concat(quote(path.substr(0, 100)), ": nested too deep"));
    int copy = ::fcntl(dir.get(), F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return Error::from_errno(errno, "dup");
    std::vector<std::string> names = TRY(sys::list_dir(sys::DirFd(UniqueFd(copy))));
    for (const std::string& name : names) {
      Status done = one(dir.get(), name, path.empty() ? name : concat(path, "/", name), depth);
      // What goes away while the container runs is not an error.
      if (!done && done.error().sys() != ENOENT) return done;
    }
    return {};
  }

  Status one(int dir, const std::string& name, const std::string& path, int depth) {
    struct stat st {};
    if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
      return Error::from_errno(errno, concat("stat ", path));
    TarEntry entry;
    entry.path = path;
    entry.mode = st.st_mode & 07777;
    entry.uid = st.st_uid;
    entry.gid = st.st_gid;
    entry.mtime = time_of(st.st_mtim);
    switch (st.st_mode & S_IFMT) {
      case S_IFDIR:
        return directory(dir, name, path, std::move(entry), depth);
      case S_IFREG:
        return file(dir, name, path, std::move(entry), st);
      case S_IFLNK: {
        std::string target(static_cast<std::size_t>(PATH_MAX), '\0');
        ssize_t n = ::readlinkat(dir, name.c_str(), target.data(), target.size());
        if (n < 0) return Error::from_errno(errno, concat("readlink ", path));
        target.resize(static_cast<std::size_t>(n));
        entry.type = TarEntry::Type::symlink;
        entry.link = std::move(target);
        break;
      }
      case S_IFCHR:
      case S_IFBLK:
        entry.type =
            S_ISCHR(st.st_mode) ? TarEntry::Type::char_device : TarEntry::Type::block_device;
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
    return writer_.add(entry);
  }

  // True when another name of the same file is in the archive already: `entry` becomes a hard link.
  bool linked_before(const struct stat& st, TarEntry* entry) {
    if (st.st_nlink < 2) return false;
    auto [it, fresh] = seen_.try_emplace({st.st_dev, st.st_ino}, entry->path);
    if (fresh) return false;
    entry->type = TarEntry::Type::hard_link;
    entry->link = it->second;
    entry->size = 0;
    return true;
  }

  Status directory(int dir, const std::string& name, const std::string& path, TarEntry entry,
                   int depth) {
    int raw = ::openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (raw < 0) return Error::from_errno(errno, concat("open ", path));
    UniqueFd fd(raw);
    entry.type = TarEntry::Type::directory;
    entry.path += '/';
    TRY(read_xattrs(fd.get(), &entry));
    TRY(writer_.add(entry));
    if (mount_id(fd.get(), "") != root_mount_) return {};
    return walk(std::move(fd), path, depth + 1);
  }

  Status file(int dir, const std::string& name, const std::string& path, TarEntry entry,
              const struct stat& seen) {
    if (linked_before(seen, &entry)) return writer_.add(entry);
    // NONBLOCK: it may have become a fifo since the look at it.
    int raw = ::openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (raw < 0) return Error::from_errno(errno, concat("open ", path));
    UniqueFd fd(raw);
    struct stat st {};
    if (::fstat(raw, &st) < 0) return Error::from_errno(errno, concat("stat ", path));
    if (!S_ISREG(st.st_mode)) return {};
    entry.size = static_cast<std::uint64_t>(st.st_size);
    TRY(read_xattrs(raw, &entry));
    find_extents(raw, st, &entry);
    TRY(writer_.add(entry));
    if (!entry.sparse) entry.extents = {{0, entry.size}};
    for (const TarEntry::Extent& extent : entry.extents) TRY(copy_extent(raw, extent, path));
    return {};
  }

  Status copy_extent(int fd, TarEntry::Extent extent, const std::string& path) {
    while (extent.size != 0) {
      std::size_t want = std::min<std::uint64_t>(extent.size, buffer_.size());
      ssize_t n;
      do {
        n = ::pread(fd, buffer_.data(), want, static_cast<off_t>(extent.offset));
      } while (n < 0 && errno == EINTR);
      if (n < 0) return Error::from_errno(errno, concat("read ", path));
      // A file that shrinks while it is read: the header has promised its size, so zeros follow.
      if (n == 0) {
        std::fill_n(buffer_.begin(), want, '\0');
        n = static_cast<ssize_t>(want);
        if (notes_->size() < 100)
          notes_->push_back(concat(path, ": file shrank while it was read"));
      }
      TRY(writer_.data({buffer_.data(), static_cast<std::size_t>(n)}));
      extent.offset += static_cast<std::uint64_t>(n);
      extent.size -= static_cast<std::uint64_t>(n);
    }
    return {};
  }

  // Only when blocks are missing: asking for holes costs two calls for each stretch.
  void find_extents(int fd, const struct stat& st, TarEntry* entry) {
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
      extents.push_back(
          {static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)});
      if (extents.size() > kMaxExtents) return;
      at = hole;
    }
    if (extents.size() == 1 && extents[0].size == entry->size) return;
    entry->sparse = true;
    entry->extents = std::move(extents);
  }

  Status read_xattrs(int fd, TarEntry* entry) {
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
      entry->xattrs.emplace_back(std::move(name), std::move(value));
    }
    std::sort(entry->xattrs.begin(), entry->xattrs.end());
    return {};
  }

  BufferedSink sink_;
  TarWriter writer_;
  std::vector<std::string>* notes_;
  std::vector<char> buffer_;
  std::uint64_t root_mount_ = 0;
  std::map<std::pair<dev_t, ino_t>, std::string> seen_;
};

}  // namespace

Status export_tree(int root, int output, std::vector<std::string>* notes) {
  return Exporter(output, notes).run(root);
}

}  // namespace minke::imagework
