// What minke-image gives up before it reads the first foreign byte.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/landlock.h"

namespace minke::imagework {

// no_new_privs, Landlock (only `reachable` exists any more; no new network), the capabilities that
// unpacking needs and no others, resource limits, and a seccomp filter without network, exec,
// mounts and tracing. Notes what the kernel lacks. Must run before the first thread is started.
Status confine(const std::vector<sys::PathAccess>& reachable, std::vector<std::string>* notes);

}  // namespace minke::imagework
