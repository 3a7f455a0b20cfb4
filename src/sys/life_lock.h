// A file that one process has to itself for its life.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/lock.h"

namespace minke::sys {

// Makes the file where it is missing, and writes our pid into it. unavailable, in words that name
// the holder's, when another process has it for longer than `wait_ms`.
Result<FileLock> lock_for_life(const std::string& path, int wait_ms);

}  // namespace minke::sys
