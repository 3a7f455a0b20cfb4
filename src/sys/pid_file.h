// Files that name one process for the life of the machine: its pid and its start time.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/process.h"

namespace minke::sys {

Status write_pid_file(const std::string& path, pid_t pid);
// not_found when there is no such file, or the process has ended.
Result<Pidfd> open_pid_file(const std::string& path);

}  // namespace minke::sys
