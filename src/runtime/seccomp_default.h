// The default seccomp profile, for a container with the capabilities `caps` in its bounding set ("CAP_SYS_ADMIN").
#pragma once

#include <set>
#include <string>

#include "oci/spec.h"

namespace minke::runtime {

oci::Seccomp default_seccomp(const std::set<std::string>& caps);

}  // namespace minke::runtime
