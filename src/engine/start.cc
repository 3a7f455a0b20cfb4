// Starting: the spec, the monitor, and whoever looks on.
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/container_root.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/handed_sockets.h"
#include "engine/network_helper.h"
#include "engine/network_place.h"
#include "engine/port_owners.h"
#include "engine/records.h"
#include "monitor/health.h"
#include "monitor/restart.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_own.h"
#include "state/object_lock.h"
#include "sys/life_lock.h"
#include "sys/process.h"
#include "sys/program.h"

namespace minke::engine {
namespace {

constexpr int kRunFailed = 126;  // exit code

const char* manager_name(runtime::CgroupManager manager) {
  constexpr const char* kNames[] = {"cgroupfs", "systemd", "disabled"};
  return kNames[static_cast<int>(manager)];
}

// The engine's own command line in the same places, for a monitor to run.
std::vector<std::string> own_command(const Host& host, const std::vector<std::string>& words) {
  auto self = sys::own_program();
  if (!self) return {};
  std::vector<std::string> argv = {
      *self,        "--root",           host.root,          "--runroot",
      host.runroot, "--events-backend", host.events_backend};
  if (host.volumes != host.root + "/volumes")
    argv.insert(argv.end(), {"--volumepath", host.volumes});
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

bool wants_volume_work(const ContainerConfig& config) {
  for (const ResolvedMount& mount : config.mounts)
    if (mount.chown || mount.copy_up) return true;
  return false;
}

// The program of --runtime: a path, or a name in the usual folders; ours needs none. Not along
// PATH: a unit, cron and the API service have another one.
Result<std::string> find_runtime(const std::string& name) {
  if (name.empty() || name == "minke-runtime" || name == "minke") return std::string();
  if (name.starts_with('/')) return name;
  for (const char* folder : {"/usr/local/bin/", "/usr/local/sbin/", "/usr/bin/", "/usr/sbin/",
                             "/bin/", "/sbin/", "/usr/libexec/"})
    if (std::string path = folder + name; ::access(path.c_str(), X_OK) == 0) return path;
  return Error(Errc::invalid_argument,
               concat("OCI runtime ", quote(name), " not found: invalid argument"));
}

// In the same order as the monitor hands them on: 3, 4, ... Sockets of a service manager come
// first, as their numbers have a meaning.
Result<std::vector<int>> preserved_fds(const CreateRequest& request, const SortedSockets& sockets) {
  std::vector<int> fds;
  auto add = [&fds](int fd) {
    if (std::find(fds.begin(), fds.end(), fd) == fds.end()) fds.push_back(fd);
  };
  for (const HandedSocket* socket : sockets.inside) add(socket->fd);
  for (std::uint32_t i = 0; i < request.preserve_fds; ++i) add(static_cast<int>(3 + i));
  for (std::int32_t fd : request.preserve_fd) add(fd);
  for (const HandedSocket* socket : sockets.published)
    if (std::find(fds.begin(), fds.end(), socket->fd) != fds.end())
      return Error(Errc::conflict,
                   concat("descriptor ", socket->fd,
                          " is the socket of a published port (LISTEN_FDS) and cannot be preserved "
                          "for the container too"));
  return fds;
}

}  // namespace

monitor::RestartPlan restart_plan(const ContainerConfig& config, const Host& host) {
  monitor::RestartPlan plan;
  plan.policy = config.request.restart.name;
  plan.retries = config.request.restart.retries;
  std::vector<std::string> words = {"system", "restart-container", config.id};
  if (!host.runtime.empty()) words.insert(words.begin(), {"--runtime", host.runtime});
  if (host.cgroup_manager != runtime::CgroupManager::disabled)
    words.insert(words.begin(), {"--cgroup-manager", manager_name(host.cgroup_manager)});
  plan.command = own_command(host, words);
  return plan;
}

Result<monitor::Plan> Engine::make_plan(const Container& container) const {
  const ContainerConfig& config = container.config;
  const CreateRequest& request = config.request;
  monitor::Plan plan;
  plan.id = config.id;
  plan.name = config.name;
  plan.image_name = config.image_name;
  plan.bundle = container.dir;
  plan.run_dir = container.run_dir;
  if (config.rootfs.empty()) {
    plan.overlay.lower = config.lower;
    plan.overlay.upper = container.dir + "/upper";
    plan.overlay.work = container.dir + "/work";
    plan.overlay.userxattr = host_.rootless;
    // The kernel mounts a volatile one once.
    plan.overlay.volatile_ = request.remove && !has_restarts(container.live);
  }
  plan.runtime = request.defaults.runtime_path;
  if (plan.runtime.empty())
    plan.runtime = TRY(find_runtime(request.runtime.empty() ? host_.runtime : request.runtime));
  if (!plan.runtime.empty()) plan.runtime_flags = request.runtime_flags;
  plan.cgroup_manager = manager_name(cgroup_manager(request, host_));
  plan.tolerate_missing_cgroup = host_.rootless;
  plan.no_new_keyring = request.defaults.no_keyring;
  plan.terminal = request.terminal;
  plan.stdin_open = request.stdin_open;
  plan.log = config.log;
  plan.timeout = request.timeout;
  plan.pid_file = request.pid_file;
  plan.monitor_pid_file = request.monitor_pid_file;
  if (!request.sdnotify.empty()) plan.sdnotify = request.sdnotify;
  plan.cleanup_command = own_command(host_, {"container", "cleanup", config.id});
  plan.remove_at_exit = request.remove;
  plan.events = event_sink(host_);
  plan.labels = event_attributes(config.labels);
  plan.stop_signal = config.stop_signal;
  plan.stop_timeout = config.stop_timeout;
  plan.health = config.health;
  const bool within = !config.ports.empty() && port_handler(config, host_) == kOwnHandler;
  if ((within || !config.networks.empty()) && netd_serves(host_)) {
    plan.netd.runroot = host_.runroot;
    plan.netd.command = own_command(host_, {"system", "netd", "start"});
  }
  if (has_restarts(container.live)) {
    plan.restart = restart_plan(config, host_);
    monitor::RestartRecord record =
        TRY(monitor::load_restart(container.run_dir)).value_or(monitor::RestartRecord());
    plan.restart.count = record.count;
    plan.restart.delay_ms = record.delay_ms;
  }
  return plan;
}

// A monitor whose record is lost (its run folder removed or damaged) runs on, and two of them must
// not have one upper folder. One that has recorded its end may need a moment to be gone.
Status refuse_second_run(const Container& container) {
  auto free = sys::lock_for_life(container.dir + "/monitor", 5'000);
  if (free || free.error().code() != Errc::unavailable) return {};
  return Error(Errc::conflict,
               concat("container ", short_id(container.config.id), " runs already, though ",
                      container.run_dir, " has no record of it: ", free.error().message(),
                      "; end that first"));
}

// One whose start was killed is still with its monitor, which is about to end it.
Status tidy_dead_port_owners(Engine& engine, const ContainerConfig& config) {
  for (int tries = 0; tries < 100; ++tries) {
    std::vector<std::string> dead = TRY(dead_port_owners(engine.host(), config));
    if (dead.empty()) break;
    if (tries > 0) ::usleep(20'000);
    for (const std::string& id : dead)
      ignore(engine.cleanup(id), "then the port is told to be in use, and by whom");
  }
  return {};
}

Status Engine::start_dependencies(const ContainerConfig& config) {
  for (const std::string& id : config.depends_on) {
    Container other =
        TRY_CTX(find_container(id), concat("container ", short_id(config.id), " depends on"));
    if (other.live.state == ContainerState::running || other.live.state == ContainerState::paused)
      continue;
    TRY_CTX(start(other, {}),
            concat("container ", short_id(config.id), " depends on ", short_id(id)));
  }
  return {};
}

Result<monitor::Handle> Engine::start_locked(Container& container, const sys::FileLock& lock,
                                             bool attach, bool attach_stdin,
                                             std::optional<monitor::Handle> early, bool only_init) {
  const ContainerConfig& config = container.config;
  use_cgroup_manager(config.request.defaults.cgroup_manager, &host_);
  TRY(refuse_second_run(container));
  if (config.request.cgroups == "split") TRY(runtime::leave_own_cgroup());
  sys::UniqueFd mounted = TRY(mounted_root(host_, config));
  SpecContext context;
  context.host = &host_;
  context.container_dir = container.dir;
  context.run_dir = container.run_dir;
  context.container_pid = [this](std::string_view id) -> Result<pid_t> {
    ContainerSummary other = TRY(summary(std::string(id)));
    if (other.pid > 0) return other.pid;
    return Error(Errc::conflict, concat("container ", short_id(id),
                                        " is not running, so its namespaces cannot be joined"));
  };
  oci::Spec spec = TRY(make_spec(config, context));
  TRY(sys::write_file(container.dir + "/spec.json", json::dump_struct(spec), 0600));
  TRY(ensure_volumes(config));
  if (wants_volume_work(config)) {
    sys::UniqueFd view = TRY(open_rootfs_view(config, host_, container.dir + "/upper"));
    TRY(prepare_volumes(config, host_, view.get()));
  }
  monitor::Plan plan = TRY(make_plan(container));
  if (mounted && !plan.runtime.empty())
    return Error(Errc::conflict,
                 concat("container ", short_id(config.id),
                        " is mounted: unmount it first (unmount ", config.name, ")"));
  TRY(prepare_overlays(config, container.dir));
  for (const ResolvedMount& mount : config.mounts)
    if (!mount.subpath.empty() && !plan.runtime.empty())
      return Error(Errc::unsupported, concat("runtime ", plan.runtime, ": subpath of ",
                                             mount.destination, " needs our own runtime"));
  plan.secret_env = TRY(prepare_secrets(config, host_, container.dir, container.run_dir));
  plan.secret_env.insert(plan.secret_env.end(), container.secret_env.begin(),
                         container.secret_env.end());
  std::vector<HandedSocket>* sockets = TRY(take_handed_sockets());
  SortedSockets handed = TRY(sort_handed_sockets(config, host_.rootless, sockets));
  for (std::string& entry : handed_environment(handed.inside))
    plan.secret_env.push_back(std::move(entry));
  plan.keep_created = only_init;
  plan.tied = config.request.build_step;
  const std::vector<int> preserved = TRY(preserved_fds(config.request, handed));
  std::pair<sys::UniqueFd, sys::UniqueFd> life;  // of a network helper: the monitor's end is its
  if (is_helper_mode(config.network_mode)) life = TRY(sys::make_pipe());
  if (container.live.has_health) TRY(monitor::reset_health(container.run_dir));
  TRY(tidy_dead_port_owners(*this, config));
  failpoint("engine.start", 1);  // spec written, volumes filled
  std::int32_t starts = load_starts(container.dir);
  auto last_end = sys::read_small_file(container.dir + "/exit");
  if (starts > 0)
    ignore(sys::unlink_at(sys::DirFd::cwd(), (container.dir + "/exit").c_str()),
           "it may never have ended");
  // From here on it counts as started: whatever fails now has to take that back.
  TRY(save_starts(container.dir, starts + 1));

  monitor::SpawnRequest spawn;
  spawn.monitor_path = host_.monitor_path;
  spawn.plan = &plan;
  if (config.log.driver.starts_with("passthrough"))
    for (int i = 0; i < 3; ++i) spawn.stdio[i] = i;
  spawn.preserve_fds = preserved;
  for (const HandedSocket* socket : handed.published) spawn.listeners.push_back(socket->fd);
  spawn.lock_fd = lock.fd();
  if (mounted) spawn.root_fd = mounted.get();
  spawn.attach = attach;
  spawn.attach_stdin = attach_stdin;
  // The last: the monitor keeps it to itself.
  if (life.second) spawn.listeners.push_back(life.second.get());
  // As Podman's: of run, which alone has a monitor by now, and of start.
  const int network_fault = early ? kRunFailed : 0;
  auto started = [&]() -> Result<monitor::Handle> {
    failpoint("engine.start", 2);  // counted as started, no monitor
    if (!early) early = TRY(monitor::Handle::launch(host_.monitor_path, config.id, config.name));
    monitor::Handle handle = std::move(*early);
    TRY(handle.send(spawn));
    failpoint("engine.start", 3);  // the monitor is building
    // Meanwhile the monitor builds; the files with names are bound in by their inodes.
    auto networks = lease_networks(container);
    if (!networks) {
      handle.abandon(nullptr, networks.error());
      return std::move(networks.error()).with_exit(network_fault);
    }
    monitor::StateRecord made = TRY(handle.wait_created());
    emit_container(host_, "init", config);
    failpoint("engine.start", 4);  // init waits
    if (*networks) {
      Status connected = attach_networks(container, &**networks, made.pid, made.start_time);
      if (!connected) {
        handle.abandon(&made, connected.error());
        return std::move(connected.error()).with_exit(network_fault);
      }
      failpoint("engine.start", 6);  // it is on its networks
    }
    if (is_helper_mode(config.network_mode)) {
      std::vector<int> listeners = spawn.listeners;
      listeners.pop_back();
      Status helped =
          start_network_helper(host_, config, made, life.first.get(), std::move(listeners));
      if (!helped) {
        handle.abandon(&made, helped.error());
        return std::move(helped.error()).with_exit(network_fault);
      }
    }
    if (only_init) return handle;
    monitor::StateRecord state = TRY(handle.start());
    container.live.pid = state.pid;
    container.live.started_at = state.started_at;
    container.live.cgroup = state.cgroup;
    failpoint("engine.start", 5);  // it runs
    return handle;
  }();
  if (!started) {
    // It never ran: as if it had not been started, so that it can be tried again.
    if (Status released = release_networks(config.id); !released)
      log::warn(released.error().message());
    Status back = starts > 0
                      ? save_starts(container.dir, starts)
                      : sys::unlink_at(sys::DirFd::cwd(), (container.dir + "/started").c_str());
    if (!back) log::warn(back.error().message());
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), (container.run_dir + "/secrets").c_str()),
           "the next clean-up removes them");
    for (const char* name : {"/state", "/attach", "/ctl"})
      ignore(sys::unlink_at(sys::DirFd::cwd(), (container.run_dir + name).c_str()),
             "may not be there");
    if (starts == 0)
      ignore(sys::unlink_at(sys::DirFd::cwd(), (container.dir + "/exit").c_str()),
             "may not be there");
    else if (last_end && !sys::exists(container.dir + "/exit"))
      ignore(sys::write_file(container.dir + "/exit", *last_end, 0600), "its end counts as lost");
    return std::move(started.error());
  }
  for (const std::string& warning : started->warnings()) log::warn(warning);
  for (HandedSocket* socket : handed.published) socket->used = true;
  return started;
}

Result<Engine::StartResult> Engine::follow(Container& container, monitor::Handle handle,
                                           const AttachFlags& flags) {
  monitor::AttachOptions options;
  options.terminal = container.config.request.terminal;
  options.stdin_ = flags.stdin_;
  options.stdout_ = flags.stdout_;
  options.stderr_ = flags.stderr_;
  options.detach_keys = flags.detach_keys;
  std::string id = container.config.id;
  if (flags.sig_proxy)
    options.on_signal = [this, id](int signal) {
      ignore(kill(id, signal), "it may have ended at this moment");
    };
  sys::UniqueFd stream = handle.take_attach();
  StartResult result;
  if (stream) {
    monitor::AttachEnd end = TRY(monitor::run_attach(stream.get(), options));
    result.detached = end == monitor::AttachEnd::detached;
  }
  if (result.detached) return result;
  monitor::ExitRecord record = TRY(handle.wait_exit());
  result.exit_code = record.exit_code;
  TRY(finish_run(container, handle));
  return result;
}

Status Engine::finish_run(const Container& container, monitor::Handle& handle) {
  const std::string& id = container.config.id;
  TRY(cleanup(id));
  handle.wait_gone();
  // The monitor has removed the cgroup, unless it was killed just now.
  runtime::ContainerHandle left{id, container.live.pid, 0, container.live.cgroup};
  ignore(runtime::destroy(left, nullptr, container.dir),
         "what is left of it is found by the next clean-up");
  return {};
}

Result<sys::FileLock> Engine::lock_to_start(const Container& container) {
  std::string what = concat("container ", short_id(container.config.id));
  for (;;) {
    sys::FileLock lock = TRY(state::lock_object(container.run_dir, what));
    auto state = TRY(load_state(container.run_dir));
    auto end = TRY(load_exit(container.dir));
    if (!state || !is_end_of(end, *state)) return lock;
    auto monitor = sys::Pidfd::open(state->monitor_pid, state->monitor_start_time);
    if (!monitor) return lock;
    lock.release();  // its own clean-up command may want it
    TRY(monitor->wait_exit(-1));
  }
}

Result<Engine::StartResult> Engine::start(Container& container, const StartOptions& options) {
  TRY(enter());
  std::string id = container.config.id;
  TRY(start_dependencies(container.config));
  std::optional<monitor::Handle> handle;
  sys::UniqueFd stream;  // of one that was initialized: attached before it runs
  {
    sys::FileLock lock = TRY(lock_to_start(container));
    TRY(cleanup_locked(id));
    if (has_restarts(container.live)) {  // the user has the word: counts begin anew
      cancel_restart(container.run_dir);
      ignore(sys::unlink_at(sys::DirFd::cwd(), (container.run_dir + "/restart").c_str()),
             "may not be there");
      ignore(sys::unlink_at(sys::DirFd::cwd(), (container.dir + "/stopped").c_str()),
             "may not be there");
    }
    container = TRY(find_container(id));
    if (container.live.state == ContainerState::paused)
      return Error(Errc::conflict,
                   concat("container ", id, " is paused: unpause it: container state improper"));
    if (container.live.state == ContainerState::initialized) {
      if (options.attach)
        stream = TRY(monitor::connect_attach(container.run_dir, options.attach_flags.stdin_));
      TRY(start_initialized(container));
    }
    if (container.live.pid == 0)
      handle = TRY(start_locked(container, lock, options.attach, options.attach_flags.stdin_));
  }
  if (handle && options.attach) return follow(container, std::move(*handle), options.attach_flags);
  StartResult result;
  if (!options.attach) {
    result.exit_code = 0;
    return result;
  }
  result.exit_code = stream ? TRY(attach_stream(container, std::move(stream), options.attach_flags))
                            : TRY(attach(id, options.attach_flags));
  result.detached = !result.exit_code;
  return result;
}

Result<Engine::RunResult> Engine::run(const CreateRequest& request, const RunOptions& options) {
  TRY(take_handed_sockets());  // before the monitor's program inherits them
  RunResult result;
  Container container;
  std::optional<monitor::Handle> handle;
  {
    std::optional<monitor::Handle> early;
    New made = TRY(create_locked(request, &early));
    container = std::move(made.container);
    result.id = container.config.id;
    if (options.on_created) options.on_created(result.id);
    Status ready = start_dependencies(container.config);
    if (ready) {
      auto started = start_locked(container, made.lock, !options.detach,
                                  options.attach_flags.stdin_, std::move(early));
      if (started)
        handle = std::move(*started);
      else
        ready = std::move(started.error());
    }
    if (!ready) {
      if (request.remove) {
        Status removed = remove_locked(result.id, true);
        if (!removed) log::warn(removed.error().message());
      }
      return std::move(ready.error());
    }
  }
  if (options.detach) {
    result.exit_code = 0;
    return result;
  }
  StartResult followed = TRY(follow(container, std::move(*handle), options.attach_flags));
  result.exit_code = followed.exit_code;
  result.detached = followed.detached;
  return result;
}

}  // namespace minke::engine
