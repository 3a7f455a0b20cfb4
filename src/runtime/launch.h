// Starts the child of a plan and speaks with it until its program runs.
#pragma once

#include <optional>
#include <string>

#include "runtime/plan.h"
#include "sys/process.h"

namespace minke::runtime {

struct Launched {
  pid_t pid = -1;
  sys::Pidfd pidfd;
  sys::UniqueFd socket;    // reports come, orders go
  bool in_cgroup = false;  // of LaunchPlan::between_cgroup_fd
};

// Clones the child with the namespaces of the plan. The caller is single-threaded.
Result<Launched> launch(LaunchPlan* plan);

Status send_order(int socket, Order order, std::string_view text = {},
                  const std::vector<int>& fds = {});
// The next report; nothing when the child has closed its end: it runs its program, or it is dead.
Result<std::optional<Report>> receive_report(int socket);
// A failed step as "step object: reason"; a failed exec has exit_code() 126 or 127.
Error report_error(const LaunchPlan& plan, const Report& report);
// The same where the plan is not at hand: `start` in another process.
Error start_error(const Report& report, const std::string& program);

}  // namespace minke::runtime
