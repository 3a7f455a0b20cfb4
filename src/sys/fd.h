// Owners of file descriptors, and thin wrappers: each sets CLOEXEC, retries EINTR where that is
// right, and on failure says which call on which object. No policy.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace minke::sys {

void close_keeping_errno(int fd);

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& o) noexcept {
    reset(std::exchange(o.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) close_keeping_errno(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

// A directory; its own type so that a path relative to nothing does not compile.
class DirFd {
 public:
  DirFd() = default;
  explicit DirFd(UniqueFd fd) : fd_(std::move(fd)) {}
  static DirFd cwd() { return DirFd(); }  // AT_FDCWD
  int get() const { return fd_ ? fd_.get() : AT_FDCWD; }
  bool is_cwd() const { return !fd_; }
  [[nodiscard]] int release() { return fd_.release(); }

 private:
  UniqueFd fd_;
};

using SmallSize = std::size_t;
constexpr SmallSize kSmallFileMax = 16 << 20;

Result<UniqueFd> open_at(const DirFd& dir, const char* path, int flags, mode_t mode = 0);
Result<UniqueFd> open(const std::string& path, int flags, mode_t mode = 0);
Result<DirFd> open_dir(const std::string& path);  // O_DIRECTORY, read
Result<DirFd> open_dir_at(const DirFd& dir,
                          const char* path);  // follows links: only for paths of our own
// openat2(2), Linux 5.6: `path` as seen with `dir` as the root; magic links refused; never leaves
// `dir`.
Result<UniqueFd> open_in_root(int dir, const char* path, int flags, mode_t mode = 0);
// The same, but a path that tries to leave is an error (EXDEV), and links are refused when
// `no_symlinks`.
Result<UniqueFd> open_beneath(int dir, const char* path, int flags, mode_t mode = 0,
                              bool no_symlinks = false);

Result<std::string> read_all(int fd, std::size_t max = kSmallFileMax,
                             std::string_view name = "file");
Result<std::string> read_small_file_at(const DirFd& dir, const char* path,
                                       std::size_t max = kSmallFileMax);
Result<std::string> read_small_file(const std::string& path, std::size_t max = kSmallFileMax);
Status write_all(int fd, std::string_view data, std::string_view name = "file");

enum class Durability {
  none,
  data
};  // data: fdatasync before the rename, fsync of the folder after it
// Writes `path`.tmp.PID and renames it over `path`: readers see the old or the new content, whole.
Status write_file_at(const DirFd& dir, const char* path, std::string_view data, mode_t mode,
                     Durability durability = Durability::none);
Status write_file(const std::string& path, std::string_view data, mode_t mode,
                  Durability durability = Durability::none);
// Plain write into an existing file (procfs, sysfs, cgroupfs): one write(2), no create.
Status write_existing(const std::string& path, std::string_view data);
Status write_existing_at(const DirFd& dir, const char* path, std::string_view data);

Status make_dir_at(const DirFd& dir, const char* path, mode_t mode);    // EEXIST is an error
Status ensure_dir_at(const DirFd& dir, const char* path, mode_t mode);  // EEXIST is none
Status ensure_dirs(const std::string& path, mode_t mode);               // every missing component
Status rename_at(const DirFd& from, const char* old_name, const DirFd& to, const char* new_name,
                 unsigned flags = 0);  // renameat2 flags
Status unlink_at(const DirFd& dir, const char* path, int flags = 0);
Status symlink_at(const char* target, const DirFd& dir, const char* path);
Result<std::string> read_link_at(const DirFd& dir, const char* path);
Result<struct stat> stat_at(const DirFd& dir, const char* path, int flags = AT_SYMLINK_NOFOLLOW);
bool exists_at(const DirFd& dir, const char* path);
bool exists(const std::string& path);
Result<std::vector<std::string>> list_dir(const DirFd& dir,
                                          const char* path = ".");  // sorted, no . and ..
// Removes `path` and all below it, never following a link and never crossing into a mount. What is
// not there is success.
Status remove_tree_at(const DirFd& dir, const char* path);
// The same, but gives up (false) once `max_entries` are removed: for what may be large.
Result<bool> remove_tree_within(const DirFd& dir, const char* path, int max_entries);
Status fsync_dir(const DirFd& dir);

Result<std::pair<UniqueFd, UniqueFd>> make_pipe(int flags = 0);  // reader, writer
Result<UniqueFd> duplicate(int fd);                              // F_DUPFD_CLOEXEC
Status set_cloexec(int fd, bool on);
Status set_nonblocking(int fd, bool on);
Result<UniqueFd> make_memfd(const char* name, std::string_view content);

}  // namespace minke::sys
