// The options of create and run: one table, and what they mean as a CreateRequest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/registry_flags.h"
#include "engine/engine.h"
#include "engine/request.h"

namespace minke::cli {

// What both have. Fields are as typed; defaults are those of the help text.
struct ContainerFlags : RegistryFlags {
  // what runs
  std::string name, pull, os, arch, variant, platform, cidfile;
  std::optional<std::string> entrypoint;
  std::vector<std::string> label, label_file, annotation;
  bool quiet = false, rootfs = false, replace = false, rm = false;
  bool disable_content_trust = false, no_healthcheck = false;
  // the process
  std::vector<std::string> env, env_file, env_merge, unsetenv, group_add, hostuser, chrootdirs,
      ulimit, attach;
  bool env_host = false, unsetenv_all = false, http_proxy = true, tty = false, interactive = false,
       init = false;
  std::string workdir, user, umask, hostname, domainname, init_path, tz, personality, systemd,
      passwd_entry, group_entry;
  std::optional<std::int64_t> oom_score_adj;
  // isolation
  std::string pid, ipc, uts, cgroupns, userns, subuidname, subgidname, seccomp_policy, rdt_class;
  std::vector<std::string> network, uidmap, gidmap, cap_add, cap_drop, security_opt, sysctl, device,
      device_cgroup_rule, gpus;
  bool privileged = false, read_only = false, read_only_tmpfs = true;
  // files
  std::vector<std::string> volume, mount, tmpfs, volumes_from, secret;
  std::string image_volume, shm_size, shm_size_systemd;
  // limits
  std::string cgroup_parent, cgroups, memory, memory_reservation, memory_swap, cpuset_cpus,
      cpuset_mems, blkio_weight;
  std::vector<std::string> cgroup_conf, blkio_weight_device, device_read_bps, device_write_bps,
      device_read_iops, device_write_iops;
  std::optional<std::int64_t> memory_swappiness, cpu_quota, cpu_rt_runtime, pids_limit;
  std::optional<std::uint64_t> cpu_shares, cpu_period, cpu_rt_period;
  std::optional<double> cpus;
  bool oom_kill_disable = false;
  // networks
  bool no_hosts = false, no_hostname = false, publish_all = false;
  std::vector<std::string> add_host, dns, dns_search, dns_option, expose, network_alias, publish;
  std::string hosts_file, ip, ip6, mac_address;
  // life
  std::optional<std::string> stop_signal;
  std::optional<std::uint32_t> stop_timeout;
  std::uint32_t timeout = 0;
  std::string restart, log_driver, pidfile, conmon_pidfile, sdnotify;
  std::vector<std::string> log_opt, requires_;
  // health
  std::optional<std::string> health_cmd, health_interval, health_start_period, health_timeout,
      health_startup_cmd;
  std::optional<std::int32_t> health_retries;
  std::string health_startup_interval = "30s", health_startup_timeout = "30s",
              health_on_failure = "none", health_log_destination = "local";
  std::int32_t health_startup_retries = 0, health_startup_success = 0;
  std::uint32_t health_max_log_count = 5, health_max_log_size = 500;
};

// Those of run alone.
struct RunFlags : ContainerFlags {
  bool detach = false, rmi = false, sig_proxy = true, passwd = true;
  std::optional<std::string> detach_keys;
  std::uint32_t preserve_fds = 0;
  std::vector<std::string> preserve_fd;
};

// update and clone take the limits and a little more.
struct UpdateFlags : ContainerFlags {
  bool latest = false;
};
struct CloneFlags : ContainerFlags {
  bool destroy = false, force = false, run = false;
};

extern const OptionTable kCreateTables[4];
extern const OptionTable kRunTables[4];
extern const OptionTable kUpdateTables[3];
extern const OptionTable kCloneTables[2];

// --network, what is said of networks beside it, published ports, and files with names.
Status set_networks(const ContainerFlags& flags, engine::CreateRequest* request);
// The limits among the flags, into the request.
Status set_limits(const ContainerFlags& flags, engine::CreateRequest* request);

// What update was asked to change of the health check and of the restart policy: the options that
// were given.
Result<engine::HealthUpdate> health_update(const Invocation& call, const ContainerFlags& flags);

// Options, image and command to the one request. Errors are Podman's; options that come later are
// refused by name.
Result<engine::CreateRequest> make_request(const Invocation& call, const ContainerFlags& flags);
// With what only `run` has.
Result<engine::CreateRequest> make_run_request(const Invocation& call, const RunFlags& flags);

// --preserve-fds: as many were given to us, from 3 on.
Status check_preserved(std::uint32_t count);
// Numbers of descriptors that were given to us.
Result<std::vector<std::int32_t>> parse_descriptors(const std::vector<std::string>& texts);

// --cidfile: refused when the file is there already; written when the container is.
Status check_cidfile(const std::string& path);
Status write_cidfile(const std::string& path, const std::string& id);

// --rmi: removes the image unless another container uses it; a fault is only told.
void remove_image_after(engine::Engine& engine, const std::string& image);

// -it without a terminal: a warning, as Podman gives.
void warn_no_terminal(bool tty, bool interactive);

}  // namespace minke::cli
