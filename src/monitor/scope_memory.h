// Kills for want of memory in a systemd scope. systemd removes a scope with its last process, and
// memory.events with it: what happens there is noted as it happens.
#pragma once

#include <optional>
#include <string>

#include "sys/event_loop.h"
#include "sys/fd.h"

namespace minke::monitor {

class ScopeMemory {
 public:
  // Of a container's cgroup (ContainerHandle::cgroup); nothing is watched unless it is a scope.
  void watch(sys::EventLoop& loop, const std::string& cgroup);
  // At the end of init, whose wait status this is; of any cgroup, watched or not.
  bool killed(const std::string& cgroup, std::optional<int> init_status);

 private:
  bool take_events();

  sys::UniqueFd events_;
  bool killed_ = false;
};

}  // namespace minke::monitor
