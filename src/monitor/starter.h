// The monitor's child that builds the container: it parses the spec and runs the OCI runtime, so
// that none of their memory stays with the monitor. Init becomes the monitor's child.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "monitor/plan.h"

namespace minke::monitor {

// The container that an exec session runs in.
struct ExecTarget {
  std::string bundle, run_dir;
  std::string process_json;
};

struct StarterInput {
  const Plan* plan = nullptr;
  const ExecTarget* exec = nullptr;  // set: one more process in a running container instead
  int stdio[3] = {0, 1, 2};
  int console = -1;  // stream socket that the terminal's master goes over
  std::vector<int> preserve;
  int root = -1;    // a mount of the container's root that is there already
  int report = -1;  // seqpacket: created, started, failed out; start in
  std::string notify_socket;
};

// In the forked child; never returns. Dies with `monitor`, the pid of its parent.
[[noreturn]] void run_starter(const StarterInput& input, pid_t monitor);

// After the end of the container's init, in the monitor: frees the cgroup; with `poststop` the spec
// is read and its hooks run, in a child of their own. For an external runtime: its `delete`.
void destroy_container(const Plan& plan, const StateRecord& state, bool poststop);
// After a start that failed before init was known: a starter that was killed may have made the
// cgroup.
void clear_after_failure(const Plan& plan);

}  // namespace minke::monitor
