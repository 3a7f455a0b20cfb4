// One lock per object, on a file in the run directory: RUNROOT/KIND/ID/lock. Whoever holds it may
// change the object; nobody waits for a process, a registry or a person while holding it.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/lock.h"

namespace minke::state {

// Makes the folder when it is missing. `what` is how a long wait is told ("container
// 4f3a0c1b2d3e").
Result<sys::FileLock> lock_object(const std::string& run_dir, std::string_view what,
                                  sys::LockMode mode = sys::LockMode::exclusive);
// unavailable when somebody else holds it.
Result<sys::FileLock> try_lock_object(const std::string& run_dir, std::string_view what);

}  // namespace minke::state
