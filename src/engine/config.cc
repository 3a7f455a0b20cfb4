// JSON names of config.json.
#include "engine/config.h"

namespace minke::engine {

void bind(json::Binder& b, ResolvedMount& m) {
  b("type", m.type);
  b("volumeName", m.volume_name);
  b("source", m.source);
  b("destination", m.destination);
  b("options", m.options);
  b.required("readWrite", m.read_write);
  b("propagation", m.propagation);
  b("anonymous", m.anonymous);
  b("copyUp", m.copy_up);
  b("chown", m.chown);
  b("relabel", m.relabel);
  b("idmap", m.idmap);
  b("idmapUids", m.idmap_uids);
  b("idmapGids", m.idmap_gids);
  b("volumeOptions", m.volume_options);
  b("fsType", m.fs_type);
  b("device", m.device);
  b("subpath", m.subpath);
  b("overlay", m.overlay);
  b("upper", m.upper);
  b("work", m.work);
  b("imageId", m.image_id);
  b("lower", m.lower);
}

void bind(json::Binder& b, ContainerSecret& s) {
  b.required("id", s.id);
  b.required("name", s.name);
  b("env", s.env);
  b("target", s.target);
  b("uid", s.uid);
  b("gid", s.gid);
  b.required("mode", s.mode);
}

void bind(json::Binder& b, ContainerConfig& c) {
  b.required("id", c.id);
  b.required("name", c.name);
  b.required("created", c.created);
  b("imageId", c.image_id);
  b("imageName", c.image_name);
  b("imageDigest", c.image_digest);
  b("rootfs", c.rootfs);
  b("lower", c.lower);
  b("request", c.request);
  b("entrypoint", c.entrypoint);
  b("command", c.command);
  b("env", c.env);
  b("labels", c.labels);
  b("annotations", c.annotations);
  b("user", c.user);
  b("workdir", c.workdir);
  b("hostname", c.hostname);
  b.required("stopSignal", c.stop_signal);
  b.required("stopTimeout", c.stop_timeout);
  b("mounts", c.mounts);
  b("capEffective", c.cap_effective);
  b("capBounding", c.cap_bounding);
  b("uidMap", c.uid_map);
  b("gidMap", c.gid_map);
  b("usernsMode", c.userns_mode);
  b("networkMode", c.network_mode);
  b("pidMode", c.pid_mode);
  b("ipcMode", c.ipc_mode);
  b("utsMode", c.uts_mode);
  b("cgroupnsMode", c.cgroupns_mode);
  b("dependsOn", c.depends_on);
  b("log", c.log);
  b("health", c.health);
  b.required("shmSize", c.shm_size);
  b("networks", c.networks);
  b("ports", c.ports);
  b("expose", c.expose);
  b("systemdMode", c.systemd_mode);
  b("seccompProfile", c.seccomp_profile);
  b("seccompText", c.seccomp_text);
  b("mountLabel", c.mount_label);
  b("processLabel", c.process_label);
  b("apparmorProfile", c.apparmor_profile);
  b("secrets", c.secrets);
}

}  // namespace minke::engine
