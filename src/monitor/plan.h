// What a monitor gets (Plan, over its control socket) and what it leaves behind (state and exit
// records).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "codec/json.h"
#include "monitor/event_log.h"
#include "runtime/container.h"

namespace minke::monitor {

struct LogPlan {
  std::string driver = "k8s-file";   // k8s-file json-file journald none passthrough passthrough-tty
  std::string path;                  // of the current file (k8s-file, json-file)
  std::int64_t max_size = 10 << 20;  // bytes; 0: never rotated
  std::int32_t max_files = 3;        // the current one included: PATH, PATH.1, PATH.2
  std::string tag;                   // journald: CONTAINER_TAG
};

// What follows when the container ends by itself (restart.h).
struct RestartPlan {
  std::string policy;                // "" no on-failure always unless-stopped
  std::uint32_t retries = 0;         // of on-failure; 0: any number
  std::uint32_t count = 0;           // restarts so far
  std::int64_t delay_ms = 0;         // the last wait before one
  std::vector<std::string> command;  // argv that starts the container anew
};

struct HealthCheck {
  std::vector<std::string> test;  // "CMD" words, "CMD-SHELL" text; empty: none
  std::int64_t interval = 0;      // ns; 0: only when asked
  std::int64_t timeout = 0;       // ns
  std::int32_t retries = 0;
};
struct HealthPlan {
  HealthCheck check, startup;
  std::int32_t startup_successes = 0;
  std::int64_t start_period = 0;                        // ns
  std::string on_failure;                               // "" none kill restart stop
  std::string log_destination;                          // "" local, events_logger, or a directory
  std::uint32_t max_log_count = 5, max_log_size = 500;  // 0: any
  bool no_events = false;                               // containers.conf: healthcheck_events
};

// The daemon that a container on a network needs; nothing where runroot is empty.
struct NetdPlan {
  std::string runroot;
  std::vector<std::string> command;  // argv that starts it
  std::int32_t listeners = 0;        // how many descriptors follow the preserved ones
};

struct Plan {
  std::string id, name, image_name;
  std::string bundle;            // ROOT/containers/ID: spec.json lies here, exit goes here
  std::string run_dir;           // RUNROOT/containers/ID: state, attach and ctl sockets, exec/
  runtime::OverlayRoot overlay;  // lower empty: the spec's own root.path (--rootfs)
  std::string runtime;           // empty: ours; else the absolute path of an OCI runtime program
  std::vector<std::string> runtime_flags;   // of that program: "debug" or "--debug"
  std::string cgroup_manager = "cgroupfs";  // cgroupfs systemd disabled
  bool tolerate_missing_cgroup = false;
  bool no_new_keyring = false;
  bool terminal = false;
  bool stdin_open = false;  // -i: stdin is kept open for attached clients
  bool stdin_once = false;  // closed after the first client that wrote has gone
  LogPlan log;
  std::int64_t timeout = 0;  // --timeout: seconds until KILL; 0 never
  std::string pid_file, monitor_pid_file;
  std::string sdnotify = "ignore";  // container conmon healthy ignore
  std::vector<std::string>
      cleanup_command;            // argv, [0] absolute: run at the end unless the starter does it
  std::int32_t preserve_fds = 0;  // how many descriptors follow the plan's own (below)
  bool remove_at_exit = false;    // --rm
  std::vector<std::string> secret_env;  // "K=V" beside the spec's, which is a file
  EventSink events;
  std::vector<Attribute> labels;  // of its events
  RestartPlan restart;
  HealthPlan health;
  std::int32_t stop_signal = 15;
  std::int64_t stop_timeout = 10;  // seconds
  NetdPlan netd;
  bool keep_created = false;  // init: made now, it waits for Frame::start
  bool tied = false;          // to its starter: killed when that goes away
};
void bind(json::Binder& b, LogPlan& l);
void bind(json::Binder& b, HealthPlan& h);
void bind(json::Binder& b, Plan& p);

// RUNROOT/containers/ID/state: replaced by rename at each change. Its absence means: not running.
struct StateRecord {
  std::string status;  // created running stopping (paused is asked of the cgroup)
  pid_t pid = -1;      // init
  std::uint64_t start_time = 0;
  pid_t monitor_pid = -1;
  std::uint64_t monitor_start_time = 0;
  TimeNs started_at = 0;
  std::string cgroup;  // runtime::Cgroup saved form
};
void bind(json::Binder& b, StateRecord& s);

// ROOT/containers/ID/exit: the end of the last run, written by rename before anybody is told.
struct ExitRecord {
  std::int32_t exit_code = 0;  // 0..255, 128+n for a signal
  bool oom_killed = false;
  bool timed_out = false;
  TimeNs started_at = 0, finished_at = 0;
  std::string error;  // why it did not start, or empty
};
void bind(json::Binder& b, ExitRecord& e);

}  // namespace minke::monitor
