#include "engine/records.h"

#include "base/str.h"
#include "monitor/health.h"
#include "monitor/restart.h"
#include "runtime/cgroup.h"
#include "sys/process.h"

namespace minke::engine {

static void bind(json::Binder& b, ContainerSummary& s) {
  b("id", s.id);
  b("name", s.name);
  b("imageId", s.image_id);
  b("image", s.image_name);
  b("command", s.command);
  b("created", s.created);
  b("labels", s.labels);
  b("mounts", s.mounts);
  b("volumes", s.volumes);
  b("mountedImages", s.mounted_images);
  b("network", s.network_mode);
  b("pid", s.pid_mode);
  b("dependsOn", s.depends_on);
  b("expose", s.expose);
  b("networks", s.networks);
  b("ports", s.ports);
  b("restart", s.restart_policy);
  b("health", s.has_health);
  b("remove", s.remove);
  b("removeImage", s.autoremove_image);
}

namespace {

constexpr std::size_t kConfigMax = 16 << 20;

template <typename T>
Result<std::optional<T>> load_optional(const std::string& path) {
  auto text = sys::read_small_file(path, 1 << 20);
  if (!text) {
    if (text.error().code() == Errc::not_found) return std::optional<T>();
    return std::move(text.error());
  }
  if (is_unwritten(*text)) return std::optional<T>();
  auto record = json::parse_struct<T>(*text);
  if (!record) return std::move(record.error()).wrap(path).as(Errc::corrupt);
  return std::optional<T>(std::move(*record));
}

template <typename T>
Result<T> load_struct(const std::string& path) {
  std::string text = TRY(sys::read_small_file(path, kConfigMax));
  auto value = json::parse_struct<T>(text);
  if (!value) return std::move(value.error()).wrap(path).as(Errc::corrupt);
  return std::move(*value);
}

bool is_frozen(const monitor::StateRecord& state) {
  auto cgroup = runtime::Cgroup::open(state.cgroup);
  if (!cgroup) return false;
  auto frozen = cgroup->frozen();
  return frozen && *frozen;
}

// The summary, or, where a power cut or a stranger has spoilt it, what the config says.
Result<ContainerSummary> load_record(const std::string& dir) {
  auto summary = load_struct<ContainerSummary>(dir + "/summary.json");
  if (summary && !summary->id.empty()) return summary;
  auto config = load_config(dir);
  if (!config)
    return summary ? Result<ContainerSummary>(std::move(config.error())) : std::move(summary);
  return summarize(*config);
}

// Whether its next start has been forgotten: who waited for it is gone.
Result<bool> fold_restart(const ContainerPaths& paths, ContainerSummary* s) {
  s->stopped_by_user = sys::exists(paths.dir + "/stopped");
  auto record = TRY(monitor::load_restart(paths.run_dir));
  if (!record) return false;
  s->restarts = static_cast<std::int32_t>(record->count);
  if (record->pid <= 0) return false;
  // Who still waits when a user has stopped it finds that out and goes.
  if (s->stopped_by_user) return false;
  s->restarting = sys::process_alive(record->pid, record->start_time);
  return !s->restarting;
}

void fold_exit(const monitor::ExitRecord& end, ContainerSummary* s) {
  s->state = ContainerState::exited;
  s->exit_code = end.exit_code;
  s->oom_killed = end.oom_killed;
  s->error = end.error;
  s->started_at = end.started_at;
  s->finished_at = end.finished_at;
}

}  // namespace

bool has_restarts(const ContainerSummary& container) {
  return container.has_health ||
         (!container.restart_policy.empty() && container.restart_policy != "no");
}

std::string short_id(std::string_view id) { return std::string(id.substr(0, 12)); }
std::string exits_dir(const Host& host) { return host.runroot + "/exits"; }

Result<ContainerConfig> load_config(const std::string& dir) {
  return load_struct<ContainerConfig>(dir + "/config.json");
}

ContainerSummary summarize(const ContainerConfig& config) {
  ContainerSummary s;
  s.id = config.id;
  s.name = config.name;
  s.image_id = config.image_id;
  s.image_name = config.rootfs.empty() ? config.image_name : config.rootfs;
  s.command = config.command;
  s.created = config.created;
  s.labels = config.labels;
  for (const ResolvedMount& mount : config.mounts) {
    s.mounts.push_back(mount.destination);
    if (!mount.volume_name.empty()) s.volumes.push_back(mount.volume_name);
    if (!mount.image_id.empty()) s.mounted_images.push_back(mount.image_id);
  }
  s.network_mode = config.network_mode;
  s.pid_mode = config.pid_mode;
  s.depends_on = config.depends_on;
  s.expose = config.expose;
  for (const NetworkChoice& choice : config.networks) s.networks.push_back(choice.network);
  s.ports = config.ports;
  s.restart_policy = config.request.restart.name;
  s.has_health = !config.health.check.test.empty();
  s.remove = config.request.remove;
  s.autoremove_image = config.request.remove_image;
  return s;
}

Status save_config(const std::string& dir, const ContainerConfig& config,
                   sys::Durability durability) {
  TRY(sys::write_file(dir + "/summary.json", json::dump_struct(summarize(config)), 0600));
  return sys::write_file(dir + "/config.json", json::dump_struct(config), 0600, durability);
}

Result<std::optional<monitor::StateRecord>> load_state(const std::string& run_dir) {
  return load_optional<monitor::StateRecord>(run_dir + "/state");
}

Result<std::optional<monitor::ExitRecord>> load_exit(const std::string& dir) {
  return load_optional<monitor::ExitRecord>(dir + "/exit");
}

bool is_end_of(const std::optional<monitor::ExitRecord>& end, const monitor::StateRecord& state) {
  return end && end->started_at >= state.started_at && end->finished_at != 0;
}

Status save_exit(const std::string& dir, const monitor::ExitRecord& record) {
  return sys::write_file(dir + "/exit", json::dump_struct(record), 0600);
}

std::int32_t load_starts(const std::string& dir) {
  auto text = sys::read_small_file(dir + "/started", 64);
  if (!text) return 0;
  auto count = parse_int(trim(*text));
  return count ? static_cast<std::int32_t>(*count) : 1;
}

Status save_starts(const std::string& dir, std::int32_t starts) {
  return sys::write_file(dir + "/started", concat(starts, "\n"), 0600);
}

Result<ContainerSummary> load_summary(const Host& host, const std::string& id,
                                      bool* needs_healing) {
  ContainerPaths paths(host, id);
  ContainerSummary s = TRY(load_record(paths.dir));
  *needs_healing = false;
  std::optional<monitor::StateRecord> state = TRY(load_state(paths.run_dir));
  std::optional<monitor::ExitRecord> end = TRY(load_exit(paths.dir));
  std::int32_t starts = load_starts(paths.dir);
  if (end) fold_exit(*end, &s);
  bool lost_restart = false;
  if (has_restarts(s)) lost_restart = TRY(fold_restart(paths, &s));
  if (s.has_health)
    if (auto health = TRY(monitor::load_health(paths.run_dir))) s.health = health->status;
  if (!state || is_end_of(end, *state)) {
    // Started, no end recorded and no state: the machine went down meanwhile, or somebody is
    // starting it now.
    if ((!end && starts > 0) || lost_restart) *needs_healing = true;
    return s;
  }
  bool monitored = sys::process_alive(state->monitor_pid, state->monitor_start_time);
  // Without its monitor it has ended or is about to: SIGKILL is on its way to init.
  if (!monitored) {
    *needs_healing = true;
    s.state = ContainerState::exited;
    return s;
  }
  s.restarting = false;
  s.pid = state->pid;
  s.monitor_pid = state->monitor_pid;
  s.started_at = state->started_at;
  s.finished_at = kZeroTime;
  s.exit_code = 0;
  s.oom_killed = false;
  s.cgroup = state->cgroup;
  if (state->status == "created")
    s.state = ContainerState::initialized;
  else if (state->status == "stopping")
    s.state = ContainerState::stopping;
  else
    s.state = is_frozen(*state) ? ContainerState::paused : ContainerState::running;
  return s;
}

}  // namespace minke::engine
