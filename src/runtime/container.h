// The OCI runtime as a library: creates a container's init from a spec, lets it go, runs further
// processes in it. Used by the monitor, by `minke exec`, and by the minke-runtime command. The
// caller is single-threaded.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/spec.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::runtime {

// A root file system that init mounts inside its own mount namespace, so that a dead container
// leaves no mount behind. Without it root.path of the spec is the root.
struct OverlayRoot {
  std::vector<std::string> lower;  // topmost layer first; absolute, 1 to 500
  std::string upper, work;         // absolute; empty: a read-only view of the layers
  bool userxattr = false;  // rootless (Linux 5.11): whiteouts and opaque marks as user.overlay.*
  bool volatile_ = false;  // no sync at all: for containers removed at their end
  std::string
      fuse_program;  // absolute path of fuse-overlayfs, where the kernel cannot (else empty)
};
void bind(json::Binder& b, OverlayRoot& o);

enum class CgroupManager { cgroupfs, systemd, disabled };

struct CreateRequest {
  std::string id;
  std::string bundle;  // absolute: what a relative root.path and the hooks' state refer to
  const oci::Spec* spec = nullptr;  // validated (oci::validate_spec)
  std::optional<OverlayRoot> overlay;
  int root_fd = -1;  // a detached mount of that overlay, made already
  CgroupManager cgroup_manager = CgroupManager::cgroupfs;
  // What limits may not be set for lack of rights: true: say so once in `warnings`, false: it is an
  // error.
  bool tolerate_missing_cgroup = false;
  int stdio[3] = {0, 1, 2};  // given to init without a terminal
  int console_socket = -1;  // with process.terminal: the pty's master is sent over this unix socket
  std::vector<int> preserve_fds;  // given to init as 3, 4, ... in this order
  bool no_pivot = false, no_new_keyring = false;
  // Init becomes a child of the caller's parent (CLONE_PARENT): lets the monitor build containers
  // in a process of their own and keep a small heap. With a user namespace joined by path a second
  // child, which has ended already, is left to that parent as well: it must reap both.
  bool clone_parent = false;
  // Init gets SIGKILL when its parent ends.
  bool die_with_parent = false;
  // Path of a unix socket that is made for init to wait on instead of start_fd: start() in another
  // process connects to it and hears from init itself why an exec failed (`minke-runtime create`).
  // The caller removes it.
  std::string start_fifo;
  std::string notify_socket;   // NOTIFY_SOCKET to make reachable inside (sd_notify), or empty
  std::string hook_state_dir;  // unused when empty
};

// Everything that outlives the creating process: saved, and enough to signal, inspect and remove.
struct ContainerHandle {
  std::string id;
  pid_t pid = -1;
  std::uint64_t start_time = 0;  // of pid, in ticks (sys/process.h)
  std::string cgroup;            // saved form of runtime::Cgroup (runtime/cgroup.h)
  std::string resctrl = "";      // the class of service that was made for it, to be removed
};
void bind(json::Binder& b, ContainerHandle& h);

struct Created {
  ContainerHandle handle;
  sys::Pidfd pidfd;
  sys::UniqueFd start_fd;  // for start(); with start_fifo for keep(), runtime/keep.h
  std::vector<std::string>
      warnings;  // clamped rlimits, limits that could not be set: one line each
};

// Clones init, sets everything up, runs prestart, createRuntime and createContainer hooks, and
// leaves init waiting before exec. On failure nothing is left (processes, cgroups, mounts), and the
// poststop hooks have run when others may have; the message is "step object: reason" in one line.
Result<Created> create(const CreateRequest& request);

// What create() would do, one step a line: `minke debug plan`. Makes no cgroup.
Result<std::string> print_create_plan(const CreateRequest& request);

// Lets init run startContainer hooks and exec; returns once the program runs. A failed exec has
// exit_code() 127 (not found) or 126 (not executable), and the texts of crun that Podman users
// know. Poststart hooks run here; init is killed when one fails.
Status start(const CreateRequest& request, Created& created);

struct ExecRequest {
  pid_t init_pid = -1;
  std::uint64_t init_start_time = 0;
  const oci::Spec* spec = nullptr;  // of the container: its seccomp profile, labels, id mappings
  const oci::Process* process = nullptr;
  std::string cgroup;  // saved form, as in ContainerHandle
  int stdio[3] = {0, 1, 2};
  int console_socket = -1;
  std::vector<int> preserve_fds;
  bool die_with_parent = false;
};
struct Execed {
  pid_t pid = -1;  // a child of the caller: it must reap it
  sys::Pidfd pidfd;
  std::vector<std::string> warnings;
};
// Joins the container's namespaces and cgroup by pidfd and starts a process there. Failures as for
// start().
Result<Execed> exec(const ExecRequest& request);

// The same process many times in one run of a container (a health check): what does not change is
// worked out once. What make() was given may go afterwards.
struct ExecPlan;
class PreparedExec {
 public:
  // Without a terminal; request.stdio does not count.
  static Result<PreparedExec> make(const ExecRequest& request);
  Result<Execed> run(const int (&stdio)[3]) const;
  // run() for who must not wait: the process is there and on its way to the program. When `reports`
  // can be read, is_running() takes what it says: true, the program runs; false, not yet; an error,
  // it never will.
  struct Begun {
    pid_t pid = -1;  // a child of the caller: it must reap it
    sys::UniqueFd reports;
  };
  Result<Begun> begin(const int (&stdio)[3]) const;
  Result<bool> is_running(const Begun& begun) const;
  // No process gets anywhere while the container is frozen.
  bool is_frozen() const;
  PreparedExec(PreparedExec&&) noexcept;
  PreparedExec& operator=(PreparedExec&&) noexcept;
  ~PreparedExec();

 private:
  explicit PreparedExec(std::unique_ptr<ExecPlan> plan);
  std::unique_ptr<ExecPlan> plan_;
};

// After init is dead: kills what is left in the cgroup, removes the cgroup, runs poststop hooks
// when `spec` is given (one that fails is only a line of `warnings`). Safe to call twice.
Status destroy(const ContainerHandle& handle, const oci::Spec* spec, const std::string& bundle,
               std::vector<std::string>* warnings = nullptr);

// Removes the cgroup that create() makes for this spec and that nobody has recorded, as its maker
// was killed. One that is in use is left.
void clear_unrecorded_cgroup(const std::string& id, const oci::Spec& spec, CgroupManager manager);

}  // namespace minke::runtime
