// The profile that containers get when nobody asks for another.
#pragma once

#include <set>
#include <string>

#include "oci/spec.h"

namespace minke::runtime {

// Everything unknown answers ENOSYS, so that a libc tries the older call; what is known and refused
// answers EPERM. `capabilities` ("CAP_SYS_ADMIN", ...) are those of the container's bounding set:
// some calls follow them. Mounting, unshare and the like are left to capabilities and the user
// namespace, so that containers nest; only a cgroup namespace needs CAP_SYS_ADMIN.
oci::Seccomp default_seccomp(const std::set<std::string>& capabilities);

// The capabilities for which the program is made at build time.
const std::set<std::string>& default_capabilities();

}  // namespace minke::runtime
