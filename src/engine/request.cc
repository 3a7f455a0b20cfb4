// JSON names of a CreateRequest, as config.json keeps it.
#include "engine/request.h"

#include "net/network.h"

namespace minke::engine {

void bind(json::Binder& b, NamespaceMode& m) {
  b("mode", m.mode);
  b("value", m.value);
}
void bind(json::Binder& b, MountRequest& m) {
  b("type", m.type);
  b("source", m.source);
  b("destination", m.destination);
  b("options", m.options);
  b("fromVolumeFlag", m.from_volume_flag);
  b("volumeOptions", m.volume_options);
  b("subpath", m.subpath);
}
void bind(json::Binder& b, Ulimit& u) {
  b("name", u.name);
  b("soft", u.soft);
  b("hard", u.hard);
}
void bind(json::Binder& b, HealthRequest& h) {
  b("disabled", h.disabled);
  b("test", h.test);
  b("interval", h.interval);
  b("timeout", h.timeout);
  b("startPeriod", h.start_period);
  b("retries", h.retries);
  b("startupTest", h.startup_test);
  b("startupInterval", h.startup_interval);
  b("startupTimeout", h.startup_timeout);
  b("startupRetries", h.startup_retries);
  b("startupSuccesses", h.startup_successes);
  b("onFailure", h.on_failure);
  b("logDestination", h.log_destination);
  b("maxLogCount", h.max_log_count);
  b("maxLogSize", h.max_log_size);
}

void bind(json::Binder& b, NetworkChoice& c) {
  b("network", c.network);
  bind_field(b, "ip", c.ip);
  bind_field(b, "ip6", c.ip6);
  bind_field(b, "mac", c.mac);
  b("aliases", c.aliases);
  b("interface", c.interface);
}

void bind(json::Binder& b, RestartPolicy& r) {
  b("name", r.name);
  b("retries", r.retries);
}
static void bind(json::Binder& b, LogRequest& l) {
  b("driver", l.driver);
  b("options", l.options);
}

void bind(json::Binder& b, ConfigDefaults& d) {
  b("capabilities", d.capabilities);
  b("sysctls", d.sysctls);
  b("env", d.env);
  b("hooksDirs", d.hooks_dirs);
  b("seccompProfile", d.seccomp_profile);
  b("apparmorProfile", d.apparmor_profile);
  b("baseHostsFile", d.base_hosts_file);
  b("cgroupManager", d.cgroup_manager);
  b("runtimePath", d.runtime_path);
  b("internalIp", d.internal_ip);
  b("shmSize", d.shm_size);
  b("logMaxSize", d.log_max_size);
  b("autoUsernsSize", d.auto_userns_size);
  b("noKeyring", d.no_keyring);
  b("nameAsHostname", d.name_as_hostname);
  b("prepareVolumes", d.prepare_volumes);
  b("noHealthEvents", d.no_health_events);
}

// A member whose default is true is written always: an absent one must read back as the default.
static void bind_true(json::Binder& b, const char* key, bool& field) { b.required(key, field); }

static void bind_process(json::Binder& b, CreateRequest& r) {
  b("env", r.env);
  b("envMerge", r.env_merge);
  b("unsetEnv", r.unset_env);
  b("envHost", r.env_host);
  b("unsetEnvAll", r.unset_env_all);
  bind_true(b, "httpProxy", r.http_proxy);
  b("workdir", r.workdir);
  b("user", r.user);
  b("umask", r.umask);
  b("groups", r.groups);
  b("terminal", r.terminal);
  b("stdinOpen", r.stdin_open);
  b("attach", r.attach);
  b("hostname", r.hostname);
  b("domainname", r.domainname);
  b("init", r.init);
  b("initPath", r.init_path);
  b("tz", r.tz);
  b("personality", r.personality);
  b("oomScoreAdj", r.oom_score_adj);
  b("ulimits", r.ulimits);
  b("systemd", r.systemd);
  b("preserveFds", r.preserve_fds);
  b("preserveFd", r.preserve_fd);
  b("passwdEntry", r.passwd_entry);
  b("groupEntry", r.group_entry);
  bind_true(b, "passwd", r.passwd);
  b("hostUsers", r.host_users);
  b("chrootDirs", r.chroot_dirs);
}

static void bind_isolation(json::Binder& b, CreateRequest& r) {
  b("pid", r.pid);
  b("ipc", r.ipc);
  b("uts", r.uts);
  b("cgroupns", r.cgroupns);
  b("userns", r.userns);
  b("network", r.network);
  b("uidMaps", r.uid_maps);
  b("gidMaps", r.gid_maps);
  b("subuidName", r.subuid_name);
  b("subgidName", r.subgid_name);
  b("capAdd", r.cap_add);
  b("capDrop", r.cap_drop);
  b("securityOpts", r.security_opts);
  b("seccompPolicy", r.seccomp_policy);
  b("rdtClass", r.rdt_class);
  b("privileged", r.privileged);
  b("readOnly", r.read_only);
  bind_true(b, "readOnlyTmpfs", r.read_only_tmpfs);
  b("sysctls", r.sysctls);
  b("devices", r.devices);
  b("deviceCgroupRules", r.device_cgroup_rules);
  b("gpus", r.gpus);
  b("cdiFolders", r.cdi_folders);
}

static void bind_limits(json::Binder& b, CreateRequest& r) {
  b("cgroupParent", r.cgroup_parent);
  b("cgroups", r.cgroups);
  b("resources", r.resources);
  b("blkioWeightDevices", r.blkio_weight_devices);
  b("deviceReadBps", r.device_read_bps);
  b("deviceWriteBps", r.device_write_bps);
  b("deviceReadIops", r.device_read_iops);
  b("deviceWriteIops", r.device_write_iops);
  b("cpus", r.cpus);
}

void bind(json::Binder& b, CreateRequest& r) {
  b("image", r.image);
  b("rootfs", r.rootfs);
  b("name", r.name);
  b("command", r.command);
  b("entrypoint", r.entrypoint);
  b("createCommand", r.create_command);
  b("labels", r.labels);
  b("annotations", r.annotations);
  b("pull", r.pull);
  b("platformOs", r.platform_os);
  b("platformArch", r.platform_arch);
  b("platformVariant", r.platform_variant);
  bind_process(b, r);
  bind_isolation(b, r);
  b("mounts", r.mounts);
  b("volumesFrom", r.volumes_from);
  b("imageVolume", r.image_volume);
  b("shmSize", r.shm_size);
  b("shmSizeSystemd", r.shm_size_systemd);
  b("secrets", r.secrets);
  bind_limits(b, r);
  b("networks", r.networks);
  b("ports", r.ports);
  b("publishAll", r.publish_all);
  b("noHosts", r.no_hosts);
  b("noHostname", r.no_hostname);
  b("addHosts", r.add_hosts);
  b("dns", r.dns);
  b("dnsSearch", r.dns_search);
  b("dnsOptions", r.dns_options);
  b("expose", r.expose);
  b("stopSignal", r.stop_signal);
  b("stopTimeout", r.stop_timeout);
  b("timeout", r.timeout);
  b("restart", r.restart);
  b("health", r.health);
  b("remove", r.remove);
  b("removeImage", r.remove_image);
  b("replace", r.replace);
  b("log", r.log);
  b("pidFile", r.pid_file);
  b("monitorPidFile", r.monitor_pid_file);
  b("cidFile", r.cid_file);
  b("sdnotify", r.sdnotify);
  b("requires", r.requires_);
  b("runtime", r.runtime);
  b("runtimeFlags", r.runtime_flags);
  b("buildStep", r.build_step);
  b("defaults", r.defaults);
}

}  // namespace minke::engine
