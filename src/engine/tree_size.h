// How large a tree is: the bytes of its regular files, what several names share counted once.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::engine {

// Follows no link; what goes away meanwhile is not counted.
Result<std::int64_t> tree_size(const sys::DirFd& dir);

}  // namespace minke::engine
