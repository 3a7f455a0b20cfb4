// Field tables of the runtime specification: JSON names beside members, in the order of config.md.
#include "oci/spec.h"

namespace minke::oci {

static void bind(json::Binder& b, ConsoleSize& c) {
  b.required("height", c.height);
  b.required("width", c.width);
}
void bind(json::Binder& b, User& u) {
  b.required("uid", u.uid);
  b.required("gid", u.gid);
  b("umask", u.umask);
  b("additionalGids", u.additional_gids);
}
void bind(json::Binder& b, Capabilities& c) {
  b("bounding", c.bounding);
  b("effective", c.effective);
  b("inheritable", c.inheritable);
  b("permitted", c.permitted);
  b("ambient", c.ambient);
}
void bind(json::Binder& b, Rlimit& r) {
  b.required("type", r.type);
  b.required("hard", r.hard);
  b.required("soft", r.soft);
}
static void bind(json::Binder& b, Scheduler& s) {
  b.required("policy", s.policy);
  b("nice", s.nice);
  b("priority", s.priority);
  b("flags", s.flags);
  b("runtime", s.runtime);
  b("deadline", s.deadline);
  b("period", s.period);
}
static void bind(json::Binder& b, IoPriority& p) {
  b.required("class", p.io_class);
  b.required("priority", p.priority);
}
static void bind(json::Binder& b, ExecCpuAffinity& a) {
  b("initial", a.initial);
  b("final", a.final_);
}
void bind(json::Binder& b, Process& p) {
  b("terminal", p.terminal);
  b("consoleSize", p.console_size);
  b.required("user", p.user);
  b("args", p.args);
  b("commandLine", p.command_line);
  b("env", p.env);
  b.required("cwd", p.cwd);
  b("capabilities", p.capabilities);
  b("rlimits", p.rlimits);
  b("noNewPrivileges", p.no_new_privileges);
  b("apparmorProfile", p.apparmor_profile);
  b("oomScoreAdj", p.oom_score_adj);
  b("scheduler", p.scheduler);
  b("selinuxLabel", p.selinux_label);
  b("ioPriority", p.io_priority);
  b("execCPUAffinity", p.exec_cpu_affinity);
}
static void bind(json::Binder& b, Root& r) {
  b.required("path", r.path);
  b("readonly", r.readonly);
}
void bind(json::Binder& b, IdMapping& m) {
  b.required("containerID", m.container_id);
  b.required("hostID", m.host_id);
  b.required("size", m.size);
}
void bind(json::Binder& b, Mount& m) {
  b.required("destination", m.destination);
  b("type", m.type);
  b("source", m.source);
  b("options", m.options);
  b("uidMappings", m.uid_mappings);
  b("gidMappings", m.gid_mappings);
}
void bind(json::Binder& b, Hook& h) {
  b.required("path", h.path);
  b("args", h.args);
  b("env", h.env);
  b("timeout", h.timeout);
}
void bind(json::Binder& b, Hooks& h) {
  b("prestart", h.prestart);
  b("createRuntime", h.create_runtime);
  b("createContainer", h.create_container);
  b("startContainer", h.start_container);
  b("poststart", h.poststart);
  b("poststop", h.poststop);
}
void bind(json::Binder& b, Namespace& n) {
  b.required("type", n.type);
  b("path", n.path);
}
void bind(json::Binder& b, Device& d) {
  b.required("path", d.path);
  b.required("type", d.type);
  b("major", d.major);
  b("minor", d.minor);
  b("fileMode", d.file_mode);
  b("uid", d.uid);
  b("gid", d.gid);
}
static void bind(json::Binder& b, DeviceRule& r) {
  b.required("allow", r.allow);
  b("type", r.type);
  b("major", r.major);
  b("minor", r.minor);
  b("access", r.access);
}
static void bind(json::Binder& b, Memory& m) {
  b("limit", m.limit);
  b("reservation", m.reservation);
  b("swap", m.swap);
  b("kernel", m.kernel);
  b("kernelTCP", m.kernel_tcp);
  b("swappiness", m.swappiness);
  b("disableOOMKiller", m.disable_oom_killer);
  b("useHierarchy", m.use_hierarchy);
  b("checkBeforeUpdate", m.check_before_update);
}
static void bind(json::Binder& b, Cpu& c) {
  b("shares", c.shares);
  b("quota", c.quota);
  b("burst", c.burst);
  b("period", c.period);
  b("realtimeRuntime", c.realtime_runtime);
  b("realtimePeriod", c.realtime_period);
  b("cpus", c.cpus);
  b("mems", c.mems);
  b("idle", c.idle);
}
static void bind(json::Binder& b, Pids& p) { b.required("limit", p.limit); }
static void bind(json::Binder& b, WeightDevice& d) {
  b.required("major", d.major);
  b.required("minor", d.minor);
  b("weight", d.weight);
  b("leafWeight", d.leaf_weight);
}
static void bind(json::Binder& b, ThrottleDevice& d) {
  b.required("major", d.major);
  b.required("minor", d.minor);
  b.required("rate", d.rate);
}
static void bind(json::Binder& b, BlockIo& io) {
  b("weight", io.weight);
  b("leafWeight", io.leaf_weight);
  b("weightDevice", io.weight_device);
  b("throttleReadBpsDevice", io.throttle_read_bps);
  b("throttleWriteBpsDevice", io.throttle_write_bps);
  b("throttleReadIOPSDevice", io.throttle_read_iops);
  b("throttleWriteIOPSDevice", io.throttle_write_iops);
}
static void bind(json::Binder& b, HugepageLimit& h) {
  b.required("pageSize", h.page_size);
  b.required("limit", h.limit);
}
static void bind(json::Binder& b, InterfacePriority& p) {
  b.required("name", p.name);
  b.required("priority", p.priority);
}
static void bind(json::Binder& b, NetworkClass& n) {
  b("classID", n.class_id);
  b("priorities", n.priorities);
}
static void bind(json::Binder& b, Rdma& r) {
  b("hcaHandles", r.hca_handles);
  b("hcaObjects", r.hca_objects);
}
void bind(json::Binder& b, Resources& r) {
  b("devices", r.devices);
  b("memory", r.memory);
  b("cpu", r.cpu);
  b("pids", r.pids);
  b("blockIO", r.block_io);
  b("hugepageLimits", r.hugepage_limits);
  b("network", r.network);
  b("rdma", r.rdma);
  b("unified", r.unified);
}
static void bind(json::Binder& b, SeccompArg& a) {
  b.required("index", a.index);
  b.required("value", a.value);
  b("valueTwo", a.value_two);
  b.required("op", a.op);
}
static void bind(json::Binder& b, SeccompRule& r) {
  b.required("names", r.names);
  b.required("action", r.action);
  b("errnoRet", r.errno_ret);
  b("args", r.args);
}
void bind(json::Binder& b, Seccomp& s) {
  b.required("defaultAction", s.default_action);
  b("defaultErrnoRet", s.default_errno_ret);
  b("architectures", s.architectures);
  b("flags", s.flags);
  b("listenerPath", s.listener_path);
  b("listenerMetadata", s.listener_metadata);
  b("syscalls", s.syscalls);
}
static void bind(json::Binder& b, IntelRdt& r) {
  b("closID", r.clos_id);
  b("l3CacheSchema", r.l3_cache_schema);
  b("memBwSchema", r.mem_bw_schema);
  b("enableCMT", r.enable_cmt);
  b("enableMBM", r.enable_mbm);
}
static void bind(json::Binder& b, Personality& p) {
  b.required("domain", p.domain);
  b("flags", p.flags);
}
static void bind(json::Binder& b, TimeOffset& t) {
  b("secs", t.secs);
  b("nanosecs", t.nanosecs);
}
void bind(json::Binder& b, Linux& l) {
  b("uidMappings", l.uid_mappings);
  b("gidMappings", l.gid_mappings);
  b("sysctl", l.sysctl);
  b("resources", l.resources);
  b("cgroupsPath", l.cgroups_path);
  b("namespaces", l.namespaces);
  b("devices", l.devices);
  b("seccomp", l.seccomp);
  b("rootfsPropagation", l.rootfs_propagation);
  b("maskedPaths", l.masked_paths);
  b("readonlyPaths", l.readonly_paths);
  b("mountLabel", l.mount_label);
  b("intelRdt", l.intel_rdt);
  b("personality", l.personality);
  b("timeOffsets", l.time_offsets);
}
void bind(json::Binder& b, Spec& s) {
  b.required("ociVersion", s.oci_version);
  b("process", s.process);
  b("root", s.root);
  b("hostname", s.hostname);
  b("domainname", s.domainname);
  b("mounts", s.mounts);
  b("hooks", s.hooks);
  b("annotations", s.annotations);
  b("linux", s.linux_);
}
void bind(json::Binder& b, State& s) {
  b.required("ociVersion", s.oci_version);
  b.required("id", s.id);
  b.required("status", s.status);
  b("pid", s.pid);
  b.required("bundle", s.bundle);
  b("annotations", s.annotations);
}

}  // namespace minke::oci
