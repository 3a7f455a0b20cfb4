#include "sys/life_lock.h"

#include <unistd.h>

#include "base/str.h"
#include "base/time.h"

namespace minke::sys {

Result<FileLock> lock_for_life(const std::string& path, int wait_ms) {
  std::int64_t give_up = monotonic_ns() + wait_ms * (kSecond / 1000);
  for (;;) {
    UniqueFd file = TRY(open(path, O_RDWR | O_CREAT, 0600));
    auto lock = FileLock::try_acquire(std::move(file), LockMode::exclusive, path);
    if (lock) {
      // Who may not look into the holder's descriptors reads here who it is.
      if (::ftruncate(lock->fd(), 0) < 0) return Error::from_errno(errno, concat("write ", path));
      TRY(write_all(lock->fd(), concat(::getpid(), "\n"), path));
    }
    if (lock || lock.error().sys() != EAGAIN) return lock;
    if (monotonic_ns() > give_up) break;
    ::usleep(2000);
  }
  std::string pid = read_small_file(path, 64).value_or("");
  return Error(Errc::unavailable, concat("process ", trim(pid), " has ", path));
}

}  // namespace minke::sys
