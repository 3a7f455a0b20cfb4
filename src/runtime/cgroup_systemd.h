// Cgroups made by systemd: a transient scope for each container (cgroup v2).
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "oci/spec.h"

namespace minke::runtime {

struct ScopeName {
  std::string slice;  // "user.slice"; empty: systemd's default
  std::string unit;   // "libpod-ID.scope"
};
// cgroupsPath in systemd's form, SLICE:PREFIX:NAME; "" gives minke-ID.scope.
Result<ScopeName> parse_scope_name(const std::string& cgroups_path, const std::string& id);

// Starts the scope with `pid` in it, delegated to us, and waits until it stands. The user's own
// systemd when we are not root. Gives the cgroup's path below /sys/fs/cgroup.
Result<std::string> start_scope(const ScopeName& name, const std::string& id, pid_t pid, bool user,
                                const oci::Resources* resources);
// Tells systemd the limits of a running scope, as far as it knows such.
Status update_scope(const std::string& unit, bool user, const oci::Resources& resources);
// Ends the scope; its processes are dead already. One that is gone is success.
void stop_scope(const std::string& unit, bool user);
// Whether the user's own systemd serves us: also root of a rootless user namespace is no root to
// the machine's.
bool served_by_user_systemd();

}  // namespace minke::runtime
