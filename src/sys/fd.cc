#include "sys/fd.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "base/str.h"

namespace minke::sys {

void close_keeping_errno(int fd) {
  int saved = errno;
  ::close(fd);
  errno = saved;
}

namespace {

Result<UniqueFd> open_resolved(int dir, const char* path, int flags, mode_t mode,
                               std::uint64_t resolve) {
  struct open_how how {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = resolve;
  for (int tries = 0;; ++tries) {
    auto fd = static_cast<int>(::syscall(SYS_openat2, dir, path, &how, sizeof how));
    if (fd >= 0) return UniqueFd(fd);
    // EAGAIN: a rename or mount went on meanwhile and the kernel could not be sure (openat2(2)).
    if ((errno == EAGAIN && tries < 128) || errno == EINTR) continue;
    return Error::from_errno(errno, concat("open ", path));
  }
}

}  // namespace

Result<UniqueFd> open_at(const DirFd& dir, const char* path, int flags, mode_t mode) {
  int fd;
  do {
    fd = ::openat(dir.get(), path, flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return Error::from_errno(errno, concat("open ", path));
  return UniqueFd(fd);
}

Result<UniqueFd> open(const std::string& path, int flags, mode_t mode) {
  return open_at(DirFd::cwd(), path.c_str(), flags, mode);
}

Result<DirFd> open_dir(const std::string& path) { return open_dir_at(DirFd::cwd(), path.c_str()); }

Result<DirFd> open_dir_at(const DirFd& dir, const char* path) {
  UniqueFd fd = TRY(open_at(dir, path, O_RDONLY | O_DIRECTORY));
  return DirFd(std::move(fd));
}

Result<UniqueFd> open_in_root(int dir, const char* path, int flags, mode_t mode) {
  return open_resolved(dir, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<UniqueFd> open_beneath(int dir, const char* path, int flags, mode_t mode, bool no_symlinks) {
  return open_resolved(
      dir, path, flags, mode,
      RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (no_symlinks ? RESOLVE_NO_SYMLINKS : 0));
}

Result<std::string> read_all(int fd, std::size_t max, std::string_view name) {
  std::string out;
  struct stat st {};
  if (::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
    out.reserve(std::min(max, static_cast<std::size_t>(st.st_size)) + 1);
  std::size_t step = std::max<std::size_t>(out.capacity(), 4096);
  for (;;) {
    std::size_t have = out.size();
    out.resize(have + step);
    ssize_t n = ::read(fd, out.data() + have, step);
    int err = errno;
    out.resize(have + static_cast<std::size_t>(n > 0 ? n : 0));
    if (n < 0 && err == EINTR) continue;
    if (n < 0) return Error::from_errno(err, concat("read ", name));
    if (n == 0) return out;
    if (out.size() > max)
      return Error(Errc::corrupt, concat("read ", name, ": larger than ", max, " bytes"));
    step = std::max<std::size_t>(out.capacity() - out.size(), 4096);
  }
}

Result<std::string> read_small_file_at(const DirFd& dir, const char* path, std::size_t max) {
  UniqueFd fd = TRY(open_at(dir, path, O_RDONLY));
  return read_all(fd.get(), max, path);
}

Result<std::string> read_small_file(const std::string& path, std::size_t max) {
  return read_small_file_at(DirFd::cwd(), path.c_str(), max);
}

Status write_all(int fd, std::string_view data, std::string_view name) {
  while (!data.empty()) {
    ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, concat("write ", name));
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status write_file_at(const DirFd& dir, const char* path, std::string_view data, mode_t mode,
                     Durability durability) {
  std::string temporary = concat(path, ".tmp.", ::getpid());
  UniqueFd fd =
      TRY(open_at(dir, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
  Status written = write_all(fd.get(), data, path);
  if (written && durability == Durability::data && ::fdatasync(fd.get()) < 0)
    written = Error::from_errno(errno, concat("fdatasync ", path));
  if (written && ::renameat(dir.get(), temporary.c_str(), dir.get(), path) < 0)
    written = Error::from_errno(errno, concat("rename ", path));
  if (!written) {
    ::unlinkat(dir.get(), temporary.c_str(), 0);
    return written;
  }
  if (durability == Durability::data) {
    std::string parent(path);
    std::size_t slash = parent.rfind('/');
    parent = slash == std::string::npos ? "." : slash == 0 ? "/" : parent.substr(0, slash);
    DirFd folder = TRY(open_dir_at(dir, parent.c_str()));
    TRY(fsync_dir(folder));
  }
  return {};
}

Status write_file(const std::string& path, std::string_view data, mode_t mode,
                  Durability durability) {
  return write_file_at(DirFd::cwd(), path.c_str(), data, mode, durability);
}

Status write_existing_at(const DirFd& dir, const char* path, std::string_view data) {
  UniqueFd fd = TRY(open_at(dir, path, O_WRONLY));
  ssize_t n;
  do {
    n = ::write(fd.get(), data.data(), data.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Error::from_errno(errno, concat("write ", path));
  return {};
}

Status write_existing(const std::string& path, std::string_view data) {
  return write_existing_at(DirFd::cwd(), path.c_str(), data);
}

Status make_dir_at(const DirFd& dir, const char* path, mode_t mode) {
  if (::mkdirat(dir.get(), path, mode) < 0) return Error::from_errno(errno, concat("mkdir ", path));
  return {};
}

Status ensure_dir_at(const DirFd& dir, const char* path, mode_t mode) {
  if (::mkdirat(dir.get(), path, mode) < 0 && errno != EEXIST)
    return Error::from_errno(errno, concat("mkdir ", path));
  return {};
}

Status ensure_dirs(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT) return Error::from_errno(errno, concat("mkdir ", path));
  std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos || slash == 0)
    return Error::from_errno(ENOENT, concat("mkdir ", path));
  TRY(ensure_dirs(path.substr(0, slash), mode));
  return ensure_dir_at(DirFd::cwd(), path.c_str(), mode);
}

Status rename_at(const DirFd& from, const char* old_name, const DirFd& to, const char* new_name,
                 unsigned flags) {
  if (::renameat2(from.get(), old_name, to.get(), new_name, flags) < 0)
    return Error::from_errno(errno, concat("rename ", old_name, " to ", new_name));
  return {};
}

Status unlink_at(const DirFd& dir, const char* path, int flags) {
  if (::unlinkat(dir.get(), path, flags) < 0)
    return Error::from_errno(errno, concat("unlink ", path));
  return {};
}

Status symlink_at(const char* target, const DirFd& dir, const char* path) {
  if (::symlinkat(target, dir.get(), path) < 0)
    return Error::from_errno(errno, concat("symlink ", path));
  return {};
}

Result<std::string> read_link_at(const DirFd& dir, const char* path) {
  char buffer[4096];
  ssize_t n = ::readlinkat(dir.get(), path, buffer, sizeof buffer);
  if (n < 0) return Error::from_errno(errno, concat("readlink ", path));
  return std::string(buffer, static_cast<std::size_t>(n));
}

Result<struct stat> stat_at(const DirFd& dir, const char* path, int flags) {
  struct stat st {};
  if (::fstatat(dir.get(), path, &st, flags) < 0)
    return Error::from_errno(errno, concat("stat ", path));
  return st;
}

bool exists_at(const DirFd& dir, const char* path) {
  struct stat st {};
  return ::fstatat(dir.get(), path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool exists(const std::string& path) { return exists_at(DirFd::cwd(), path.c_str()); }

namespace {

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using DirStream = std::unique_ptr<DIR, DirCloser>;

Result<DirStream> open_stream(int dir, const char* path) {
  int fd = ::openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return Error::from_errno(errno, concat("open ", path));
  DIR* stream = ::fdopendir(fd);
  if (stream == nullptr) {
    close_keeping_errno(fd);
    return Error::from_errno(errno, concat("open ", path));
  }
  return DirStream(stream);
}

bool is_dot(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

// `budget` counts down; below zero the removal stops with unavailable.
Status remove_below(int dir, const char* path, int depth, int* budget) {
  if (depth > 4096) return Error(Errc::corrupt, concat("remove ", path, ": nested too deep"));
  auto opened = open_stream(dir, path);
  if (!opened) {
    if (opened.error().sys() == ENOENT) return {};
    // No read permission on a folder of our own: give it to ourselves and try once more.
    if (opened.error().sys() != EACCES || ::fchmodat(dir, path, 0700, 0) < 0)
      return std::move(opened.error());
    opened = open_stream(dir, path);
    if (!opened) return std::move(opened.error());
  }
  int fd = ::dirfd(opened->get());
  bool opened_up = false;
  while (dirent* entry = ::readdir(opened->get())) {
    if (is_dot(entry->d_name)) continue;
    if ((*budget)-- <= 0)
      return Error(Errc::unavailable, concat("remove ", path, ": too many entries"));
    if (entry->d_type != DT_DIR && ::unlinkat(fd, entry->d_name, 0) == 0) continue;
    if (entry->d_type != DT_DIR && errno == EACCES && !opened_up && ::fchmod(fd, 0700) == 0) {
      opened_up = true;
      if (::unlinkat(fd, entry->d_name, 0) == 0) continue;
    }
    if (entry->d_type != DT_DIR && errno == ENOENT) continue;
    if (entry->d_type != DT_DIR && errno != EISDIR)
      return Error::from_errno(errno, concat("remove ", entry->d_name));
    TRY(remove_below(fd, entry->d_name, depth + 1, budget));
    if (::unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
      if (errno != EACCES || opened_up || ::fchmod(fd, 0700) < 0 ||
          ::unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0)
        return Error::from_errno(errno, concat("remove ", entry->d_name));
      opened_up = true;
    }
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> list_dir(const DirFd& dir, const char* path) {
  DirStream stream = TRY(open_stream(dir.get(), path));
  std::vector<std::string> names;
  while (dirent* entry = ::readdir(stream.get()))
    if (!is_dot(entry->d_name)) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

Status remove_tree_at(const DirFd& dir, const char* path) {
  if (::unlinkat(dir.get(), path, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return Error::from_errno(errno, concat("remove ", path));
  int budget = INT_MAX;
  TRY(remove_below(dir.get(), path, 0, &budget));
  if (::unlinkat(dir.get(), path, AT_REMOVEDIR) < 0 && errno != ENOENT)
    return Error::from_errno(errno, concat("remove ", path));
  return {};
}

Result<bool> remove_tree_within(const DirFd& dir, const char* path, int max_entries) {
  if (::unlinkat(dir.get(), path, 0) == 0 || errno == ENOENT) return true;
  int budget = max_entries;
  if (Status below = remove_below(dir.get(), path, 0, &budget); !below) {
    if (budget < 0) return false;
    return std::move(below.error());
  }
  if (::unlinkat(dir.get(), path, AT_REMOVEDIR) < 0 && errno != ENOENT)
    return Error::from_errno(errno, concat("remove ", path));
  return true;
}

Status fsync_dir(const DirFd& dir) {
  if (::fsync(dir.get()) < 0) return Error::from_errno(errno, "fsync directory");
  return {};
}

Result<std::pair<UniqueFd, UniqueFd>> make_pipe(int flags) {
  int fds[2];
  if (::pipe2(fds, flags | O_CLOEXEC) < 0) return Error::from_errno(errno, "pipe");
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

Result<UniqueFd> duplicate(int fd) {
  int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return Error::from_errno(errno, concat("dup of descriptor ", fd));
  return UniqueFd(copy);
}

namespace {
Status change_flag(int fd, int get, int set, int flag, bool on) {
  int flags = ::fcntl(fd, get);
  if (flags < 0 || ::fcntl(fd, set, on ? flags | flag : flags & ~flag) < 0)
    return Error::from_errno(errno, concat("fcntl of descriptor ", fd));
  return {};
}
}  // namespace

Status set_cloexec(int fd, bool on) { return change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on); }
Status set_nonblocking(int fd, bool on) {
  return change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

Result<UniqueFd> make_memfd(const char* name, std::string_view content) {
  int fd = ::memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) return Error::from_errno(errno, "memfd_create");
  UniqueFd owner(fd);
  TRY(write_all(fd, content, name));
  if (::lseek(fd, 0, SEEK_SET) < 0) return Error::from_errno(errno, concat("lseek ", name));
  return owner;
}

}  // namespace minke::sys
