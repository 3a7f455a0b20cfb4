// The ground a command stands on: whose engine, which folders, which ids.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/spec.h"
#include "runtime/container.h"
#include "sys/fd.h"

namespace minke::engine {

struct HostOptions {
  std::string root, runroot, tmpdir;    // empty: the defaults of architecture
  std::string volumepath;               // --volumepath
  std::string cgroup_manager;           // empty: chosen; cgroupfs, systemd
  std::string runtime;                  // --runtime of the command line
  std::string events_backend;           // empty: file; file, journald, none
  std::vector<std::string> modules;     // --module: of containers.conf
  std::vector<std::string> hooks_dirs;  // --hooks-dir
};

struct Host {
  bool rootless = false;  // started by an ordinary user (in his user namespace by now, if `joined`)
  uid_t uid = 0;          // the real user outside
  gid_t gid = 0;
  std::string user_name, home;
  std::string root, runroot;       // absolute
  std::string volumes;             // ROOT/volumes, or that of --volumepath
  bool in_user_namespace = false;  // we hold all capabilities over a user namespace of our own
  // The map of that user namespace (container id here = id inside, host id = outside); identity
  // when rootful.
  std::vector<oci::IdMapping> uid_map, gid_map;
  bool single_id = false;  // no subordinate ids: only root inside
  runtime::CgroupManager cgroup_manager = runtime::CgroupManager::cgroupfs;
  std::string runtime;                  // default OCI runtime; empty: ours
  std::string monitor_path, init_path;  // absolute
  std::string events_backend = "file";  // file journald none
  std::string events_path;
  std::int64_t events_max_size = 16 << 20;  // bytes of all that is kept
  std::vector<std::string> modules, hooks_dirs;
  bool manager_given = false, events_given = false;  // by --cgroup-manager, --events-backend
};

// Reads environment and passwd; makes no folder and joins nothing.
Result<Host> find_host(const HostOptions& options);

// The manager that containers.conf names, unless the command line did; one that is not there is not
// taken.
void use_cgroup_manager(const std::string& name, Host* host);

// Rootless: joins the user namespace that is held for this login (makes and holds it when there is
// none), and a mount namespace of our own. Rootful: nothing. Afterwards ids 0.. of the user's maps
// can be owned and mounts can be made. The process must be single-threaded.
Status enter_namespaces(Host* host);

// The network namespace that the bridges are in: rootless N, which the holder keeps, else our own.
// After enter_namespaces().
Result<sys::UniqueFd> bridge_netns(const Host& host);

}  // namespace minke::engine
