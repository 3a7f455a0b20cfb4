// The child between clone and exec: system calls only, no allocation, no log, no lock.
#pragma once

#include "runtime/plan.h"

namespace minke::runtime {

// What the child learns on its way.
struct ChildState {
  explicit ChildState(const LaunchPlan& p)
      : plan(p),
        old_api(p.old_mount_api),
        socket(p.socket),
        proc(p.proc),
        start_listener(p.start_listener) {}
  const LaunchPlan& plan;
  Call call = Call::itself;
  char text[184] = {};
  bool old_api;
  int socket, proc, start_listener;
  std::uint16_t step = 0;  // being done
  bool in_directory = false;
  int root = -1;        // of the container, from the root step on
  int null_mount = -1;  // mounts over masked files, and over masked folders
  int empty_mount = -1;
  bool null_attached = false, empty_attached = false;
  int pty = -1;               // the slave
  std::uint32_t clamped = 0;  // bits by RLIMIT_*
  std::uint8_t orders = 0;
  int program = -1;  // index into plan.programs
  int received[32];
  int received_count = 0;
  std::uint32_t state_size = 0;
  char state_text[32768];  // for hooks that run here
};

[[noreturn]] void child_main(const LaunchPlan& plan);

// Each does one step: 0, or -1 with errno, and `call` where it is not the step itself.
int child_mount(ChildState& c, const MountPlan& m);  // child_mount.cc
int child_root_overlay(ChildState& c, const OverlayPlan& o);
int child_root_bind(ChildState& c, const char* source, int mount);  // `mount`: made before, or -1
int child_mask(ChildState& c, const char* target);
int child_readonly(ChildState& c, const char* target);
int child_remount_readonly(ChildState& c, const char* target);
int child_remount(ChildState& c, const MountPlan& m);  // child_mount_old.cc
int child_device(ChildState& c, const DevicePlan& d);  // child_device.cc
int child_symlink(ChildState& c, const char* content, const char* target);
int child_console(ChildState& c, const ConsolePlan& p);
int child_copy_up(int from, int to);                            // child_copy.cc
int child_label(ChildState& c, const MountPlan& m, int mount);  // child_mount.cc
int child_run_hook(const HookPlan& hook, const char* state, std::size_t size, Call* call,
                   int* status);  // child_hook.cc
int child_find_home(const ChildState& c, char* home, std::size_t size);

// child_path.cc. Paths as the container sees them, resolved with its root by openat2(2).
int open_in(int root, const char* path, int flags);
// The O_PATH descriptor of `path`, made when it is missing: a folder, or an empty file with its
// folders.
int open_or_make(ChildState& c, const char* path, bool folder);
// The same for the target of a mount, which may forbid links on the way.
int open_target(ChildState& c, const MountPlan& m, bool folder);
// The folder that `path` lies in (made when missing) and the name in it.
int open_parent(ChildState& c, const char* path, const char** name);

// child_mount_old.cc: the same by mount(2), for kernels without the new calls.
int old_mount(ChildState& c, const MountPlan& m, int target);
int old_root_overlay(ChildState& c, const OverlayPlan& o);
int old_root_bind(ChildState& c, const char* source);
int old_bind_fd(ChildState& c, int source, int target);
// Makes the node just bound at `path` one whose mode and owner cannot be changed through it.
int old_protect_node(ChildState& c, const char* path, dev_t number);
int old_set_attributes(int mount, std::uint64_t set, std::uint64_t clear);

// The number as text behind /proc/self/fd/.
struct FdPath {
  char text[32];
  explicit FdPath(int fd);
};

}  // namespace minke::runtime
