// The host's own ps(1) with words of its own, looking at a container.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace minke::engine {

// Runs it in the pid namespace of `init`, with a /proc of that namespace and our own files, and
// lets it write to our standard output. The wait status. The container's processes can see it: do
// not ask for it where they may trace others.
Result<int> run_host_ps(pid_t init, const std::vector<std::string>& words);

}  // namespace minke::engine
