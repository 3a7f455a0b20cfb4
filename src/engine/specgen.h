// From a request to a config, and from a config to the OCI spec. Decisions only; the folders and
// files that a spec refers to are made by their own functions below.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/config.h"
#include "engine/host.h"
#include "engine/request.h"
#include "net/network.h"
#include "store/store.h"

namespace minke::engine {

// An image as something to mount.
struct ImageTree {
  std::string id, name;
  std::vector<std::string> layers;  // folders, topmost first
};

// What decisions need to know of other objects. The engine fills it.
struct ResolveContext {
  const Host* host = nullptr;
  const store::Image* image = nullptr;  // null with --rootfs
  std::string id;                       // 64 hex digits, chosen already
  std::string container_dir;            // ROOT/containers/ID as it will be
  // The config of another container by name or id (container: modes, --volumes-from).
  std::function<Result<ContainerConfig>(std::string_view)> find_container;
  // A network by name or id; "" is the default one.
  std::function<Result<net::Network>(std::string_view)> find_network;
  // The user maps taken by other containers with --userns=auto.
  std::function<Result<std::vector<oci::IdMapping>>()> auto_maps_in_use;
  // The _data folder that a named or anonymous volume has or will have; it is made after the
  // container's record.
  std::function<Result<std::string>(const std::string& name, bool anonymous)> ensure_volume;
  std::function<Result<ImageTree>(const std::string& name)> find_image;
};
Result<ContainerConfig> resolve_config(const CreateRequest& request, const ResolveContext& context);

// What is known only when it starts.
struct SpecContext {
  const Host* host = nullptr;
  std::string container_dir, run_dir;  // ROOT/containers/ID, RUNROOT/containers/ID
  // Init's pid of a running container whose namespaces are joined.
  std::function<Result<pid_t>(std::string_view id)> container_pid;
};
// Who makes the container's cgroup: with --cgroups disabled nobody, with split never systemd.
runtime::CgroupManager cgroup_manager(const CreateRequest& request, const Host& host);
Result<oci::Spec> make_spec(const ContainerConfig& config, const SpecContext& context);

// The process of `exec`: the container's process with the options of exec applied.
struct ExecOptions {
  std::vector<std::string> command;
  std::vector<std::string> env;  // K=V or K
  std::string user, workdir;
  bool terminal = false, stdin_open = false, privileged = false;
  std::uint32_t preserve_fds = 0;
  std::vector<std::int32_t> preserve_fd;
  std::string detach_keys = "ctrl-p,ctrl-q";
};
// `root_fd`: the container's root as seen from outside (for names in its /etc/passwd and
// /etc/group).
Result<oci::Process> make_exec_process(const ContainerConfig& config, const oci::Spec& spec,
                                       const ExecOptions& options, int root_fd);

// "--network" as it is typed, once or several times: a mode, or networks. Errors are Podman's.
// (specgen_networks.cc)
Status parse_networks(const std::vector<std::string>& texts, CreateRequest* request);
// Checks and names the networks, merges ports, says what cannot go together.
Status resolve_networks(const CreateRequest& request, const ResolveContext& context,
                        ContainerConfig* config);

// Files of the container's own that the spec binds in: hosts, resolv.conf, hostname, .containerenv,
// and the folders of run_dir. Written into `dir` (a staging folder at create), owned by the
// container's root.
Status write_container_files(const ContainerConfig& config, const Host& host,
                             const std::string& dir);

// Secrets that are mounted, copied into the container's folder (in staging) when it is made.
Status copy_secrets(const ContainerConfig& config, const Host& host, const std::string& dir);
// Before each start: the files that the spec binds in; what comes back is environment ("K=V") that
// no file but the one for exec holds.
Result<std::vector<std::string>> prepare_secrets(const ContainerConfig& config, const Host& host,
                                                 const std::string& container_dir,
                                                 const std::string& run_dir);
// The same environment for a process of a running container.
Status add_secret_env(const ContainerConfig& config, const std::string& run_dir,
                      std::vector<std::string>* env);

// O: where changes of the mount `index` go, made anew before each start.
std::string overlay_dir(const std::string& container_dir, std::size_t index);
Status prepare_overlays(const ContainerConfig& config, const std::string& container_dir);

// First use of volumes: copies what the image has at a volume's place into it while it is empty
// (never again after), and changes owners for U. `root_fd` is a view of the image's root file
// system.
Status prepare_volumes(const ContainerConfig& config, const Host& host, int root_fd);

// A read-only view of the container's root before it runs: a detached overlay of its layers (and
// its upper folder, if any), or the one folder. Needs enter_namespaces().
Result<sys::UniqueFd> open_rootfs_view(const ContainerConfig& config, const Host& host,
                                       const std::string& upper);

}  // namespace minke::engine
