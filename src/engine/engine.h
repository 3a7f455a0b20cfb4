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
#include "engine/clone.h"
#include "engine/commit.h"
#include "engine/config.h"
#include "engine/cp.h"
#include "engine/host.h"
#include "engine/request.h"
#include "engine/specgen.h"
#include "engine/step.h"
#include "engine/tree_changes.h"
#include "engine/update.h"
#include "engine/volume.h"
#include "monitor/client.h"
#include "monitor/logs.h"
#include "monitor/plan.h"
#include "net/attachment.h"
#include "net/network_store.h"
#include "store/store.h"
#include "sys/lock.h"

namespace minke::net {
struct Place;
}

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
  std::vector<std::string> command;  // without the entrypoint
  TimeNs created = 0;
  std::map<std::string, std::string> labels;
  std::vector<std::string> mounts;          // destinations
  std::vector<std::string> volumes;         // names
  std::vector<std::string> mounted_images;  // ids, of mounts of type image
  std::string network_mode, pid_mode;
  std::vector<std::string> depends_on;
  std::vector<std::string> expose;
  std::vector<std::string> networks;    // names
  std::vector<net::PortMapping> ports;  // published
  std::string restart_policy;
  bool has_health = false;
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
  bool restarting = false;       // it has ended; somebody waits to start it anew
  bool stopped_by_user = false;  // known where there is a restart policy
  std::string health;            // starting healthy unhealthy; empty: no check
  std::string cgroup;            // saved form
};

struct Container {
  ContainerConfig config;
  ContainerSummary live;                // state as of loading
  std::string dir, run_dir;             // ROOT/containers/ID, RUNROOT/containers/ID
  std::vector<std::string> secret_env;  // "K=V" of its next start, in no file
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
  // A new one made as `id` was.
  Result<Container> clone(const std::string& id, const CloneRequest& clone);
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
  // Makes its namespaces, mounts and first process, which waits for start(). conflict when that has
  // happened already: `container ID has already been created in runtime: container state improper`.
  Status init(const std::string& id);
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
  // What the process that waited for a restart policy's time does (monitor/restart.h). Nothing when
  // the container has been stopped, started or removed meanwhile.
  Status restart_by_policy(const std::string& id);
  // One check now; what Podman prints: "healthy", or "starting" and "unhealthy" when it failed.
  Result<std::string> check_health(const std::string& id);
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
  // Changes limits in the kernel and on record; the environment and ulimits count from the next
  // start.
  Status update(const std::string& id, const UpdateRequest& update);
  // already_exists when another one has the name.
  Status rename(const std::string& id, const std::string& name);
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

  // --- files
  Status copy(const CopyEnd& from, const CopyEnd& to, const CopyOptions& options);
  // The id of the image that the container became.
  Result<std::string> commit(const std::string& id, const CommitOptions& options);
  enum class DiffKind { any, container, image };
  // What `name` changed: a container since its image, an image's top layer, or since `from`.
  Result<std::vector<TreeChange>> diff(std::string_view name, std::string_view from, DiffKind kind);

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

  // --- building
  // Runs one step of a build as a container, attached to our own standard streams, and removes it.
  // The exit code. Killed, we take the container with us.
  Result<int> run_step(const StepRequest& step);
  // What killed builds have left of containers that never ran.
  Status clear_steps();

  // --- networks
  // With the defaults of containers.conf.
  Result<const net::NetworkStore*> networks();
  Result<net::Network> create_network(const net::NetworkRequest& request);
  // in_use unless `force`, which removes the containers that are on it.
  Status remove_network(std::string_view name, bool force, std::optional<std::int64_t> timeout);
  Result<std::vector<std::string>> network_users(const std::string& name);  // ids of containers
  // DNS servers of the network, added and taken away.
  Status update_network(std::string_view name, const std::vector<std::string>& dns_add,
                        const std::vector<std::string>& dns_drop);
  // From now on, and at once when it runs.
  Status connect_network(const std::string& id, const NetworkChoice& choice);
  Status disconnect_network(const std::string& id, std::string_view network, bool force);
  // Lays the rules of a running container anew.
  Status reload_network(const std::string& id);

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
  // With `step` it stands on that instead of an image of the store.
  Result<New> create_locked(const CreateRequest& request,
                            std::optional<monitor::Handle>* early = nullptr,
                            const StepRequest* step = nullptr);
  ResolveContext resolve_context(const store::Image* image, const std::string& id);
  // Makes the volumes that the config names and that are not there: after the container is on disk,
  // so that none is ever without an owner, and again at each start.
  Status ensure_volumes(const ContainerConfig& config);
  Status start_dependencies(const ContainerConfig& config);
  // Starts the monitor and lets init exec, under the container's lock.
  Result<monitor::Handle> start_locked(Container& container, const sys::FileLock& lock, bool attach,
                                       bool attach_stdin,
                                       std::optional<monitor::Handle> early = std::nullopt,
                                       bool only_init = false);
  // Of a run that begins: addresses and ports leased and recorded, the files with names written.
  Result<std::optional<net::AttachmentRecord>> lease_networks(const Container& container);
  // Its process exists: interfaces, and then the way in from outside.
  Status attach_networks(const Container& container, net::AttachmentRecord* record, pid_t pid,
                         std::uint64_t start_time);
  // What a run has had of networks; nothing when it had none. Idempotent.
  Status release_networks(const std::string& id);
  // The network, the default one written when it is not; `locked`: the caller has the networks'
  // lock.
  Result<net::Network> network_for_use(const std::string& name, bool locked = false);
  Status lease_choice(const NetworkChoice& choice, const std::string& id, net::Attachment* out);
  Status attach_one(const net::Network& network, const net::Attachment& attachment,
                    const net::Place& place, int netns);
  Status release_leases(const std::string& id, const net::Attachment& attachment);
  // `netns`: the container's, or -1 when it is gone.
  Status release_one(const std::string& id, const net::Attachment& attachment,
                     const net::Place& place, int netns);
  Status connect_running(const Container& container, const NetworkChoice& choice);
  // A bridge that nobody is on goes.
  Status drop_empty_bridge(const net::Network& network, const net::Place& place);
  Status rewrite_names(const Container& container, const net::AttachmentRecord& record);
  Result<monitor::Plan> make_plan(const Container& container) const;
  // One that init() made. The caller holds the container's lock.
  Status start_initialized(const Container& container);
  Result<std::optional<int>> attach_stream(const Container& container, sys::UniqueFd stream,
                                           const AttachFlags& flags);
  Result<StartResult> follow(Container& container, monitor::Handle handle,
                             const AttachFlags& flags);
  // After its end was told: what is left of the run goes, and with --rm the container.
  Status finish_run(const Container& container, monitor::Handle& handle);
  bool clear_unwritten(const std::string& id);
  Status cleanup_locked(const std::string& id);
  // From here no policy starts it by itself, until a user does.
  Status mark_stopped(const Container& container);
  // Ends the wait for a restart; false when nobody waited. Under the container's lock.
  bool cancel_restart(const std::string& run_dir);
  // After the end of a monitor that was killed: what the policy wants.
  Status heal_restart(const std::string& id);
  // The container's lock, with no monitor of an earlier run at work any more: one that has
  // recorded the end still removes the cgroup and the state.
  Result<sys::FileLock> lock_to_start(const Container& container);
  std::string clone_name(const std::string& name) const;
  Status heal_rename(const std::string& id);
  // Everything of a container that does not run: name, folders, with `volumes` its anonymous
  // volumes.
  Status remove_locked(const std::string& id, bool volumes);
  struct DiffSide {
    std::vector<std::string> layers;  // topmost first
    std::optional<Container> container;
  };
  Result<DiffSide> diff_side(std::string_view name, DiffKind kind);
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
  std::optional<net::NetworkStore> networks_;
};

}  // namespace minke::engine
