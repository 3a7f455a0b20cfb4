// Layers put together for reading, out of anybody's sight.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::engine {

// How the layers are told to the kernel: each by itself (Linux 6.5), as one short list (5.2), or as
// one long list by mount(2) in a child. Each falls back to the next.
enum class LayerWay { each, list, child };

// A detached read-only overlay of `folders`, topmost first, at least two.
Result<sys::UniqueFd> mount_layers(const std::vector<std::string>& folders, bool userxattr,
                                   LayerWay way = LayerWay::each);

// The same with `upper` on top, where changes go: what a container that does not run would see.
// Nobody else may have it mounted.
Result<sys::UniqueFd> mount_writable(const std::vector<std::string>& folders,
                                     const std::string& upper, const std::string& work,
                                     bool userxattr);

}  // namespace minke::engine
