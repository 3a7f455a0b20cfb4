// The engine: verbs on containers, volumes and images. One instance per command.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/containers_conf.h"
#include "engine/config.h"
#include "engine/host.h"
#include "engine/request.h"
#include "engine/specgen.h"
#include "engine/volume.h"
#include "monitor/client.h"
#include "monitor/logs.h"
#include "monitor/plan.h"
#include "store/store.h"
#include "sys/lock.h"

namespace minke::engine {

// created, initialized, running, paused, stopping, stopped, exited, removing, unknown.
enum class ContainerState {
  created,
  initialized,
  running,
  paused,
  stopping,
  stopped,
  exited,
  removing,
  unknown
};
const char* state_name(ContainerState state);

// What a listing needs; one small file per container beside config.json, and the live state.
struct ContainerSummary {
  std::string id, name, image_id, image_name;
  std::vector<std::string> command;  // entrypoint and command
  TimeNs created = 0;
  std::map<std::string, std::string> labels;
  std::vector<std::string> mounts;   // destinations
  std::vector<std::string> volumes;  // names
  std::string network_mode, pid_mode;
  std::vector<std::string> depends_on;
  std::vector<std::string> expose;
  std::string restart_policy;
  bool remove = false, autoremove_image = false;
  bool is_infra = false;
  // live
  ContainerState state = ContainerState::created;
  pid_t pid = 0;  // of init while it runs
  pid_t monitor_pid = 0;
  TimeNs started_at = kZeroTime, finished_at = kZeroTime;
  std::int32_t exit_code = 0;
  bool oom_killed = false;
  std::string error;  // of the last start
  std::int32_t restarts = 0;
  std::string cgroup;  // saved form
};

struct Container {
  ContainerConfig config;
  ContainerSummary live;     // state as of loading
  std::string dir, run_dir;  // ROOT/containers/ID, RUNROOT/containers/ID
};

struct AttachFlags {
  bool stdin_ = false, stdout_ = true, stderr_ = true;
  bool sig_proxy = true;
  std::string detach_keys = "ctrl-p,ctrl-q";
};

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> open(const HostOptions& options);
  ~Engine();

  const Host& host() const { return host_; }
  const store::Store& store() const { return *store_; }
  store::Store& store() { return *store_; }
  const Volumes& volumes() const { return volumes_; }

  // containers.conf, read when first asked for; what it says of the engine itself ([engine] env,
  // cgroup_manager) holds from then on. Commands that need none of it do not ask.
  Result<const config::ContainersConf*> conf();

  // --detach-keys, or what containers.conf says; without a terminal they do not matter.
  Result<std::string> detach_keys(const std::optional<std::string>& asked, bool terminal);

  // Rootless: joins the user's namespaces. Every verb below that needs it calls it; front ends call
  // it only before they touch files of containers themselves. Idempotent.
  Status enter();

  // --- find and list
  // By name, full id or unambiguous id prefix. not_found: `no container with name or ID "x" found:
  // no such container`.
  Result<Container> find_container(std::string_view name_or_id);
  Result<std::vector<ContainerSummary>>
  list_containers();  // all, oldest first; heals what a crash left
  Result<std::string> resolve_id(std::string_view name_or_id);  // the full id
  Result<std::string> latest_id();                              // of the newest container
  Result<ContainerSummary> summary(const std::string& id);

  // --- life
  Result<Container> create(const CreateRequest& request);
  // What create and start would decide, with nothing made: `minke debug plan`.
  struct Preview {
    ContainerConfig config;
    oci::Spec spec;
    std::vector<std::string> steps;  // of the container's first process, in words
    std::vector<std::string> warnings;
  };
  Result<Preview> preview(const CreateRequest& request);
  struct StartOptions {
    bool attach = false;
    AttachFlags attach_flags;
  };
  // Exit code when attached and it ended (nothing when detached by keys); else 0 at once.
  struct StartResult {
    std::optional<int> exit_code;
    bool detached = false;
  };
  Result<StartResult> start(Container& container, const StartOptions& options);
  // create + start in one go; with `detach` prints nothing, returns the id; else waits.
  struct RunOptions {
    bool detach = false;
    AttachFlags attach_flags;
    std::function<void(const std::string& id)> on_created;  // --cidfile
  };
  struct RunResult {
    std::string id;
    std::optional<int> exit_code;
    bool detached = false;  // by keys
  };
  Result<RunResult> run(const CreateRequest& request, const RunOptions& options);
  // The stop signal, after `timeout` seconds (none: the container's own; -1: for ever) KILL. A
  // container that does not run is success.
  Status stop(const std::string& id, std::optional<std::int64_t> timeout);
  // Ends several at once, each with its own stop signal and time, so that many cost as long as the
  // slowest; stop() or remove() of each then finds it ended. What fails here is told there.
  void end_together(const std::vector<std::string>& ids, std::optional<std::int64_t> timeout);
  Status kill(const std::string& id, int signal);
  Status restart(const std::string& id, std::optional<std::int64_t> timeout);
  struct RemoveOptions {
    bool force = false, volumes = false, depend = false, ignore = false;
    std::optional<std::int64_t> timeout = std::nullopt;
  };
  Status remove(const std::string& id, const RemoveOptions& options);
  // Waits until the container is in one of `conditions` (stopped, exited, running, ...; empty:
  // stopped or exited). The exit code, or -1 for other conditions.
  Result<int> wait(const std::string& id, const std::vector<std::string>& conditions,
                   std::int64_t interval_ms);
  Status pause(const std::string& id, bool paused);
  // What `minke container cleanup` does: records the end, removes what is left, --rm. Idempotent.
  Status cleanup(const std::string& id);

  // --- inside
  struct ExecResult {
    int exit_code = 0;
    bool detached = false;
    std::string session;  // of a detached exec
  };
  Result<ExecResult> exec(const std::string& id, const ExecOptions& options,
                          const AttachFlags& flags, bool detach);
  Result<std::optional<int>> attach(const std::string& id,
                                    const AttachFlags& flags);  // exit code, or none: detached
  Status logs(const std::string& id, const monitor::LogQuery& query,
              const std::function<bool(const monitor::LogLine&)>& on_line);
  Status export_container(const std::string& id, int output_fd);

  // --- images, as far as containers matter
  Result<std::vector<std::string>> image_users(
      const std::string& image_id);  // ids of containers that use it
  struct RemoveImageOptions {
    bool force = false, no_prune = false, ignore = false;
  };
  Result<std::vector<std::string>> remove_image(std::string_view name,
                                                const RemoveImageOptions& options);  // report lines
  Result<std::vector<std::string>> volume_users(const std::string& name);
  Status remove_volume(std::string_view name, bool force, std::optional<std::int64_t> timeout);

  // Size of the writable layer and of the whole root, in bytes (ps -s, inspect -s).
  struct Sizes {
    std::int64_t rw = 0, root = 0;
  };
  Result<Sizes> sizes(const std::string& id);

 private:
  explicit Engine(Host host);
  struct New {
    Container container;
    sys::FileLock lock;
  };
  // Makes the container and keeps its lock.
  // With `early` the monitor is started as soon as the id is known, so that it initialises
  // meanwhile.
  Result<New> create_locked(const CreateRequest& request,
                            std::optional<monitor::Handle>* early = nullptr);
  ResolveContext resolve_context(const store::Image* image, const std::string& id);
  // Makes the volumes that the config names and that are not there: after the container is on disk,
  // so that none is ever without an owner, and again at each start.
  Status ensure_volumes(const ContainerConfig& config);
  Status start_dependencies(const ContainerConfig& config);
  // Starts the monitor and lets init exec, under the container's lock.
  Result<monitor::Handle> start_locked(Container& container, const sys::FileLock& lock, bool attach,
                                       bool attach_stdin,
                                       std::optional<monitor::Handle> early = std::nullopt);
  Result<monitor::Plan> make_plan(const Container& container) const;
  Result<StartResult> follow(Container& container, monitor::Handle handle,
                             const AttachFlags& flags);
  bool clear_unwritten(const std::string& id);
  Status cleanup_locked(const std::string& id);
  // The container's lock, with no monitor of an earlier run at work any more: one that has
  // recorded the end still removes the cgroup and the state.
  Result<sys::FileLock> lock_to_start(const Container& container);
  // Everything of a container that does not run: name, folders, with `volumes` its anonymous
  // volumes.
  Status remove_locked(const std::string& id, bool volumes);
  Status throw_away(const std::string& path);  // trash, emptied at once when small
  Status start_emptying_trash();
  // Small pieces at once, large ones by the helper.
  Status empty_trash();
  Status end_process(const ContainerSummary& live, int signal, std::optional<std::int64_t> timeout);
  Host host_;
  bool entered_ = false;
  std::optional<config::ContainersConf> conf_;
  std::unique_ptr<store::Store> store_;
  Volumes volumes_;
};

}  // namespace minke::engine
