// What a process of ours gives away for good: capabilities, and system calls by a seccomp filter
// that lets a list through and answers EPERM to the rest.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace minke::sys {

struct NumberList {
  const int* numbers;
  std::size_t count;
};
enum class FilterScope {
  new_threads,  // of the calling thread and what it makes; threads may be made
  all_threads,  // of every thread there is; no more are made
};
// no_new_privs must be set. Where the filter is not known for the machine: nothing happens.
Status install_syscall_filter(NumberList allowed, FilterScope scope);

// Of the calling thread: all but these (below 32) are dropped, in every set.
Status keep_capabilities(NumberList capabilities);

}  // namespace minke::sys
