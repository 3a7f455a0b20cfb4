// Landlock: which files a process of ours can reach at all, whatever it is made to try.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace minke::sys {

struct PathAccess {
  int fd = -1;         // a directory or a file, open (O_PATH will do)
  bool write = false;  // else: read only
};
enum class LandlockNet { none, as_it_is };

// From here on only `reachable` exists for this process and its threads to come. no_new_privs must
// be set. Notes what the kernel lacks.
Status restrict_paths(const std::vector<PathAccess>& reachable, LandlockNet net,
                      const std::string& who, std::vector<std::string>* notes);

}  // namespace minke::sys
