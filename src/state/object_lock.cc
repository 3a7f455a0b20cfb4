#include "state/object_lock.h"

#include "base/str.h"

namespace minke::state {
namespace {

// The folder may go away between its making and the open (somebody removed the object), so it is
// tried again.
Result<sys::UniqueFd> open_lock(const std::string& run_dir) {
  std::string path = run_dir + "/lock";
  for (int tries = 0;; ++tries) {
    auto fd = sys::open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (fd || fd.error().sys() != ENOENT || tries > 100) return fd;
    TRY(sys::ensure_dirs(run_dir, 0700));
  }
}

// A lock on a file that was unlinked meanwhile protects nothing.
bool still_there(const sys::FileLock& lock, const std::string& run_dir) {
  struct stat held {
  }, named{};
  return ::fstat(lock.fd(), &held) == 0 && ::stat((run_dir + "/lock").c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

}  // namespace

Result<sys::FileLock> lock_object(const std::string& run_dir, std::string_view what,
                                  sys::LockMode mode) {
  for (;;) {
    sys::UniqueFd file = TRY(open_lock(run_dir));
    sys::FileLock lock = TRY(sys::FileLock::acquire(std::move(file), mode, what));
    if (still_there(lock, run_dir)) return lock;
  }
}

Result<sys::FileLock> try_lock_object(const std::string& run_dir, std::string_view what) {
  for (;;) {
    sys::UniqueFd file = TRY(open_lock(run_dir));
    sys::FileLock lock =
        TRY(sys::FileLock::try_acquire(std::move(file), sys::LockMode::exclusive, what));
    if (still_there(lock, run_dir)) return lock;
  }
}

}  // namespace minke::state
