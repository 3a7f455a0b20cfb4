// containers.conf(5), as far as this engine has a use for it. A field that no file sets is empty;
// what then holds is the business of whoever asks. docs/configuration.md says what each key does.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::config {

using Strings = std::vector<std::string>;
using StringsByName = std::map<std::string, Strings>;
using TextByName = std::map<std::string, std::string>;

// An empty text means the same as none.
struct ContainersConf {
  // [containers]
  std::optional<Strings> annotations, default_capabilities, default_sysctls, default_ulimits,
      devices, dns_options, dns_searches, dns_servers, env, mounts, volumes;
  std::string apparmor_profile, base_hosts_file, cgroupns, cgroups, host_containers_internal_ip,
      init_path, ipcns, log_driver, log_tag, netns, pidns, seccomp_profile, shm_size, tz, umask,
      userns, utsns;
  std::optional<bool> env_host, http_proxy, init, keyring, no_hosts, prepare_volume_on_create,
      privileged, read_only, name_as_hostname;
  std::optional<std::int64_t> log_size_max, oom_score_adj, pids_limit, userns_size;

  // [engine]
  std::string cgroup_manager, events_logfile_path, events_logger, events_logfile_max_size,
      image_volume_mode, engine_init_path, pull_policy, runtime;
  std::optional<std::string> detach_keys;  // empty: no keys
  std::optional<Strings> engine_env, hooks_dir;
  std::optional<std::int64_t> stop_timeout;
  std::optional<bool> healthcheck_events, multi_image_archive;
  StringsByName runtimes;  // [engine.runtimes]: where a runtime may lie

  // [network]
  std::string default_network, default_subnet;
  std::optional<Strings> pasta_options;
  struct SubnetPool {
    std::string base;
    std::int64_t size = 0;
  };
  std::optional<std::vector<SubnetPool>> default_subnet_pools;

  // [secrets]
  std::string secrets_driver;
  TextByName secrets_opts;

  TextByName where;  // "containers.env": "FILE:LINE" that set it last, for messages
};

// storage.conf(5): where --userns=auto takes its ids from.
struct StorageConf {
  std::string root_auto_userns_user;
  std::optional<std::int64_t> auto_userns_min_size, auto_userns_max_size;
};

// Where configuration is looked for.
struct ConfPlaces {
  uid_t uid = 0;            // the user's, also inside his namespace
  std::string config_home;  // $XDG_CONFIG_HOME or ~/.config; empty: none
  std::string only;         // CONTAINERS_CONF: this file and no other place
  std::string override_;    // CONTAINERS_CONF_OVERRIDE: read last
  std::string storage;      // CONTAINERS_STORAGE_CONF
  Strings modules;          // --module
  std::string prefix;       // in front of /usr/share and /etc
};
// As the environment says.
ConfPlaces find_places(uid_t uid, const std::string& home, Strings modules);

// Every file in Podman's order, later ones over earlier ones: /usr/share/containers,
// /etc/containers, config_home/containers, of each containers.conf and then *.conf of
// containers.conf.d, containers.rootful.conf.d or containers.rootless.conf.d (and its folder UID)
// by name; modules; the override. A missing file is passed over unless it was named. An error is
// one line with file, line and key. What has no effect here is described in `notes` (if any), a
// line each.
Result<ContainersConf> load_containers_conf(const ConfPlaces& places, Strings* notes = nullptr);
// The one file that counts: CONTAINERS_STORAGE_CONF, else the last that is there of the same
// places.
Result<StorageConf> load_storage_conf(const ConfPlaces& places, Strings* notes = nullptr);

// Reads one file's text over what `conf` has; for tests and fuzzers.
Status merge_containers_conf(std::string_view text, const std::string& path, ContainersConf* conf,
                             Strings* notes);

}  // namespace minke::config
