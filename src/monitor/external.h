// --runtime PROGRAM: the same container by another OCI runtime's command line (crun, runc, youki).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "monitor/plan.h"
#include "runtime/container.h"

namespace minke::monitor {

struct ExternalRequest {
  const Plan* plan = nullptr;
  int stdio[3] = {0, 1, 2};
  int console = -1;  // the terminal's master is sent on over it
  std::vector<int> preserve;
};

// Mounts the overlay in a mount namespace of the calling process (it ends with it; the container
// keeps its own copy), writes RUN_DIR/oci/config.json, runs `create`, and waits for it. Init is
// then a child of the nearest subreaper. The runtime's own state lies in RUN_DIR/oci/state.
Result<runtime::ContainerHandle> create_external(const ExternalRequest& request);
Status start_external_container(const Plan& plan);
Status delete_external(const Plan& plan);

}  // namespace minke::monitor
