#include "sys/lock.h"

#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"

namespace minke::sys {
namespace {

struct flock describe(LockMode mode) {
  struct flock lock {};
  lock.l_type = mode == LockMode::shared ? F_RDLCK : F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

// An OFD lock has no owner pid, so the holder is looked up: whoever has the same file open and
// locked.
std::string holder_of(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) < 0) return "another process";
  auto locks = read_small_file("/proc/locks");
  auto pids = list_dir(DirFd::cwd(), "/proc");
  if (!locks || !pids) return "another process";
  std::string inode = concat(":", st.st_ino, " ");
  if (locks->find(inode) == std::string::npos) return "another process";
  for (const std::string& pid : *pids) {
    if (!parse_int(pid) || pid == concat(::getpid())) continue;
    auto infos = list_dir(DirFd::cwd(), concat("/proc/", pid, "/fdinfo").c_str());
    if (!infos) continue;
    for (const std::string& number : *infos) {
      auto info = read_small_file(concat("/proc/", pid, "/fdinfo/", number), 8192);
      if (!info || info->find("lock:") == std::string::npos ||
          info->find(inode) == std::string::npos)
        continue;
      auto comm = read_small_file(concat("/proc/", pid, "/comm"), 64);
      return concat("process ", pid, " (", comm ? trim(*comm) : "?", ")");
    }
  }
  return "another process";
}

}  // namespace

Result<FileLock> FileLock::try_acquire(UniqueFd file, LockMode mode, std::string_view name) {
  struct flock lock = describe(mode);
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) < 0) {
    int err = errno == EACCES ? EAGAIN : errno;
    return Error::from_errno(err, concat("lock ", name));
  }
  return FileLock(std::move(file));
}

Result<FileLock> FileLock::acquire(UniqueFd file, LockMode mode, std::string_view name) {
  struct flock lock = describe(mode);
  // Poll for the first second, so that the long wait can be told; then block.
  std::int64_t give_up = monotonic_ns() + kSecond;
  for (useconds_t pause = 50;; pause = pause < 5000 ? pause * 2 : pause) {
    if (::fcntl(file.get(), F_OFD_SETLK, &lock) == 0) return FileLock(std::move(file));
    if (errno != EAGAIN && errno != EACCES && errno != EINTR)
      return Error::from_errno(errno, concat("lock ", name));
    if (monotonic_ns() > give_up) break;
    ::usleep(pause);
  }
  log::warn(concat("waiting for the lock of ", name, ", held by ", holder_of(file.get())));
  while (::fcntl(file.get(), F_OFD_SETLKW, &lock) < 0)
    if (errno != EINTR) return Error::from_errno(errno, concat("lock ", name));
  return FileLock(std::move(file));
}

Result<FileLock> FileLock::lock_folder(const std::string& path) {
  UniqueFd folder = TRY(open(path, O_RDONLY | O_DIRECTORY));
  while (::flock(folder.get(), LOCK_EX) < 0)
    if (errno != EINTR) return Error::from_errno(errno, concat("lock ", path));
  return FileLock(std::move(folder));
}

}  // namespace minke::sys
