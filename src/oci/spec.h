// The OCI runtime specification 1.2 (config.json) as plain structs: config.md and config-linux.md
// of opencontainers/runtime-spec. Reading and writing keep every field named here; validate_spec()
// says what the specification demands beyond types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace minke::oci {

using StringMap = std::map<std::string, std::string>;

struct ConsoleSize {
  std::uint32_t height = 0, width = 0;
};
struct User {
  std::uint32_t uid = 0, gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
};
struct Capabilities {
  std::vector<std::string> bounding, effective, inheritable, permitted, ambient;
};
struct Rlimit {
  std::string type;  // "RLIMIT_NOFILE"
  std::uint64_t soft = 0, hard = 0;
};
struct Scheduler {
  std::string policy;
  std::int32_t nice = 0, priority = 0;
  std::vector<std::string> flags;
  std::uint64_t runtime = 0, deadline = 0, period = 0;
};
struct IoPriority {
  std::string io_class;  // "class" in JSON
  std::int32_t priority = 0;
};
struct ExecCpuAffinity {
  std::string initial, final_;
};
struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  std::vector<std::string> args;
  std::string command_line;
  std::vector<std::string> env;
  std::string cwd;
  std::optional<Capabilities> capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::optional<std::int64_t> oom_score_adj;
  std::optional<Scheduler> scheduler;
  std::string selinux_label;
  std::optional<IoPriority> io_priority;
  std::optional<ExecCpuAffinity> exec_cpu_affinity;
};
struct Root {
  std::string path;
  bool readonly = false;
};
struct IdMapping {
  std::uint32_t container_id = 0, host_id = 0, size = 0;
};
struct Mount {
  std::string destination, type, source;
  std::vector<std::string> options;
  std::vector<IdMapping> uid_mappings, gid_mappings;  // of an idmapped mount
};
struct Hook {
  std::string path;
  std::vector<std::string> args, env;
  std::optional<std::int32_t> timeout;  // seconds
};
struct Hooks {
  std::vector<Hook> prestart, create_runtime, create_container, start_container, poststart,
      poststop;
};
struct Namespace {
  std::string type;  // pid network mount ipc uts user cgroup time
  std::string path;  // empty: a new one
};
struct Device {
  std::string type, path;  // type c b u p
  std::int64_t major = 0, minor = 0;
  std::optional<std::uint32_t> file_mode, uid, gid;
};
struct DeviceRule {
  bool allow = false;
  std::string type;  // a c b
  std::optional<std::int64_t> major, minor;
  std::string access;  // of r w m
};
struct Memory {
  std::optional<std::int64_t> limit, reservation, swap, kernel, kernel_tcp;
  std::optional<std::uint64_t> swappiness;
  bool disable_oom_killer = false, use_hierarchy = false, check_before_update = false;
};
struct Cpu {
  std::optional<std::uint64_t> shares;
  std::optional<std::int64_t> quota;
  std::optional<std::uint64_t> burst, period;
  std::optional<std::int64_t> realtime_runtime;
  std::optional<std::uint64_t> realtime_period;
  std::string cpus, mems;
  std::optional<std::int64_t> idle;
};
struct Pids {
  std::int64_t limit = 0;
};
struct WeightDevice {
  std::int64_t major = 0, minor = 0;
  std::optional<std::uint16_t> weight, leaf_weight;
};
struct ThrottleDevice {
  std::int64_t major = 0, minor = 0;
  std::uint64_t rate = 0;
};
struct BlockIo {
  std::optional<std::uint16_t> weight, leaf_weight;
  std::vector<WeightDevice> weight_device;
  std::vector<ThrottleDevice> throttle_read_bps, throttle_write_bps, throttle_read_iops,
      throttle_write_iops;
};
struct HugepageLimit {
  std::string page_size;  // "2MB"
  std::uint64_t limit = 0;
};
struct InterfacePriority {
  std::string name;
  std::uint32_t priority = 0;
};
struct NetworkClass {
  std::optional<std::uint32_t> class_id;
  std::vector<InterfacePriority> priorities;
};
struct Rdma {
  std::optional<std::uint32_t> hca_handles, hca_objects;
};
struct Resources {
  std::vector<DeviceRule> devices;
  std::optional<Memory> memory;
  std::optional<Cpu> cpu;
  std::optional<Pids> pids;
  std::optional<BlockIo> block_io;
  std::vector<HugepageLimit> hugepage_limits;
  std::optional<NetworkClass> network;
  std::map<std::string, Rdma> rdma;
  StringMap unified;  // cgroup v2 file to value
};
struct SeccompArg {
  std::uint32_t index = 0;
  std::uint64_t value = 0, value_two = 0;
  std::string op;
};
struct SeccompRule {
  std::vector<std::string> names;
  std::string action;
  std::optional<std::uint32_t> errno_ret;
  std::vector<SeccompArg> args;
};
struct Seccomp {
  std::string default_action;
  std::optional<std::uint32_t> default_errno_ret;
  std::vector<std::string> architectures, flags;
  std::string listener_path, listener_metadata;
  std::vector<SeccompRule> syscalls;
};
struct IntelRdt {
  std::string clos_id, l3_cache_schema, mem_bw_schema;
  bool enable_cmt = false, enable_mbm = false;
};
struct Personality {
  std::string domain;  // LINUX, LINUX32
  std::vector<std::string> flags;
};
struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
};
struct Linux {
  std::vector<IdMapping> uid_mappings, gid_mappings;
  StringMap sysctl;
  std::optional<Resources> resources;
  std::string cgroups_path;
  std::vector<Namespace> namespaces;
  std::vector<Device> devices;
  std::optional<Seccomp> seccomp;
  std::string rootfs_propagation;
  std::vector<std::string> masked_paths, readonly_paths;
  std::string mount_label;
  std::optional<IntelRdt> intel_rdt;
  std::optional<Personality> personality;
  std::map<std::string, TimeOffset> time_offsets;  // "monotonic", "boottime"
};
struct Spec {
  std::string oci_version;
  std::optional<Process> process;
  std::optional<Root> root;
  std::string hostname, domainname;
  std::vector<Mount> mounts;
  std::optional<Hooks> hooks;
  StringMap annotations;
  std::optional<Linux> linux_;
};

void bind(json::Binder& b, Process& p);
void bind(json::Binder& b, Resources& r);
void bind(json::Binder& b, Seccomp& s);
void bind(json::Binder& b, Hook& h);
void bind(json::Binder& b, Hooks& h);
void bind(json::Binder& b, Mount& m);
void bind(json::Binder& b, IdMapping& m);
void bind(json::Binder& b, Namespace& n);
void bind(json::Binder& b, Device& d);
void bind(json::Binder& b, Rlimit& r);
void bind(json::Binder& b, Capabilities& c);
void bind(json::Binder& b, User& u);
void bind(json::Binder& b, Linux& l);
void bind(json::Binder& b, Spec& s);

// Parses and validates; every fault names its JSON path.
Result<Spec> parse_spec(std::string_view config_json);
// What the specification demands of a config that is to be created on Linux: required members,
// absolute paths, known names (namespaces, capabilities, rlimits, seccomp actions and operators,
// mount propagation), one namespace of a kind, mappings without overlap or overflow, a user
// namespace where mappings are given.
Status validate_spec(const Spec& spec);
// The process alone, as `exec --process FILE` takes it.
Result<Process> parse_process(std::string_view process_json);
Status validate_process(const Process& process, std::string_view path);

// Names of the 41 capabilities by number ("CAP_CHOWN" is 0); nothing for an unknown one.
std::optional<int> capability_number(std::string_view name);
std::optional<std::string_view> capability_name(int number);
constexpr int kCapabilityCount = 41;  // CAP_CHECKPOINT_RESTORE, Linux 5.9
// RLIMIT_* by name ("RLIMIT_NOFILE").
std::optional<int> rlimit_number(std::string_view name);

// State as `state` prints it (runtime.md).
struct State {
  std::string oci_version, id, status, bundle;
  std::int32_t pid = 0;
  StringMap annotations;
};
void bind(json::Binder& b, State& s);

}  // namespace minke::oci
