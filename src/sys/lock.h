// Open-file-description locks: freed by the kernel when the holder dies, visible in lslocks(8).
#pragma once

#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::sys {

enum class LockMode { shared, exclusive };

// Holds the lock for its life. `name` is what a long wait is reported about.
class FileLock {
 public:
  FileLock() = default;
  // Waits for ever; after one second logs a warning that names the holder's pid and command.
  static Result<FileLock> acquire(UniqueFd file, LockMode mode, std::string_view name);
  // unavailable (EAGAIN) when somebody else holds it.
  static Result<FileLock> try_acquire(UniqueFd file, LockMode mode, std::string_view name);
  // flock(2) of a folder, for files of others that are replaced whole and have no lock file.
  static Result<FileLock> lock_folder(const std::string& path);
  explicit operator bool() const { return static_cast<bool>(file_); }
  void release() { file_.reset(); }
  int fd() const { return file_.get(); }  // to pass the lock on to another process

 private:
  explicit FileLock(UniqueFd file) : file_(std::move(file)) {}
  UniqueFd file_;
};

}  // namespace minke::sys
