// Ends and removals: whoever holds the container's lock may do them, and doing them twice is
// harmless.
#include <signal.h>
#include <unistd.h>

#include <ctime>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/mounts.h"
#include "engine/records.h"
#include "engine/specgen.h"
#include "runtime/cgroup.h"
#include "state/name_table.h"
#include "state/object_lock.h"
#include "sys/process.h"

namespace minke::engine {
namespace {

constexpr std::int32_t kKilledCode = 137;
// Trees up to this size are removed by the command itself; larger ones by a helper that outlives
// it.
constexpr int kSmallTree = 512;
constexpr std::int64_t kExitKeptSeconds = 300;

Error running_error(const ContainerSummary& live) {
  return Error(Errc::conflict,
               concat("cannot remove container ", live.id, " as it is ", state_name(live.state),
                      " - running or paused containers cannot be removed without force: container "
                      "state improper"))
      .with_exit(2);
}

// The state of a run whose end nobody recorded: the monitor was killed, or the machine went down.
Status record_lost_end(const ContainerPaths& paths,
                       const std::optional<monitor::StateRecord>& state) {
  monitor::ExitRecord record;
  record.exit_code = kKilledCode;
  record.started_at = state ? state->started_at : 0;
  record.finished_at = now();
  record.error =
      state ? "its monitor was killed" : "its end was not recorded (the machine went down)";
  return save_exit(paths.dir, record);
}

void emit_lost_end(const Host& host, const std::string& id) {
  bool unused = false;
  auto live = load_summary(host, id, &unused);
  if (!live) return;
  emit_container(host, "died", *live, kKilledCode);
  if (!live->remove) emit_container(host, "cleanup", *live);
}

// PDEATHSIG ends init with its monitor, unless the program changed its credentials since.
void end_orphan(const monitor::StateRecord& state) {
  auto init = sys::Pidfd::open(state.pid, state.start_time);
  if (!init) return;
  ignore(init->kill(SIGKILL), "it may end at this moment");
  ignore(init->wait_exit(5000), "the cgroup is killed next");
}

Status remember_exit(const Host& host, const ContainerPaths& paths, const std::string& id) {
  auto text = sys::read_small_file(paths.dir + "/exit");
  if (!text) return {};
  std::string folder = exits_dir(host);
  TRY(sys::ensure_dirs(folder, 0700));
  TRY(sys::write_file(folder + "/" + id, *text, 0600));
  // Old ones go on the way; nobody waits for them any more.
  for (const std::string& name : TRY(sys::list_dir(sys::DirFd::cwd(), folder.c_str()))) {
    struct stat st {};
    const std::string path = concat(folder, "/", name);
    if (::lstat(path.c_str(), &st) == 0 && st.st_mtime + kExitKeptSeconds < ::time(nullptr))
      ::unlink(path.c_str());
  }
  return {};
}

// What only a running container needs: its secrets, in memory.
Status forget_run(const ContainerPaths& paths) {
  return sys::remove_tree_at(sys::DirFd::cwd(), (paths.run_dir + "/secrets").c_str());
}

}  // namespace

Status Engine::throw_away(const std::string& path) {
  auto small = sys::remove_tree_within(sys::DirFd::cwd(), path.c_str(), kSmallTree);
  if (small && *small) return {};
  return Error(Errc::unavailable, path);
}

// Large trash: a helper of its own deletes it, this command returns.
Status Engine::start_emptying_trash() {
  // One is at work already; it looks again before it ends.
  if (!state::try_lock_object(host_.runroot + "/trash", "the trash")) return {};
  sys::SpawnOptions helper;
  helper.path = "/proc/self/exe";
  helper.argv = {"minke",       "--root", host_.root,   "--runroot",
                 host_.runroot, "system", "empty-trash"};
  for (int& fd : helper.stdio) fd = -2;
  helper.new_session = true;
  TRY(sys::spawn(helper));
  return {};
}

Status Engine::empty_trash() {
  std::string trash = host_.root + "/trash";
  bool large = false;
  for (const std::string& name : TRY(sys::list_dir(sys::DirFd::cwd(), trash.c_str())))
    large = !throw_away(concat(trash, "/", name)) || large;
  return large ? start_emptying_trash() : Status();
}

Status Engine::cleanup_locked(const std::string& id) {
  ContainerPaths paths(host_, id);
  std::optional<monitor::StateRecord> state = TRY(load_state(paths.run_dir));
  std::optional<monitor::ExitRecord> end = TRY(load_exit(paths.dir));
  if (!state) {
    if (Status released = release_networks(id); !released) log::warn(released.error().message());
    TRY(forget_run(paths));
    if (end || load_starts(paths.dir) == 0) return {};
    TRY(record_lost_end(paths, state));
    emit_lost_end(host_, id);
    if (auto text = sys::read_small_file(paths.dir + "/spec.json"))
      if (auto spec = oci::parse_spec(*text))
        if (auto config = load_config(paths.dir))
          runtime::clear_unrecorded_cgroup(id, *spec, cgroup_manager(config->request, host_));
    return {};
  }
  bool recorded = is_end_of(end, *state);
  if (!recorded) {
    // While its monitor lives it runs, or its end is about to be written.
    if (sys::process_alive(state->monitor_pid, state->monitor_start_time)) return {};
    end_orphan(*state);
    TRY(record_lost_end(paths, state));
    emit_lost_end(host_, id);
  }
  // A living monitor is about to do the same, and whoever waits for its end looks again.
  bool monitored = sys::process_alive(state->monitor_pid, state->monitor_start_time);
  runtime::ContainerHandle handle{id, state->pid, state->start_time,
                                  monitored ? std::string() : state->cgroup};
  Status destroyed = runtime::destroy(handle, nullptr, paths.dir);
  if (!destroyed) log::warn(concat("container ", short_id(id), ": ", destroyed.error().message()));
  if (Status released = release_networks(id); !released) log::warn(released.error().message());
  for (const char* name : {"/attach", "/ctl", "/state"})
    ignore(sys::unlink_at(sys::DirFd::cwd(), (paths.run_dir + name).c_str()), "may not be there");
  TRY(forget_run(paths));
  return sys::remove_tree_at(sys::DirFd::cwd(), (paths.run_dir + "/exec").c_str());
}

Status Engine::cleanup(const std::string& id) {
  TRY(enter());
  ContainerPaths paths(host_, id);
  if (!sys::exists(paths.dir)) return {};
  sys::FileLock lock = TRY(state::lock_object(paths.run_dir, concat("container ", short_id(id))));
  if (!sys::exists(paths.dir)) {
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), paths.run_dir.c_str()), "as in remove_locked");
    return {};
  }
  bool lost = false;
  ContainerSummary before = TRY(load_summary(host_, id, &lost));
  // After a reboot it is the boot's unit that starts what is to be started.
  bool same_boot = sys::exists(paths.run_dir + "/state") || sys::exists(paths.run_dir + "/restart");
  TRY(cleanup_locked(id));
  if (lost && same_boot && has_restarts(before)) TRY(heal_restart(id));
  if (!sys::exists(paths.dir + "/exit")) return {};
  bool unused = false;
  ContainerSummary live = TRY(load_summary(host_, id, &unused));
  if (live.remove && live.state == ContainerState::exited && !live.restarting)
    return remove_locked(id, true);
  return {};
}

Status Engine::remove_locked(const std::string& id, bool volumes) {
  ContainerPaths paths(host_, id);
  auto config = load_config(paths.dir);
  ErrorList errors;
  bool auto_removed = config && config->request.remove;
  if (auto_removed) errors.add(remember_exit(host_, paths, id));
  failpoint("engine.remove", 1);  // nothing done
  cancel_restart(paths.run_dir);
  errors.add(drop_mount(host_, MountKind::containers, id));
  // The rename is the removal; what follows is tidying.
  std::string trash = concat(host_.root, "/trash/", id);
  Status moved =
      sys::rename_at(sys::DirFd::cwd(), paths.dir.c_str(), sys::DirFd::cwd(), trash.c_str());
  if (!moved && moved.error().code() != Errc::not_found) return moved;
  failpoint("engine.remove", 2);  // gone, its name and run folder are not
  if (config) errors.add(state::NameTable(host_.root).release(config->name, id));
  for (const std::string& name : names_of_rename(trash))
    errors.add(state::NameTable(host_.root).release(name, id));
  ignore(sys::remove_tree_at(sys::DirFd::cwd(), paths.run_dir.c_str()),
         "who waits for the lock makes it anew; the next listing clears it");
  failpoint("engine.remove", 3);  // volumes and trash left
  if (config && volumes)
    for (const ResolvedMount& mount : config->mounts) {
      if (!mount.anonymous) continue;
      auto users = volume_users(mount.volume_name);
      if (!users || !users->empty()) continue;
      Status removed = volumes_.remove(mount.volume_name);
      if (removed) emit_volume(host_, "remove", mount.volume_name);
      errors.add(std::move(removed));
    }
  if (config) emit_container(host_, "remove", *config);
  errors.add(empty_trash());  // and what a killed rm has left there
  return std::move(errors).to_status();
}

Status Engine::remove(const std::string& id, const RemoveOptions& options) {
  TRY(enter());
  ContainerPaths paths(host_, id);
  Container container = TRY(find_container(id));
  if (container.live.pid > 0 && container.live.state != ContainerState::initialized &&
      !options.force)
    return running_error(container.live);
  for (const ContainerSummary& other : TRY(list_containers())) {
    bool depends = false;
    for (const std::string& on : other.depends_on) depends = depends || on == id;
    if (!depends) continue;
    if (!options.depend)
      return Error(Errc::conflict,
                   concat("container ", id,
                          " has dependent containers which must be removed before it: ", other.id,
                          ": container already exists"))
          .with_exit(125);
    // It may have gone with one that depended on both.
    Status gone = remove(other.id, options);
    if (!gone && gone.error().code() != Errc::not_found) return gone;
  }
  auto end = [&]() -> Status {
    if (container.live.pid <= 0) return {};
    if (container.live.state == ContainerState::paused) TRY(pause(id, false));
    // Of one that was initialized nobody's program has begun.
    const bool waits = container.live.state == ContainerState::initialized;
    return end_process(
        container.live, waits ? SIGKILL : container.config.stop_signal,
        options.timeout ? options.timeout : std::optional(container.config.stop_timeout));
  };
  // Its policy may start it between our look and the lock; not a second time, once it is marked.
  constexpr int kAttempts = 3;
  for (int attempt = 1;; ++attempt) {
    if (options.force || container.live.pid > 0) {
      Status marked = mark_stopped(container);
      if (!marked && sys::exists(paths.dir)) return marked;
    }
    TRY(end());
    sys::FileLock lock = TRY(state::lock_object(paths.run_dir, concat("container ", short_id(id))));
    if (!sys::exists(paths.dir)) {  // --rm was faster
      ignore(sys::remove_tree_at(sys::DirFd::cwd(), paths.run_dir.c_str()), "as in remove_locked");
      return {};
    }
    TRY(cleanup_locked(id));
    bool unused = false;
    container.live = TRY(load_summary(host_, id, &unused));
    if (container.live.pid <= 0)
      return remove_locked(id, options.volumes || container.config.request.remove);
    if (!options.force || attempt == kAttempts) return running_error(container.live);
  }
}

}  // namespace minke::engine
