// The cgroup that this process is in, and how it makes room in there for others beside itself.
#pragma once

#include <string>

#include "base/result.h"

namespace minke::runtime {

// Below the cgroup root: "/system.slice/web.service". On v1 that of the service manager's
// hierarchy, else of memory's. Where leave_own_cgroup() has been, it is still the one from before.
Result<std::string> own_cgroup();

// Moves this process, and with it what it starts, into the group "runtime" of its own cgroup: on v2
// a group that has processes itself cannot give controllers to those below it. Nothing when that
// was done, or when it is in the root.
Status leave_own_cgroup();

}  // namespace minke::runtime
