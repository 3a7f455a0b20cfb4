// What the specgen_*.cc files share. Each subject has one function that folds it into the config
// (resolve_x) or one that puts it into the spec (add_x), and both use the same parsers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cdi.h"
#include "engine/specgen.h"
#include "engine/users.h"

namespace minke::engine {

// --- security: --security-opt, capabilities, seccomp (specgen_security.cc, specgen_seccomp.cc)
struct SecurityOptions {
  bool no_new_privileges = false;
  std::string seccomp;                    // "" default, "unconfined", or a path
  std::string apparmor;                   // "" default, "unconfined", or a profile
  std::vector<std::string> mask, unmask;  // paths; unmask may hold patterns
  bool unmask_all = false;
  std::string proc_opts;  // mount options of /proc
};
Result<SecurityOptions> parse_security_options(const CreateRequest& request);

// "chown" or "CAP_CHOWN" to "CAP_CHOWN", "ALL"; unknown names are an error.
Result<std::vector<std::string>> normalize_capabilities(const std::vector<std::string>& names);
const std::vector<std::string>& default_capabilities();  // sorted
// The bounding set of --cap-add, --cap-drop and --privileged, sorted.
Result<std::vector<std::string>> bounding_capabilities(const CreateRequest& request);
// The sets of a process: root has all of `bounding`, others what was asked for by name. Inheritable
// and ambient stay empty (CVE-2022-24769, CVE-2022-27649, CVE-2022-29162).
Result<oci::Capabilities> process_capabilities(const CreateRequest& request,
                                               const std::vector<std::string>& bounding,
                                               bool is_root);
// Every capability that the running kernel has, within our own bounding set.
std::vector<std::string> all_capabilities();

// A profile file in Docker's form (archMap, includes, excludes) or the runtime specification's.
Result<oci::Seccomp> load_seccomp_profile(const std::string& path,
                                          const std::vector<std::string>& capabilities);
Result<oci::Seccomp> parse_seccomp_profile(std::string_view json,
                                           const std::vector<std::string>& capabilities);

// --- limits (specgen_limits.cc)
Result<oci::Resources> resolve_resources(const CreateRequest& request, const Host& host);
Result<std::vector<oci::Rlimit>> resolve_rlimits(const CreateRequest& request);
const std::vector<std::string>& default_sysctls();  // NAME=VALUE
Status check_sysctls(const CreateRequest& request, const ContainerConfig& config);

// --- devices (specgen_devices.cc)
struct DeviceRequest {
  std::string source, destination, access = "rwm";
};
Result<DeviceRequest> parse_device(std::string_view text);
// Those of --device VENDOR/CLASS=NAME and --gpus.
Result<CdiEdits> requested_cdi_devices(const CreateRequest& request);
Result<oci::DeviceRule> parse_device_rule(std::string_view text);

// --- namespaces (specgen_namespaces.cc)
Status resolve_namespaces(const CreateRequest& request, const ResolveContext& context,
                          ContainerConfig* config);

// --- process (specgen_process.cc)
Status resolve_process(const CreateRequest& request, const ResolveContext& context,
                       ContainerConfig* config);
// Sets K=V in `env`, in place when K is there.
void set_env(std::vector<std::string>* env, std::string_view entry);
bool has_env(const std::vector<std::string>& env, std::string_view name);
// K=V as it stands, K and K* from the caller's environment; "=V" and "" are refused.
Status add_requested_env(const std::vector<std::string>& requested, std::vector<std::string>* env);

// --- mounts (specgen_resolve_mounts.cc)
Status resolve_mounts(const CreateRequest& request, const ResolveContext& context,
                      ContainerConfig* config);

// --- secrets (specgen_secrets.cc)
Status resolve_secrets(const CreateRequest& request, const ResolveContext& context,
                       ContainerConfig* config);

// --- the log (specgen_resolve.cc)
Result<monitor::LogPlan> resolve_log(const CreateRequest& request,
                                     const std::string& container_dir);

// --- accounts: the container's passwd and group as it will see them (specgen_accounts.cc)
struct Accounts {
  std::string passwd, group;
  bool passwd_mounted = false, group_mounted = false;  // the user's own mount stands there
};
Result<Accounts> read_accounts(const ContainerConfig& config, const Host& host,
                               const std::string& upper);
// What has to be added, as whole new texts; nothing when nothing has to be.
struct AccountFiles {
  std::optional<std::string> passwd, group;
};
Result<AccountFiles> make_account_files(const ContainerConfig& config, const Host& host,
                                        const Accounts& accounts, const ResolvedUser& user);

// --- the spec under construction
struct SpecBuilder {
  const ContainerConfig& config;
  const CreateRequest& request;
  const SpecContext& context;
  const Host& host;
  SecurityOptions security;
  oci::Spec spec;
  oci::Process process;
  oci::Linux linux_;

  bool own_userns() const {
    return !config.uid_map.empty() || config.userns_mode.starts_with("ns:");
  }
  // We or the container stand in a user namespace: no mknod, and locked mounts.
  bool in_userns() const { return host.rootless || own_userns(); }
  bool host_network() const { return config.network_mode == "host"; }
};
Status add_namespaces(SpecBuilder* b);
Status add_process(SpecBuilder* b);
Status add_security(SpecBuilder* b);
Status add_limits(SpecBuilder* b);
Status add_devices(SpecBuilder* b);
Status add_mounts(SpecBuilder* b);
void add_secret_mounts(SpecBuilder* b);
Status add_account_files(SpecBuilder* b);
// Hooks of oci-hooks(5) that apply to the container (specgen_hooks.cc).
Status add_hooks(SpecBuilder* b);
void add_annotations(SpecBuilder* b);

// The path of the container's cgroup as its manager takes it; "" without one.
Result<std::string> cgroups_path(const ContainerConfig& config, const Host& host);

}  // namespace minke::engine
