// The engine's side of a monitor: start one, talk to one, attach to one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "monitor/plan.h"
#include "oci/spec.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::monitor {

struct SpawnRequest {
  std::string monitor_path;  // absolute path of minke-monitor
  const Plan* plan = nullptr;
  int stdio[3] = {-1, -1, -1};  // for log driver passthrough: given to the container as they are
  std::vector<int> preserve_fds;
  std::vector<int> listeners;  // bound sockets of published ports, for each netd that comes
  // The container's lock, which the caller holds: the monitor shares it until the container is
  // recorded as running or its start has failed, so that a killed caller leaves nobody the chance
  // to remove or start a container that is being started. -1: none.
  int lock_fd = -1;
  // A mount of the container's root that is there already: no second one is made of the same
  // folders. -1: none.
  int root_fd = -1;
  // A client attached from the start, so that not a byte is missed: the returned Handle has
  // `attach`.
  bool attach = false;
  bool attach_stdin = false;
};

// One started monitor. Dropping it detaches: the monitor lives on.
class Handle {
 public:
  // launch() starts the program, which initialises (about 1 ms) while the caller still works out
  // the plan; send() gives it the plan. Dropped in between, it ends. spawn() is both.
  static Result<Handle> launch(const std::string& monitor_path, const std::string& id,
                               const std::string& name);
  Status send(const SpawnRequest& request);
  static Result<Handle> spawn(const SpawnRequest& request);
  // Init exists and waits before exec.
  Result<StateRecord> wait_created();
  // Lets init exec; error with exit_code 126/127 when it could not. Then the monitor has ended and
  // cleaned up.
  Result<StateRecord> start();
  // Waits for the end of the container. The caller then does the clean-up (`claim_cleanup` was
  // true), or the monitor runs the plan's cleanup_command when this side goes away first.
  Result<ExitRecord> wait_exit();
  // After wait_exit(): until the monitor itself, which removes the cgroup, has ended.
  void wait_gone();
  // Instead of start(): what has been made goes, and with it the monitor, which is waited for and
  // keeps `why` as the end of this start.
  // `created`: what wait_created() gave, if it came so far.
  void abandon(const StateRecord* created, const Error& why);
  // The descriptor that becomes readable when wait_exit() would not block.
  int fd() const { return control_.get(); }
  sys::UniqueFd take_attach() { return std::move(attach_); }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  sys::UniqueFd control_, attach_;
  sys::Pidfd monitor_;
  std::vector<std::string> warnings_;
};

// Connects to RUN_DIR/attach. Frames are described in monitor/protocol.h.
Result<sys::UniqueFd> connect_attach(const std::string& run_dir, bool with_stdin);

struct AttachOptions {
  // The container has a terminal: raw mode of the local one, when stdin is one, with its window
  // size followed (SIGWINCH) and its detach keys watched for.
  bool terminal = false;
  bool stdin_ = true, stdout_ = true, stderr_ = true;
  std::string detach_keys = "ctrl-p,ctrl-q";  // empty: off
  // Signals to hand on to the container (--sig-proxy); called for each caught one.
  std::function<void(int signal)> on_signal;
};
enum class AttachEnd { stream_closed, detached };
// Copies between this process' stdio and the container until its streams close or the user
// detaches.
Result<AttachEnd> run_attach(int attach_fd, const AttachOptions& options);

// ctl socket: asks a running monitor.
Status resize(const std::string& run_dir, unsigned short rows, unsigned short columns);
Status reopen_logs(const std::string& run_dir);
// Lets a container run whose plan said keep_created. The error is the reason why it does not; its
// exit code is in the exit record.
Status start_created(const std::string& run_dir);

// Gives it a new restart policy and health check.
Status replan(const std::string& run_dir, RestartPlan restart, HealthPlan health);

// Detached or API exec: a monitor of its own that starts one process in a running container, logs
// nothing, records exec/SESSION/{state,exit} below run_dir.
struct ExecPlan {
  std::string session;  // 64 hex digits
  std::string container_id, bundle, run_dir;
  oci::Process process;
  bool stdin_open = false;
  EventSink events;
  std::string container_name, image_name;  // of its events
  std::vector<Attribute> labels;
};
void bind(json::Binder& b, ExecPlan& p);
struct ExecStarted {
  pid_t pid = -1;
};
Result<ExecStarted> spawn_exec(const std::string& monitor_path, const ExecPlan& plan);

// Foreground exec without a supervisor: joins, starts, copies stdio (pty when process.terminal),
// waits. Without a terminal the process gets request.stdio as it is; a stream that `attach` leaves
// out is /dev/null. Returns the exit code; `detached` when the user left by the detach keys (the
// process goes on).
struct ExecForeground {
  runtime::ExecRequest request;
  AttachOptions attach;
  std::function<void()> on_started;  // may be empty
};
Result<int> exec_foreground(ExecForeground& exec, bool* detached);

}  // namespace minke::monitor
