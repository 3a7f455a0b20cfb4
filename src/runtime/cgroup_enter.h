// How a child gets into its cgroup on v1: by itself, one thread at a time.
#pragma once

#include <vector>

#include "base/result.h"
#include "runtime/cgroup.h"
#include "runtime/plan.h"

namespace minke::runtime {

// On v1 the child writes itself ("0") into the `tasks` files: a thread that moves itself needs no
// lock over all thread groups of the machine, while a pid written to cgroup.procs does, and waits a
// grace period of several milliseconds for each hierarchy (Linux 5.16, cgroup_procs_write_start).
// False when there is nothing for it to do: the child is born in its cgroup (v2), or systemd moves
// it.
bool plan_cgroup_entry(const std::vector<Cgroup::Entry>& entries, LaunchPlan* plan);
// Opens what plan_cgroup_entry() named; before the clone.
Status open_cgroup_entry(LaunchPlan* plan);

}  // namespace minke::runtime
