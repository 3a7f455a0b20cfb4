// What differs between trees: an overlay's upper folder and what is below it, or any two.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace minke::engine {

struct TreeChange {
  enum class Kind { changed, added, deleted };
  Kind kind = Kind::changed;
  std::string path;  // from "/"
};

// `lower` is a view of all that is below `upper`; -1: nothing is. In the order of paths, a folder
// before what is in it.
Result<std::vector<TreeChange>> changes_of_upper(int upper, int lower);
// From the tree `old_root` to the tree `new_root`.
Result<std::vector<TreeChange>> changes_between(int old_root, int new_root);

// The opaque directories of an upper folder, each ended by NUL. An error names what a layer has no
// form for: directories that overlay moved by a redirect.
Result<std::string> opaque_directories(int upper);

}  // namespace minke::engine
