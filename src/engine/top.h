// The processes of a container as the host's procfs shows them: no program of the container is run
// and its mount namespace is not entered.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace minke::engine {

struct ProcessInfo {
  pid_t host_pid = 0, pid = 0, parent = 0, group = 0;  // the last three inside; 0: from outside
  char state = '?';
  std::string comm, args;
  TimeNs started = 0;  // whole seconds
  std::int64_t cpu_ns = 0, elapsed_ns = 0;
  std::int32_t nice = 0;
  std::uint64_t virtual_kib = 0, resident_kib = 0;
  std::string tty;  // "pts/0", "?" without one
  std::string label;
  int seccomp = 0;  // 0 disabled, 1 strict, 2 filter
  struct Caps {
    std::uint64_t inheritable = 0, permitted = 0, effective = 0, bounding = 0, ambient = 0;
  } caps;
  // Names by the container's and by the host's files, or numbers.
  std::string user, real_user, user_group, real_group, host_user, host_group;
  std::vector<std::string> groups, host_groups;
};

// Of every process in the pid namespace of `init` and in those below it, by pid.
Result<std::vector<ProcessInfo>> list_processes(pid_t init);

}  // namespace minke::engine
