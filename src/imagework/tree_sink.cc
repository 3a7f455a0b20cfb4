#include "imagework/tree_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "imagework/extract.h"

namespace minke::imagework {
namespace {

using sys::UniqueFd;

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

std::pair<std::string, std::string> split_path(const std::string& path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

timespec time_spec(TimeNs time) {
  std::int64_t seconds = time / kSecond, rest = time % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  return {static_cast<time_t>(seconds), static_cast<long>(rest)};
}

Error failed(const char* call, const std::string& path) {
  return Error::from_errno(errno, concat(call, " ", path));
}

}  // namespace

std::string confined(std::string_view path) {
  std::vector<std::string> parts;
  for (std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..")
      parts.emplace_back(part);
    else if (!parts.empty())
      parts.pop_back();
  }
  return join(parts, "/");
}

Result<TreeSink> TreeSink::open(int root, const std::string& folder, PutOptions options,
                                std::vector<std::string>* notes) {
  auto found = sys::open_in_root(root, folder.empty() ? "." : folder.c_str(), kDirectory);
  if (!found && found.error().sys() == ENOENT && options.make_folder) {
    TreeSink whole = TRY(open(root, "", options, notes));
    TRY(whole.walk(confined(folder), true));
    found = sys::open_in_root(root, folder.c_str(), kDirectory);
  }
  UniqueFd top = TRY(std::move(found));
  return TreeSink(root, folder, std::move(top), std::move(options), notes);
}

void TreeSink::note(std::string text) {
  if (notes_->size() < 100) notes_->push_back(std::move(text));
}

// A folder of the tree below `parent`; a link is followed as the root's owner sees it.
Result<UniqueFd> TreeSink::enter(int parent, const std::string& path, const std::string& name) {
  UniqueFd fd(::openat(parent, name.c_str(), kDirectory | O_NOFOLLOW));
  if (fd) return fd;
  if (errno != ELOOP && errno != ENOTDIR) return failed("open", path);
  return sys::open_in_root(root_, concat(folder_, "/", path).c_str(), kDirectory);
}

Result<UniqueFd> TreeSink::walk(const std::string& path, bool create) {
  UniqueFd at = TRY(sys::duplicate(top_.get()));
  std::string so_far;
  for (std::string_view part : split(path, '/')) {
    if (part.empty()) continue;
    std::string name(part);
    so_far += concat(so_far.empty() ? "" : "/", name);
    auto next = enter(at.get(), so_far, name);
    if (!next && next.error().sys() == ENOENT && create) {
      if (::mkdirat(at.get(), name.c_str(), 0755) < 0 && errno != EEXIST)
        return failed("mkdir", so_far);
      Owner owner = TRY(give_owner(options_.owners, {}, so_far));
      next = enter(at.get(), so_far, name);
      if (next &&
          ::fchown(next->get(), static_cast<uid_t>(owner.uid), static_cast<gid_t>(owner.gid)) < 0)
        return failed("chown", so_far);
    }
    if (!next) return std::move(next.error());
    at = std::move(*next);
  }
  return at;
}

// Entries of one folder follow each other, so the last one is kept open.
Result<int> TreeSink::parent_of(const std::string& path, bool create) {
  if (path.empty()) return top_.get();
  if (cached_path_ != path) {
    cached_path_.reset();
    cached_ = TRY(walk(path, create));
    cached_path_ = path;
  }
  return cached_.get();
}

// Removes what stands at the name, unless it is a directory that may not go.
Status TreeSink::make_room(int parent, const std::string& name, const std::string& path) {
  struct stat st {};
  if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? Status() : failed("stat", path);
  if (!S_ISDIR(st.st_mode)) {
    if (::unlinkat(parent, name.c_str(), 0) < 0 && errno != ENOENT) return failed("remove", path);
    return {};
  }
  if (!options_.overwrite)
    return Error(Errc::already_exists,
                 concat("/", path, ": a directory is in its place (see --overwrite): file exists"));
  cached_path_.reset();
  sys::DirFd here(TRY(sys::duplicate(parent)));
  return sys::remove_tree_at(here, name.c_str());
}

// `create` is tried again once, after what was there has gone.
template <typename Make>
Status TreeSink::make(int parent, const std::string& name, const std::string& path, Make create) {
  if (create() >= 0) return {};
  if (errno != EEXIST) return failed("create", path);
  TRY(make_room(parent, name, path));
  if (create() >= 0) return {};
  return failed("create", path);
}

Status TreeSink::put(const TarEntry& entry, int fd, TarReader* reader) {
  std::string path = confined(entry.path);
  if (path.empty()) return {};  // the folder itself, which is there
  // No binding of both: clang takes none into a lambda.
  const auto parts = split_path(path);
  const std::string& name = parts.second;
  int parent = TRY(parent_of(parts.first, true));
  Owner owner = TRY(give_owner(options_.owners, {entry.uid, entry.gid}, path));
  switch (entry.type) {
    case TarEntry::Type::file:
      return put_file(entry, parent, name, path, owner, fd, reader);
    case TarEntry::Type::directory:
      return put_directory(entry, parent, name, path, owner);
    case TarEntry::Type::hard_link:
      return put_link(entry, parent, name, path);
    case TarEntry::Type::symlink:
      TRY(make(parent, name, path,
               [&] { return ::symlinkat(entry.link.c_str(), parent, name.c_str()); }));
      break;
    case TarEntry::Type::char_device:
    case TarEntry::Type::block_device:
      if (options_.skip_devices) {
        note(concat(path, ": a device is left out"));
        return {};
      }
      [[fallthrough]];
    case TarEntry::Type::fifo: {
      mode_t kind = entry.type == TarEntry::Type::fifo          ? S_IFIFO
                    : entry.type == TarEntry::Type::char_device ? S_IFCHR
                                                                : S_IFBLK;
      TRY(make(parent, name, path, [&] {
        return ::mknodat(parent, name.c_str(), kind | (entry.mode & 07777),
                         makedev(entry.major, entry.minor));
      }));
      break;
    }
  }
  // By name, but never through a link: another's file there would only get this owner and time.
  if (::fchownat(parent, name.c_str(), static_cast<uid_t>(owner.uid), static_cast<gid_t>(owner.gid),
                 AT_SYMLINK_NOFOLLOW) < 0)
    return failed("chown", path);
  timespec times[2] = {time_spec(entry.mtime), time_spec(entry.mtime)};
  if (::utimensat(parent, name.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0)
    return failed("set the times of", path);
  return {};
}

Status TreeSink::put_file(const TarEntry& entry, int parent, const std::string& name,
                          const std::string& path, Owner owner, int fd, TarReader* reader) {
  UniqueFd out;
  TRY(make(parent, name, path, [&] {
    out.reset(
        ::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    return out.get();
  }));
  if (reader != nullptr) {
    for (TarReader::Piece piece = TRY(reader->data()); !piece.bytes.empty();
         piece = TRY(reader->data())) {
      std::string_view rest = piece.bytes;
      for (auto at = static_cast<off_t>(piece.offset); !rest.empty();) {
        ssize_t n = ::pwrite(out.get(), rest.data(), rest.size(), at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed("write", path);
        rest.remove_prefix(static_cast<std::size_t>(n));
        at += n;
      }
    }
  } else if (!entry.sparse) {
    TRY(copy(fd, out.get(), {0, entry.size}, path));
  } else {
    for (const TarEntry::Extent& extent : entry.extents) TRY(copy(fd, out.get(), extent, path));
  }
  if (entry.sparse && ::ftruncate(out.get(), static_cast<off_t>(entry.size)) < 0)
    return failed("set the size of", path);
  // The owner first: chown takes set-id bits and capabilities away.
  if (::fchown(out.get(), static_cast<uid_t>(owner.uid), static_cast<gid_t>(owner.gid)) < 0)
    return failed("chown", path);
  TRY(set_xattrs(entry, out.get()));
  if (::fchmod(out.get(), entry.mode & 07777) < 0) return failed("chmod", path);
  timespec times[2] = {time_spec(entry.mtime), time_spec(entry.mtime)};
  if (::futimens(out.get(), times) < 0) return failed("set the times of", path);
  return {};
}

Status TreeSink::copy(int from, int to, TarEntry::Extent extent, const std::string& path) {
  auto in = static_cast<off_t>(extent.offset), out = in;
  std::uint64_t left = extent.size;
  while (left != 0) {
    ssize_t n = -1;
    if (can_copy_range_) {
      n = ::copy_file_range(from, &in, to, &out, std::min<std::uint64_t>(left, 1 << 30), 0);
      // Across kinds of file systems the kernel does not.
      if (n < 0 && errno != EINTR && errno != ENOSPC && errno != EDQUOT && errno != EIO)
        can_copy_range_ = false;
      else if (n < 0 && errno != EINTR)
        return failed("write", path);
    }
    if (n < 0) {
      n = ::pread(from, buffer_.data(), std::min<std::uint64_t>(left, buffer_.size()), in);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("read", path);
      ssize_t written = n > 0 ? ::pwrite(to, buffer_.data(), static_cast<std::size_t>(n), out) : 0;
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed("write", path);
      n = written;
      in += n;
      out += n;
    }
    if (n == 0) {
      note(concat(path, ": file shrank while it was read"));
      return {};
    }
    left -= static_cast<std::uint64_t>(n);
  }
  return {};
}

Status TreeSink::put_directory(const TarEntry& entry, int parent, const std::string& name,
                               const std::string& path, Owner owner) {
  bool made = ::mkdirat(parent, name.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return failed("mkdir", path);
  auto opened = enter(parent, path, name);
  if (!opened && (opened.error().sys() == ENOTDIR || opened.error().sys() == ELOOP ||
                  opened.error().sys() == ENOENT)) {
    if (!options_.overwrite)
      return Error(Errc::already_exists,
                   concat("/", path, ": a file is in its place (see --overwrite): file exists"));
    TRY(make_room(parent, name, path));
    if (::mkdirat(parent, name.c_str(), 0700) < 0) return failed("mkdir", path);
    opened = enter(parent, path, name);
  }
  UniqueFd dir = TRY(std::move(opened));
  if (::fchown(dir.get(), static_cast<uid_t>(owner.uid), static_cast<gid_t>(owner.gid)) < 0)
    return failed("chown", path);
  TRY(set_xattrs(entry, dir.get()));
  struct stat st {};
  if (::fstat(dir.get(), &st) < 0) return failed("stat", path);
  directories_.push_back({path, st.st_dev, st.st_ino, entry.mode & 07777, entry.mtime});
  return {};
}

Status TreeSink::put_link(const TarEntry& entry, int parent, const std::string& name,
                          const std::string& path) {
  const auto parts = split_path(confined(entry.link));
  UniqueFd from = TRY(walk(parts.first, false));
  return make(parent, name, path,
              [&] { return ::linkat(from.get(), parts.second.c_str(), parent, name.c_str(), 0); });
}

Status TreeSink::set_xattrs(const TarEntry& entry, int fd) {
  for (const auto& [name, raw] : entry.xattrs) {
    std::string value = raw;
    if (!accept_xattr(name, &value)) continue;
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0) continue;
    if (errno != EOPNOTSUPP && errno != EPERM)
      return failed("setxattr", concat(entry.path, ": ", name));
    note(concat(entry.path, ": the extended attribute ", name, " cannot be kept here"));
  }
  return {};
}

// The last first, so that no time is changed again by what is done below. One that was exchanged
// meanwhile is left as it is.
Status TreeSink::finish() {
  for (auto it = directories_.rbegin(); it != directories_.rend(); ++it) {
    auto dir = walk(it->path, false);
    struct stat st {};
    if (!dir || ::fstat(dir->get(), &st) < 0 || st.st_dev != it->device || st.st_ino != it->inode)
      continue;
    if (::fchmod(dir->get(), it->mode) < 0) return failed("chmod", it->path);
    timespec times[2] = {time_spec(it->mtime), time_spec(it->mtime)};
    if (::futimens(dir->get(), times) < 0) return failed("set the times of", it->path);
  }
  return {};
}

}  // namespace minke::imagework
