// Id mappings of user namespaces.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "oci/spec.h"

namespace minke::runtime {

// The text of /proc/PID/uid_map.
std::string id_map_text(const std::vector<oci::IdMapping>& mappings);
// Writes both maps of `pid`'s new user namespace: directly where we may (CAP_SETUID and CAP_SETGID
// here, or one line that maps ourselves), else by newuidmap and newgidmap.
Status write_id_maps(pid_t pid, const std::vector<oci::IdMapping>& uids,
                     const std::vector<oci::IdMapping>& gids);

}  // namespace minke::runtime
