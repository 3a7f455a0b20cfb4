#include "imagework/extract.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/str.h"

namespace minke::imagework {
namespace {

using sys::DirFd;
using sys::UniqueFd;

constexpr std::string_view kWhiteout = ".wh.", kWhiteoutMeta = ".wh..wh.",
                           kOpaqueMark = ".wh..wh..opq";
// What AUFS left in old layers beside its whiteouts; it has no meaning elsewhere.
constexpr std::string_view kAufsLeftovers[] = {".wh..wh.plnk", ".wh..wh.orph", ".wh..wh.aufs"};

std::string shown(std::string_view path) { return quote(path.substr(0, 300)); }

Error refuse(const TarEntry& entry, std::string_view why) {
  return {Errc::invalid_argument, concat("layer entry ", shown(entry.path), ": ", why)};
}

Error failed(const TarEntry& entry, std::string_view what, int err) {
  return Error::from_errno(err, concat("layer entry ", shown(entry.path), ": ", what));
}

std::string folder_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

timespec to_timespec(TimeNs time) {
  std::int64_t seconds = time / kSecond, ns = time % kSecond;
  if (ns < 0) {
    ns += kSecond;
    --seconds;
  }
  return {seconds, ns};
}

Status set_times(const TarEntry& entry, int dir, const char* name, TimeNs atime, TimeNs mtime) {
  timespec times[2] = {to_timespec(atime), to_timespec(mtime)};
  int rc =
      name == nullptr ? ::futimens(dir, times) : ::utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
  if (rc < 0) return failed(entry, "set times", errno);
  return {};
}

TimeNs atime_of(const TarEntry& entry) { return entry.has_atime ? entry.atime : entry.mtime; }

bool is_whiteout(const struct stat& st) { return S_ISCHR(st.st_mode) && st.st_rdev == 0; }

// An error of the resolution of a path inside the layer, in words.
Error resolve_error(const TarEntry& entry, Error error) {
  switch (error.sys()) {
    case EXDEV:
      return refuse(entry, "its path leaves the layer through a symbolic link");
    case ELOOP:
      return refuse(entry, "its path is a loop of symbolic links");
    case ENOTDIR:
      return refuse(entry, "its parent is not a directory");
    case ENAMETOOLONG:
      return refuse(entry, "its path is too long");
    default:
      return std::move(error).wrap(concat("layer entry ", shown(entry.path)));
  }
}

}  // namespace

Result<std::string> clean_path(std::string_view path, std::size_t max) {
  auto bad = [&](std::string_view why) {
    return Error(Errc::invalid_argument, concat("layer entry ", shown(path), ": ", why));
  };
  if (path.empty()) return bad("an empty path");
  if (path.size() > max) return bad("its path is too long");
  if (path.front() == '/') return bad("an absolute path");
  if (path.find('\0') != std::string_view::npos) return bad("a NUL in its path");
  std::string out;
  for (std::string_view component : split(path, '/')) {
    if (component.empty() || component == ".") continue;
    if (component == "..") return bad("a path with \"..\"");
    if (component.size() > 255) return bad("a name longer than 255 bytes");
    if (!out.empty()) out += '/';
    out += component;
  }
  return out;
}

bool accept_xattr(std::string_view name, std::string* value) {
  if (name == "security.capability") {
    // vfs_cap_data: version in the top byte, then 12, 20 or 24 bytes in all.
    constexpr char kVersion1 = 1, kVersion2 = 2, kVersion3 = 3;
    if (value->size() < 4) return false;
    char version = (*value)[3];
    if (version == kVersion3 && value->size() == 24) {
      (*value)[3] = kVersion2;
      value->resize(20);
      return true;
    }
    return (version == kVersion2 && value->size() == 20) ||
           (version == kVersion1 && value->size() == 12);
  }
  if (name == "system.posix_acl_access" || name == "system.posix_acl_default") return true;
  // With userxattr overlay obeys user.overlay.*: an image must not redirect or hide paths by them.
  return name.starts_with("user.") && !name.starts_with("user.overlay.");
}

void Extractor::note(std::string text) {
  if (notes_.size() < 100 && noted_.insert(text).second) notes_.push_back(std::move(text));
}

Status Extractor::owner_error(const TarEntry& entry, int err) const {
  if (err != EINVAL && err != EPERM && err != EOVERFLOW) return failed(entry, "set the owner", err);
  return Error(
      Errc::invalid_argument,
      concat(
          "potentially insufficient UIDs or GIDs available in user namespace (requested ",
          entry.uid, ":", entry.gid, " for /", entry.path.substr(0, 300),
          "): Check /etc/subuid and /etc/subgid if configured locally: lchown: ", ::strerror(err)));
}

// Makes the missing directories of `path`, one after the other.
Status Extractor::make_parents(const std::string& path) {
  TRY(count_entry());
  Parent above;
  int parent = TRY(open_parent(&above, folder_of(path), true));
  const char* name =
      path.c_str() + (path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
  struct stat st {};
  if (::fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && layer_ && is_whiteout(st)) {
    if (::unlinkat(parent, name, 0) < 0)
      return Error::from_errno(errno, concat("unlink ", shown(path)));
    if (::mkdirat(parent, name, 0755) < 0)
      return Error::from_errno(errno, concat("mkdir ", shown(path)));
    TRY(add_opaque(path));
  } else if (::mkdirat(parent, name, 0755) < 0) {
    return Error::from_errno(errno, concat("mkdir ", shown(path)));
  }
  implied_.insert(path);
  return {};
}

Result<int> Extractor::open_parent(Parent* cache, const std::string& path, bool create) {
  if (path.empty()) return diff_;
  if (cache->fd && cache->path == path) return cache->fd.get();
  cache->fd.reset();
  auto fd = sys::open_beneath(diff_, path.c_str(), O_PATH | O_DIRECTORY);
  bool replaceable = !fd && (fd.error().sys() == ENOENT || fd.error().sys() == ENOTDIR);
  if (replaceable && create) {
    Status made = make_parents(path);
    if (!made) {
      // Something else is in the way: say what the first look said.
      if (made.error().sys() == EEXIST) return std::move(fd.error());
      return std::move(made.error());
    }
    fd = sys::open_beneath(diff_, path.c_str(), O_PATH | O_DIRECTORY);
  }
  if (!fd) return std::move(fd.error());
  cache->path = path;
  cache->fd = std::move(*fd);
  return cache->fd.get();
}

Status Extractor::add_opaque(const std::string& path) {
  if (path.empty()) {
    root_opaque_ = true;
    return {};
  }
  opaque_.insert(path);
  if (opaque_.size() > limits_.opaque)
    return Error(Errc::invalid_argument, "layer: too many opaque directories");
  return {};
}

Status Extractor::clear_place(int parent, const char* name, bool* hidden) {
  struct stat st {};
  if (::fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::from_errno(errno, concat("stat ", name));
  *hidden = layer_ && is_whiteout(st);
  if (S_ISDIR(st.st_mode)) {
    // It may lie in what goes; parent_ cannot, it is the folder of the name.
    link_parent_.fd.reset();
  } else {
    if (::unlinkat(parent, name, 0) < 0) return Error::from_errno(errno, concat("unlink ", name));
    return {};
  }
  int copy = ::fcntl(parent, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return Error::from_errno(errno, "dup");
  DirFd dir{UniqueFd(copy)};
  return sys::remove_tree_at(dir, name);
}

// A name of a lower layer that is not there any more: overlay's mark is a character device 0:0,
// which the kernel (5.8 and later) also lets a user namespace make.
Status Extractor::whiteout(const std::string& folder, std::string_view name) {
  int parent = TRY(open_parent(&parent_, folder, true));
  std::string text(name);
  if (::mknodat(parent, text.c_str(), S_IFCHR | 0, 0) == 0) return {};
  if (errno != EEXIST) return Error::from_errno(errno, concat("whiteout of ", shown(name)));
  // Whiteouts speak of the layers below only: what this layer itself brings stays.
  struct stat st {};
  if (::fstatat(parent, text.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::from_errno(errno, concat("stat ", text));
  if (S_ISDIR(st.st_mode)) return add_opaque(folder.empty() ? text : concat(folder, "/", name));
  return {};
}

Status Extractor::set_xattrs(const TarEntry& entry, int fd) {
  for (const auto& [name, original] : entry.xattrs) {
    std::string value = original;
    if (!accept_xattr(name, &value)) {
      note(concat("extended attribute ", name.substr(0, 100), " left out"));
      continue;
    }
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0) {
      if (name == "system.posix_acl_default") inherits_ = true;
      continue;
    }
    if (errno == ENOTSUP || errno == EPERM)
      note(concat("extended attribute ", name, " left out: ", ::strerror(errno)));
    else
      return failed(entry, concat("set the extended attribute ", name), errno);
  }
  return {};
}

// Owner, then mode: chown clears setuid and setgid. Both are skipped where creation has set them
// already.
Status Extractor::set_owner(const TarEntry& entry, int parent, const char* name, int fd) {
  auto uid = static_cast<uid_t>(entry.uid);
  auto gid = static_cast<gid_t>(entry.gid);
  if (uid != 0 || gid != 0 || inherits_) {
    int rc =
        fd >= 0 ? ::fchown(fd, uid, gid) : ::fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW);
    if (rc < 0) return owner_error(entry, errno);
  }
  bool takes_xattrs = entry.type == TarEntry::Type::file || entry.type == TarEntry::Type::directory;
  if (!takes_xattrs && !entry.xattrs.empty())
    note("extended attributes of links and nodes left out");
  if (entry.type == TarEntry::Type::symlink) return {};
  if ((entry.mode & 07000) != 0 || inherits_) {
    int rc = fd >= 0 ? ::fchmod(fd, entry.mode) : ::fchmodat(parent, name, entry.mode, 0);
    if (rc < 0) return failed(entry, "set the mode", errno);
  }
  return {};
}

Status Extractor::make_file(const TarEntry& entry, TarReader& reader, int parent,
                            const char* name) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int raw = ::openat(parent, name, kFlags, entry.mode & 0777);
  if (raw < 0 && errno == EEXIST) {
    bool hidden = false;
    TRY(clear_place(parent, name, &hidden));
    raw = ::openat(parent, name, kFlags, entry.mode & 0777);
  }
  if (raw < 0) return failed(entry, "create", errno);
  UniqueFd fd(raw);
  for (;;) {
    TarReader::Piece piece = TRY(reader.data());
    if (piece.bytes.empty()) break;
    bytes_ += piece.bytes.size();
    if (bytes_ > limits_.bytes)
      return refuse(entry, concat("the layer holds more than ", limits_.bytes, " bytes"));
    std::string_view rest = piece.bytes;
    auto at = static_cast<off_t>(piece.offset);
    while (!rest.empty()) {
      ssize_t n = entry.sparse ? ::pwrite(fd.get(), rest.data(), rest.size(), at)
                               : ::write(fd.get(), rest.data(), rest.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed(entry, "write", errno);
      rest.remove_prefix(static_cast<std::size_t>(n));
      at += n;
    }
  }
  if (entry.sparse && ::ftruncate(fd.get(), static_cast<off_t>(entry.size)) < 0)
    return failed(entry, concat("set the size ", entry.size), errno);
  TRY(set_owner(entry, parent, name, fd.get()));
  if (!entry.xattrs.empty()) TRY(set_xattrs(entry, fd.get()));
  return set_times(entry, fd.get(), nullptr, atime_of(entry), entry.mtime);
}

Status Extractor::make_directory(const TarEntry& entry, int parent, const char* name,
                                 const std::string& path) {
  bool merged = false;
  if (::mkdirat(parent, name, entry.mode & 0777) < 0) {
    if (errno != EEXIST) return failed(entry, "create", errno);
    struct stat st {};
    if (::fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return failed(entry, "stat", errno);
    merged = S_ISDIR(st.st_mode);
    if (!merged) {
      bool hidden = false;
      TRY(clear_place(parent, name, &hidden));
      if (::mkdirat(parent, name, entry.mode & 0777) < 0) return failed(entry, "create", errno);
      // "Gone below" and "here is a directory" together: this one shows nothing of what is below.
      if (hidden) TRY(add_opaque(path));
    }
  }
  implied_.erase(path);
  bool before = inherits_;
  inherits_ |= merged;
  TRY(set_owner(entry, parent, name, -1));
  inherits_ = before || (entry.mode & 02000) != 0;
  if (!entry.xattrs.empty()) {
    int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return failed(entry, "open", errno);
    UniqueFd owner(fd);
    TRY(set_xattrs(entry, fd));
  }
  directories_[path] = {atime_of(entry), entry.mtime};
  return {};
}

Status Extractor::make_hard_link(const TarEntry& entry, int parent, const char* name) {
  auto cleaned = clean_path(entry.link, limits_.path);
  if (!cleaned) return refuse(entry, "a hard link to outside of the layer");
  if (cleaned->empty()) return refuse(entry, "a hard link to a directory");
  auto folder = open_parent(&link_parent_, folder_of(*cleaned), false);
  if (!folder)
    return refuse(entry,
                  concat("a hard link to ", shown(entry.link), ", which is not in the layer"));
  const char* target =
      cleaned->c_str() + (cleaned->rfind('/') == std::string::npos ? 0 : cleaned->rfind('/') + 1);
  int rc = ::linkat(*folder, target, parent, name, 0);
  if (rc < 0 && errno == EEXIST) {
    struct stat old {
    }, now{};
    if (::fstatat(*folder, target, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
        ::fstatat(parent, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && old.st_ino == now.st_ino)
      return {};  // to itself, or said twice
    bool hidden = false;
    TRY(clear_place(parent, name, &hidden));
    folder = open_parent(&link_parent_, folder_of(*cleaned), false);
    if (!folder) return refuse(entry, "a hard link into itself");
    rc = ::linkat(*folder, target, parent, name, 0);
  }
  if (rc < 0 && errno == ENOENT)
    return refuse(entry,
                  concat("a hard link to ", shown(entry.link), ", which is not in the layer"));
  if (rc < 0 && errno == EPERM)
    return refuse(entry, concat("a hard link to ", shown(entry.link), ", which is a directory"));
  if (rc < 0) return failed(entry, "link", errno);
  return {};
}

Status Extractor::make_symlink(const TarEntry& entry, int parent, const char* name) {
  if (entry.link.empty()) return refuse(entry, "a symbolic link to nothing");
  if (::symlinkat(entry.link.c_str(), parent, name) < 0) {
    if (errno != EEXIST) return failed(entry, "create", errno);
    bool hidden = false;
    TRY(clear_place(parent, name, &hidden));
    if (::symlinkat(entry.link.c_str(), parent, name) < 0) return failed(entry, "create", errno);
  }
  TRY(set_owner(entry, parent, name, -1));
  return set_times(entry, parent, name, atime_of(entry), entry.mtime);
}

Status Extractor::make_node(const TarEntry& entry, int parent, const char* name) {
  mode_t type = entry.type == TarEntry::Type::fifo          ? S_IFIFO
                : entry.type == TarEntry::Type::char_device ? S_IFCHR
                                                            : S_IFBLK;
  if (type != S_IFIFO && rootless_) {
    note("device nodes left out: a user namespace cannot make them");
    return {};
  }
  dev_t device = type == S_IFIFO ? 0 : ::makedev(entry.major, entry.minor);
  if (::mknodat(parent, name, type | (entry.mode & 0777), device) < 0) {
    if (errno != EEXIST) return failed(entry, "create", errno);
    bool hidden = false;
    TRY(clear_place(parent, name, &hidden));
    if (::mknodat(parent, name, type | (entry.mode & 0777), device) < 0)
      return failed(entry, "create", errno);
  }
  TRY(set_owner(entry, parent, name, -1));
  return set_times(entry, parent, name, atime_of(entry), entry.mtime);
}

Status Extractor::set_root(const TarEntry& entry) {
  if (entry.type != TarEntry::Type::directory)
    return refuse(entry, "the layer's root is not a directory");
  if (::fchown(diff_, static_cast<uid_t>(entry.uid), static_cast<gid_t>(entry.gid)) < 0)
    return owner_error(entry, errno);
  if (::fchmod(diff_, entry.mode) < 0) return failed(entry, "set the mode", errno);
  inherits_ |= (entry.mode & 02000) != 0;
  directories_[""] = {atime_of(entry), entry.mtime};
  return set_xattrs(entry, diff_);
}

Status Extractor::apply_named(const TarEntry& entry, TarReader& reader, const std::string& path) {
  std::string folder = folder_of(path);
  const char* name = path.c_str() + (folder.empty() ? 0 : folder.size() + 1);
  std::string_view view = name;
  // A whiteout is a name, not a parent: what lies below one is nobody's.
  if (layer_ && folder.find(kWhiteout) != std::string::npos)
    for (std::string_view component : split(folder, '/')) {
      if (std::find(std::begin(kAufsLeftovers), std::end(kAufsLeftovers), component) !=
          std::end(kAufsLeftovers))
        return {};
      if (component.starts_with(kWhiteout)) return refuse(entry, "its parent is a whiteout");
    }
  if (layer_ && view.starts_with(kWhiteout)) {
    if (view == kOpaqueMark) {
      auto parent = open_parent(&parent_, folder, true);
      if (!parent) return resolve_error(entry, std::move(parent.error()));
      return add_opaque(folder);
    }
    if (std::find(std::begin(kAufsLeftovers), std::end(kAufsLeftovers), view) !=
        std::end(kAufsLeftovers))
      return {};
    std::string_view hidden = view.substr(kWhiteout.size());
    if (view.starts_with(kWhiteoutMeta) || hidden.empty() || hidden == "." || hidden == "..")
      return refuse(entry, "a malformed whiteout");
    Status made = whiteout(folder, hidden);
    if (!made) return resolve_error(entry, std::move(made.error()));
    return {};
  }
  auto parent = open_parent(&parent_, folder, true);
  if (!parent) return resolve_error(entry, std::move(parent.error()));
  switch (entry.type) {
    case TarEntry::Type::file:
      return make_file(entry, reader, *parent, name);
    case TarEntry::Type::directory:
      return make_directory(entry, *parent, name, path);
    case TarEntry::Type::hard_link:
      return make_hard_link(entry, *parent, name);
    case TarEntry::Type::symlink:
      return make_symlink(entry, *parent, name);
    case TarEntry::Type::char_device:
    case TarEntry::Type::block_device:
    case TarEntry::Type::fifo:
      return make_node(entry, *parent, name);
  }
  return refuse(entry, "an unknown type");
}

Status Extractor::count_entry() {
  if (++entries_ <= limits_.entries) return {};
  return Error(Errc::invalid_argument, concat("layer: more than ", limits_.entries, " entries"));
}

Status Extractor::apply(const TarEntry& entry, TarReader& reader) {
  TRY(count_entry());
  std::string path = TRY(clean_path(entry.path, limits_.path));
  // (uid_t)-1 would mean "leave it".
  if (entry.uid >= UINT32_MAX || entry.gid >= UINT32_MAX)
    return refuse(entry, concat("an owner out of range (", entry.uid, ":", entry.gid, ")"));
  if (path.empty()) return set_root(entry);
  return apply_named(entry, reader, path);
}

Status Extractor::finish() {
  TarEntry entry;
  for (const std::string& path : opaque_) {
    auto fd = sys::open_beneath(diff_, path.c_str(), O_RDONLY | O_DIRECTORY, 0, true);
    if (!fd) continue;  // replaced later by something that hides what is below by itself
    if (!rootless_) {
      opaque_list_ += path;
      opaque_list_ += '\0';
    } else if (::fsetxattr(fd->get(), "user.overlay.opaque", "y", 1, 0) < 0) {
      return Error::from_errno(errno, concat("mark ", shown(path), " opaque"));
    }
  }
  // Last, since making an entry changes its directory's time.
  for (const auto& [path, times] : directories_) {
    entry.path = path;
    if (path.empty()) {
      TRY(set_times(entry, diff_, nullptr, times.atime, times.mtime));
      continue;
    }
    auto parent = open_parent(&parent_, folder_of(path), false);
    if (!parent) continue;  // replaced meanwhile
    std::size_t slash = path.rfind('/');
    const char* name = path.c_str() + (slash == std::string::npos ? 0 : slash + 1);
    Status set = set_times(entry, *parent, name, times.atime, times.mtime);
    if (!set && set.error().sys() != ENOENT) return set;
  }
  return {};
}

Limits limits_from_environment() {
  Limits limits;
  struct Row {
    const char* name;
    std::uint64_t* field;
  };
  const Row rows[] = {{"MINKE_LIMIT_ENTRIES", &limits.entries},
                      {"MINKE_LIMIT_BYTES", &limits.bytes},
                      {"MINKE_LIMIT_METADATA", &limits.metadata}};
  for (const Row& row : rows)
    if (const char* text = ::getenv(row.name))
      if (auto value = parse_uint(text)) *row.field = *value;
  return limits;
}

}  // namespace minke::imagework
