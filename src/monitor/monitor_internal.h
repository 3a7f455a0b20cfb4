// The state of a monitor's process; what it does is in monitor.cc and, by subject, in monitor_*.cc.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "monitor/checks.h"
#include "monitor/hub.h"
#include "monitor/netd_watch.h"
#include "monitor/plan.h"
#include "monitor/scope_memory.h"
#include "monitor/starter.h"
#include "monitor/wire.h"
#include "sys/event_loop.h"
#include "sys/fd.h"
#include "sys/lock.h"

namespace minke::monitor {

class Monitor {
 public:
  Monitor(sys::UniqueFd control, std::unique_ptr<sys::EventLoop> loop)
      : control_(std::move(control)), loop_(std::move(loop)), hub_(*loop_), netd_(*loop_) {}

  Status set_up();
  Status run() { return loop_->run(); }
  void report_failure(const Error& error);
  // argv of the clean-up that nobody has taken, or empty.
  std::vector<std::string> cleanup() const {
    return claimed_ || restarts_ ? std::vector<std::string>() : plan_.cleanup_command;
  }

 private:
  struct ContainerEnds {
    sys::UniqueFd stdio[3];
    sys::UniqueFd console;
  };

  Status read_plan();
  Status open_streams(ContainerEnds* theirs);
  Status start_starter(ContainerEnds theirs);
  void on_signal();
  void reap();
  void on_control();
  void let_start();
  void on_console();
  void on_starter();
  void on_created(CreatedMessage message);
  void on_started();
  void start_failed(Error error);
  void kill_children();
  void tell(const std::string& message);
  void maybe_end();
  void end();
  void leave();
  void write_state(const char* status);
  void on_notify();
  void note(const char* status, std::optional<int> exit_code = {});

  Status replan(std::string_view payload);
  void act_on_health(const HealthResult& result);
  void stop_by_health();
  void restart_if_wanted(const ExitRecord& record);

  sys::UniqueFd control_;
  std::unique_ptr<sys::EventLoop> loop_;
  Hub hub_;
  NetdWatch netd_;
  std::vector<sys::UniqueFd> listeners_;  // until it watches
  sys::UniqueFd helper_life_;
  Plan plan_;
  Checks checks_{*loop_, plan_};
  std::optional<ExecTarget> exec_;
  sys::UniqueFd signals_, starter_, console_, notify_;
  ScopeMemory memory_;
  std::string host_notify_;
  std::vector<sys::UniqueFd> passed_;  // of the plan message, until the starter has them
  sys::UniqueFd root_;                 // the same
  sys::UniqueFd passthrough_[3];
  sys::UniqueFd lock_;   // the container's, until its start is recorded
  sys::FileLock alive_;  // in its folder, for our whole life: whoever has lost our record sees it
  pid_t starter_pid_ = -1;
  StateRecord state_;
  bool poststop_ = false;
  bool attached_from_start_ = false;
  bool may_start_ = false;  // the word came
  bool created_ = false, started_ = false, killed_ = false;
  bool ended_ = false;    // recorded
  bool claimed_ = false;  // the engine does the clean-up
  bool told_ = false;     // the engine knows the end; its answer is awaited
  std::optional<Error> failure_;
  std::optional<int> init_status_;
  bool timed_out_ = false;
  bool said_healthy_ = false;   // sdnotify healthy has been told
  bool wants_restart_ = false;  // a health check asks for it
  bool restarts_ = false;       // somebody waits to start it anew
  // Children that ended before their pid was known to be init's.
  std::vector<std::pair<pid_t, int>> early_;
};

}  // namespace minke::monitor
