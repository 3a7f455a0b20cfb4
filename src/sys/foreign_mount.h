// Mounts of other mount namespaces.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::sys {

// A detached copy of what is mounted at `path` (resolved inside the root of `pid`, never out of
// it): for move_mount(2) or mount_fd of a plan. A plain open_tree(2) of /proc/PID/root/PATH is
// EINVAL, as a mount may be copied in its own namespace only; so a child goes there and sends it
// back. The caller is single-threaded and may join that namespace.
Result<UniqueFd> clone_mount_of(pid_t pid, const char* path);

}  // namespace minke::sys
