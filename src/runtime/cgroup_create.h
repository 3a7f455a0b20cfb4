// Making a container's cgroup and moving its init there.
#pragma once

#include <string>
#include <vector>

#include "runtime/cgroup.h"
#include "runtime/container.h"
#include "sys/fd.h"

namespace minke::runtime {

// Decides where, makes the folders, sets the limits; what was made is undone unless keep() is
// called.
class CgroupBuilder {
 public:
  // The places a container's cgroup would have; makes nothing.
  static Result<Cgroup> plan(const CreateRequest& request);
  // Makes them. Limits that may not be set are warnings or errors as the request says.
  static Result<Cgroup> create(const CreateRequest& request, std::vector<std::string>* warnings);
  // Moves `pid` into every hierarchy.
  static Status enter(const Cgroup& cgroup, pid_t pid);
  // systemd makes a scope around a process that exists: called once init is there. `cgroup` is what
  // create() gave.
  static Status adopt(const CreateRequest& request, pid_t pid, Cgroup* cgroup,
                      std::vector<std::string>* warnings);
  static Cgroup make(std::vector<Cgroup::Entry> entries, std::string scope,
                     std::vector<Cgroup::Entry> spare = {});
};

}  // namespace minke::runtime
