// The one meaning of all create options, whoever speaks: CLI, REST APIs, compose, quadlet, kube.
// A front end turns its words into this (engine/parse.h helps with compound ones); resolve_config()
// (engine/specgen.h) folds in the image and the defaults.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "engine/registry_access.h"
#include "net/address.h"
#include "net/port.h"
#include "oci/spec.h"

namespace minke::engine {

// How one namespace is chosen: --pid, --ipc, --uts, --cgroupns, --userns, --network.
struct NamespaceMode {
  // "" (the default), private, host, none, shareable, container, ns, keep-id, auto, nomap, pod.
  std::string mode;
  std::string value;  // container name, path of a namespace, options of keep-id and auto
};

// One network that a container is on: --network NAME:ip=,ip6=,mac=,alias=,interface_name=.
struct NetworkChoice {
  std::string network;  // as typed, in a config the name; "" and "default": the default one
  std::optional<net::IpAddress> ip, ip6;
  std::optional<net::MacAddress> mac;
  std::vector<std::string> aliases;
  std::string interface;  // inside; empty: eth0, eth1, ...
};

struct MountRequest {
  std::string type;    // bind volume tmpfs devpts image ... as --mount type= names it
  std::string source;  // host path, volume name, image; empty: anonymous volume
  std::string destination;
  std::vector<std::string> options;  // as for -v: ro rw z Z U nocopy rshared noexec idmap ...
  bool from_volume_flag =
      false;  // -v: a missing host directory is an error in Podman, made in Docker
  std::map<std::string, std::string> volume_options = {};  // volume-opt: of a volume that is made
  std::string subpath = {};                                // of a volume: only what is there
};

struct Ulimit {
  std::string name;                 // nofile
  std::int64_t soft = 0, hard = 0;  // -1: unlimited
};

struct LogRequest {
  std::string driver;                          // empty: the default
  std::map<std::string, std::string> options;  // path max-size max-file tag label
};

struct RestartPolicy {
  std::string name;  // "" no on-failure always unless-stopped
  std::uint32_t retries = 0;
};

// --health-*: only what was given; the image's own check fills the rest.
struct HealthRequest {
  bool disabled = false;                                        // --no-healthcheck
  std::vector<std::string> test;                                // CMD words, CMD-SHELL text, NONE
  std::optional<std::int64_t> interval, timeout, start_period;  // ns
  std::optional<std::int32_t> retries;
  std::vector<std::string> startup_test;
  std::int64_t startup_interval = 30'000'000'000, startup_timeout = 30'000'000'000;
  std::int32_t startup_retries = 0, startup_successes = 0;
  std::string on_failure;       // "" none kill restart stop
  std::string log_destination;  // "" local
  std::uint32_t max_log_count = 5, max_log_size = 500;
};

// What containers.conf said when the container was made and no option says otherwise; what has an
// option of its own is folded into that one's field (engine/defaults.h).
struct ConfigDefaults {
  std::optional<std::vector<std::string>> capabilities, sysctls;  // none: the built-in ones
  std::vector<std::string> env;                                   // K=V, K: weaker than the image's
  std::vector<std::string> hooks_dirs;                            // of oci-hooks(5), weakest first
  std::string seccomp_profile, apparmor_profile, base_hosts_file, cgroup_manager, runtime_path,
      internal_ip;  // of host.containers.internal; "none": no such name
  std::optional<std::int64_t> shm_size, log_max_size, auto_userns_size;
  bool no_keyring = false, name_as_hostname = false, prepare_volumes = false,
       no_health_events = false;
};

struct CreateRequest {
  // What runs
  std::string image;    // as typed
  bool rootfs = false;  // --rootfs: `image` is the path of a root file system
  std::string name;
  std::vector<std::string> command;
  std::optional<std::vector<std::string>> entrypoint;  // {""} clears the image's
  std::vector<std::string> create_command;             // argv of the client, for inspect
  std::map<std::string, std::string> labels, annotations;
  std::string pull;  // always missing never newer; "" missing
  std::string platform_os, platform_arch, platform_variant;
  // Of this call only: how the image is got when it is not here.
  RegistryAccess registry;
  TransferWatch pull_watch;

  // The process
  std::vector<std::string> env;  // K=V, or K: taken from the caller's environment
  std::vector<std::string> env_merge, unset_env;
  bool env_host = false, unset_env_all = false;
  bool http_proxy = true;
  std::string workdir, user, umask;
  std::vector<std::string> groups;  // --group-add
  bool terminal = false, stdin_open = false;
  std::vector<std::string> attach;  // stdin stdout stderr; empty: by default rules
  std::string hostname, domainname;
  bool init = false;
  std::string init_path;
  std::string tz, personality;
  std::optional<std::int64_t> oom_score_adj;
  std::vector<Ulimit> ulimits;
  std::string systemd;  // "" true, false, always
  std::uint32_t preserve_fds = 0;
  std::vector<std::int32_t> preserve_fd;  // --preserve-fd: those numbers
  std::string passwd_entry, group_entry;
  bool passwd = true;  // --passwd: entries are added to /etc/passwd for unknown users
  std::vector<std::string> host_users;
  std::vector<std::string> chroot_dirs;

  // Isolation
  NamespaceMode pid, ipc, uts, cgroupns, userns, network;
  std::vector<std::string> uid_maps, gid_maps;  // [+@]C:H[:N]
  std::string subuid_name, subgid_name;
  std::vector<std::string> cap_add, cap_drop, security_opts;
  std::string seccomp_policy, rdt_class;
  bool privileged = false, read_only = false, read_only_tmpfs = true;
  std::map<std::string, std::string> sysctls;
  std::vector<std::string> devices, device_cgroup_rules, gpus,
      cdi_folders;  // --cdi-spec-dir; empty: the usual ones

  // Files
  std::vector<MountRequest> mounts;
  std::vector<std::string> volumes_from;
  std::string image_volume;                                // "" anonymous (bind), tmpfs, ignore
  std::optional<std::int64_t> shm_size, shm_size_systemd;  // bytes; 0: no limit
  std::vector<std::string> secrets;

  // Limits
  std::string cgroup_parent, cgroups;  // cgroups: "" enabled disabled no-conmon split
  oci::Resources resources;            // memory, cpu, pids, blkio, unified as asked
  std::vector<std::string> blkio_weight_devices, device_read_bps, device_write_bps,
      device_read_iops, device_write_iops;
  std::optional<double> cpus;

  // Networks: of mode bridge; none there: the default one
  std::vector<NetworkChoice> networks;
  std::vector<net::PortMapping> ports;
  bool publish_all = false;
  // Network files
  bool no_hosts = false, no_hostname = false;
  std::vector<std::string> add_hosts, dns, dns_search, dns_options, expose;

  // Life
  std::optional<std::string> stop_signal;
  std::optional<std::int64_t> stop_timeout;  // seconds
  std::int64_t timeout = 0;                  // seconds
  RestartPolicy restart;
  HealthRequest health;
  bool remove = false, remove_image = false, replace = false;
  LogRequest log;
  std::string pid_file, monitor_pid_file, cid_file;
  std::string sdnotify;  // "" container
  std::vector<std::string> requires_;
  std::string runtime;  // --runtime: name or path of an OCI runtime; empty: ours
  std::vector<std::string> runtime_flags;
  bool build_step = false;  // of a build: ends with the command that runs it

  ConfigDefaults defaults;
  // Long names of boolean options that were given; not kept. The others may come from
  // containers.conf.
  std::vector<std::string> given;
};

void bind(json::Binder& b, NamespaceMode& m);
void bind(json::Binder& b, NetworkChoice& c);
void bind(json::Binder& b, MountRequest& m);
void bind(json::Binder& b, Ulimit& u);
void bind(json::Binder& b, RestartPolicy& r);
void bind(json::Binder& b, HealthRequest& h);
void bind(json::Binder& b, ConfigDefaults& d);
void bind(json::Binder& b, CreateRequest& r);

}  // namespace minke::engine
