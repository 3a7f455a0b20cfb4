// A seccomp filter that lets a list of system calls through and answers EPERM to the rest.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace minke::sys {

struct SyscallList {
  const int* numbers;
  std::size_t count;
};
enum class FilterScope {
  new_threads,  // of the calling thread and what it makes; threads may be made
  all_threads,  // of every thread there is; no more are made
};
// no_new_privs must be set. Where the filter is not known for the machine: nothing happens.
Status install_syscall_filter(SyscallList allowed, FilterScope scope);

}  // namespace minke::sys
