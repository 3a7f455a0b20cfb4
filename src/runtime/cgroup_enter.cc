#include "runtime/cgroup_enter.h"

#include "base/str.h"

namespace minke::runtime {

bool plan_cgroup_entry(const std::vector<Cgroup::Entry>& entries, LaunchPlan* plan) {
  bool born_there = entries.size() == 1 && entries[0].controllers.empty();
  if (entries.empty() || born_there) return false;
  for (const Cgroup::Entry& entry : entries)
    plan->add(Op::enter_cgroup).source =
        plan->keep(concat(entry.path, entry.controllers.empty() ? "/cgroup.procs" : "/tasks"));
  plan->child_enters_cgroup = true;
  return true;
}

Status open_cgroup_entry(LaunchPlan* plan) {
  for (Step& step : plan->steps)
    if (step.op == Op::enter_cgroup)
      step.fd = plan->keep_fd(TRY_CTX(sys::open(step.source, O_WRONLY), "enter cgroup"));
  return {};
}

}  // namespace minke::runtime
