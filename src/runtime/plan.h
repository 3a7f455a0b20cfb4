// Everything that a container's init (or an exec'd process) does between clone and exec, decided
// and allocated before the clone. The child walks the steps in order; a failure names its step, and
// the parent finds the words.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "sys/fd.h"

namespace minke::runtime {

enum class Op : std::uint8_t {
  wait_order,      // flags: Order to have arrived
  report,          // flags: ReportKind
  become_root,     // ids 0 of the user namespace just entered
  not_dumpable,    // nobody in a joined pid namespace may look into us
  join_namespace,  // fd, flags: CLONE_NEW*
  unshare,         // flags: CLONE_NEW*
  enter_cgroup,    // fd: a file that takes the writer in; source: its path
  time_offsets,    // source: lines for /proc/self/timens_offsets
  new_session,
  session_keyring,   // source: name
  enter_root_of,     // fd: the root directory of the process that is joined
  propagate,         // flags: MS_*, of "/" before the pivot
  root_overlay,      // data: OverlayPlan
  root_bind,         // source
  mount,             // data: MountPlan
  remount_readonly,  // target: deferred "ro" of a mount that had to be filled first
  device,            // data: DevicePlan
  symlink,           // source: what it holds; target: its place in the root; flags: kLinkMayFail
  make_folder,       // target: the working directory, made when missing
  hooks,             // data: HookPlan, count; flags: 1 = in the container, after the pivot
  mask,              // target
  readonly,          // target
  console,  // flags: height << 16 | width; fd: the console socket, uid and gid of the owner in data
  pivot,    // flags: 1 = the old root may be shared with the host
  change_root,       // without pivot_root
  root_propagation,  // flags: MS_* of the new root
  root_readonly,
  loopback_up,   // of a network namespace just made
  hostname,      // source
  domainname,    // source
  sysctl,        // target: path below /proc/sys; source: value
  own_files,     // uid in flags: stdio handed to the user
  rlimits,       // data: RlimitPlan, count
  scheduler,     // data: SchedPlan
  io_priority,   // flags: value of ioprio_set
  personality,   // flags
  cpu_affinity,  // data: cpu_set_t
  umask,         // flags
  exec_label,    // target: attribute below /proc/self/attr; source: text
  key_label,
  groups,   // data: gid_t, count
  set_gid,  // flags
  keep_capabilities,
  drop_bounding,  // flags: mask to keep
  set_uid,        // flags
  capabilities,   // data: CapSets: interim sets, ambient raised
  death_signal,
  change_directory,  // target; flags: 1 = to be tried again as the user
  find_program,
  home,  // fills HOME from the container's passwd
  no_new_privileges,
  descriptors,  // data: int, count: stdio and preserved ones
  reset_signals,
  wait_start,
  seccomp,             // data: SeccompPlan
  final_capabilities,  // data: CapSets
  execute,
};
const char* op_name(Op op);
constexpr std::uint64_t kLinkMayFail = 1;  // of Op::symlink: a root that is read-only

struct Step {
  Op op;
  const char* source = nullptr;
  const char* target = nullptr;
  std::uint64_t flags = 0;
  int fd = -1;
  const void* data = nullptr;
  std::uint32_t count = 0;
};

struct MountPlan {
  enum class Fallback : std::uint8_t { none, rbind_sys, bind_cgroup };
  const char* source = nullptr;
  const char* subpath = nullptr;  // of a bind: resolved inside of `source`
  const char* target = nullptr;
  const char* type = nullptr;
  const char* data = nullptr;  // the file system's options joined by commas (old API)
  std::vector<std::pair<const char*, const char*>> params;  // key and value, or a flag and null
  bool bind = false, recursive = false, copy_up = false;
  bool remount = false;   // of what an earlier one has put there
  bool no_links = false;  // the target's path may hold none
  int mount_fd = -1;      // a detached mount made by the parent before the clone
  int received = -1;      // or one it sends later: index
  std::uint64_t set = 0, clear = 0, recursive_set = 0, recursive_clear = 0;
  std::uint64_t superblock = 0;
  std::vector<unsigned long> propagation;
  Fallback fallback = Fallback::none;
  const char* fallback_source = nullptr;
  const char* label = nullptr;  // SELinux's, of its root: one that takes no option for it
};

struct OverlayPlan {
  std::vector<const char*> lower;
  const char* upper = nullptr;
  const char* work = nullptr;
  const char* place = nullptr;  // a folder to mount on the old way
  bool userxattr = false, volatile_ = false;
  int mount_fd = -1;
  int received = -1;
};

struct DevicePlan {
  const char* path;
  const char* host_path;  // bound where mknod is not permitted
  mode_t mode;
  dev_t number;
  uid_t uid;
  gid_t gid;
  bool bind;
};

struct HookPlan {
  const char* path;
  const char* folder = nullptr;  // to run in; where there is none, that of the caller
  std::vector<char*> argv, env;  // null-terminated
  int timeout_ms = -1;
};

struct RlimitPlan {
  int resource;
  struct rlimit64 limit;
};

struct SchedPlan {  // struct sched_attr of sched_setattr(2)
  std::uint32_t size, policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime, deadline, period;
};

struct CapSets {
  std::uint64_t effective = 0, permitted = 0, inheritable = 0, ambient = 0;
};

struct SeccompPlan {
  const void* program;  // sock_filter
  std::uint16_t length;
  std::uint32_t flags;
  bool listener;
};

struct ConsolePlan {
  int socket;
  std::uint16_t height, width;
  uid_t uid;
  bool console_node;  // also bound on /dev/console
};

// What the parent says; bits, since it may say them in another order than the child waits for them.
enum Order : std::uint8_t {
  kOrderMaps = 1,
  kOrderCgroup = 2,
  kOrderHooks = 4,
  kOrderStart = 8,
  kOrderListener = 16,
  kOrderState = 32,  // the text that follows is the state for the child's own hooks
  kOrderKeep = 64,   // it is recorded: who starts it is another process
};
enum class ReportKind : std::uint8_t { failed, at_hooks, ready, listener };

struct Report {
  ReportKind kind = ReportKind::failed;
  std::uint8_t call = 0;  // Call
  std::uint16_t step = 0;
  std::int32_t err = 0;  // errno; ready: bits of clamped limits; listener: its number
  char text[184] = {};   // the kernel's own words on a mount, or a path
};

// Within a step, what failed.
enum class Call : std::uint8_t {
  itself,
  open_source,
  make_target,
  open_target,
  fsopen,
  fsconfig,
  fsmount,
  open_tree,
  mount_setattr,
  move_mount,
  mount,
  copy_up,
  mknod,
  chown,
  symlink,
  verify,
  hook_exec,
  hook_status,
  hook_timeout,
  unlock_pty,
  open_pty,
  send_pty,
  set_controlling,
  stat,
  outside,
  not_found,
  write,
  not_regular,
  umount,
  wait,
  unsupported,
};

struct LaunchPlan {
  std::vector<Step> steps;
  bool old_mount_api = false;
  int socket = -1;          // the child's end
  int parent_socket = -1;   // closed by the child first, so that the parent's death ends its waits
  int proc = -1;            // a procfs that was checked
  int start_listener = -1;  // wait_start accepts here instead of reading `socket`
  std::uint64_t clone_flags = 0;
  int cgroup_fd = -1;                // CLONE_INTO_CGROUP
  bool child_enters_cgroup = false;  // by steps of its own; else the parent moves it and says so
  int between_cgroup_fd = -1;        // exec on v2: the step between is born there, if it may
  int user_namespace_fd = -1;        // joined before the clone by a step between
  int join_pidfd = -1;               // exec: namespaces of this process ...
  std::uint64_t join_flags = 0;      // ... these
  int pid_namespace_fd = -1;         // joined by the caller around the clone
  bool clone_parent = false;
  // The program.
  std::vector<char*> argv, env;  // null-terminated; `env` has a slot for HOME when it lacks one
  int home_slot = -1;
  char home[4096];
  uid_t uid = 0;
  std::vector<const char*> programs;  // in the order of PATH; one when args[0] has a slash
  // Owners of what the pointers show.
  std::deque<std::string> strings;
  std::deque<MountPlan> mounts;
  std::deque<OverlayPlan> overlays;
  std::deque<DevicePlan> devices;
  std::deque<std::vector<HookPlan>> hooks;
  std::deque<std::vector<RlimitPlan>> rlimits;
  std::deque<std::vector<std::uint32_t>> numbers;
  std::deque<SchedPlan> schedulers;
  std::deque<CapSets> cap_sets;
  std::deque<SeccompPlan> seccomps;
  std::deque<ConsolePlan> consoles;
  std::deque<std::vector<std::uint64_t>> masks;
  std::vector<sys::UniqueFd> fds;

  const char* keep(std::string text) { return strings.emplace_back(std::move(text)).c_str(); }
  int keep_fd(sys::UniqueFd fd) {
    fds.push_back(std::move(fd));
    return fds.back().get();
  }
  Step& add(Op op) { return steps.emplace_back(Step{op}); }
};

// "mount proc on /proc": one step in words, for messages and for `minke debug plan`.
std::string describe_step(const LaunchPlan& plan, const Step& step);
// One line a step.
std::string print_plan(const LaunchPlan& plan);

}  // namespace minke::runtime
