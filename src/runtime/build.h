// From a spec to a plan: every decision about a container's process is made here, before the clone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cgroup.h"
#include "runtime/container.h"
#include "runtime/plan.h"

namespace minke::runtime {

// What the host allows; asked once for each plan.
struct HostFacts {
  bool init_user_namespace = true;  // devices can be made, sysfs mounted, ...
  bool privileged = true;           // CAP_SYS_ADMIN here: maps and mounts may be made by the parent
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t permitted = 0;  // our own capabilities
  bool old_mount_api = false;   // MINKE_OLD_MOUNT_API=1
  CgroupMode cgroups = CgroupMode::v2;
};
Result<HostFacts> read_host_facts();

struct BuildInput {
  const CreateRequest& request;
  const HostFacts& host;
  const std::vector<Cgroup::Entry>& cgroups;  // of the container: made already
  std::vector<std::string>* warnings;
};

// The whole plan of a container's init.
Status build_init_plan(const BuildInput& in, LaunchPlan* plan);

// Pieces of it.
struct NamespaceChoice {
  bool new_user = false, joined_user = false, new_pid = false, new_cgroup = false,
       new_network = false, has_network = false;
};
Result<NamespaceChoice> build_namespaces(const BuildInput& in, LaunchPlan* plan);
Status build_mounts(const BuildInput& in, const NamespaceChoice& ns,
                    LaunchPlan* plan);  // build_mounts.cc
Status build_devices(const BuildInput& in, const NamespaceChoice& ns,
                     LaunchPlan* plan);  // build_mounts.cc
// A detached copy of a bind's source, made before ids are mapped: the container's root may have no
// right to walk there
// (/var/lib/minke is 0700). -1 when the child must do it itself, with the rights that it has.
int open_source(const BuildInput& in, const char* source, const char* subpath, bool recursive,
                LaunchPlan* plan);  // build_mounts.cc
// Credentials, limits, labels, descriptors: the end of the plan, from rlimits to execute.
// build_process.cc
struct ProcessInput {
  const oci::Process& process;
  const oci::Linux* linux_;
  const HostFacts& host;
  bool own_user_namespace;  // capabilities are not limited by ours
  const int* stdio;
  const std::vector<int>* preserve_fds;
  bool die_with_parent;
  const std::vector<oci::Hook>* start_hooks;
  bool is_exec;
  std::vector<std::string>* warnings;
  const char* extra_env = nullptr;  // takes the place of one of that name
};
Status build_process(const ProcessInput& in, LaunchPlan* plan);
// `folder`: to run in; nullptr: in the container, at its root.
Status add_hooks(const std::vector<oci::Hook>& hooks, const char* folder, LaunchPlan* plan);
HookPlan make_hook(const oci::Hook& hook, LaunchPlan* plan);
// Opens a procfs for the child's writes and proves that it is one.
Result<sys::UniqueFd> open_procfs();

}  // namespace minke::runtime
