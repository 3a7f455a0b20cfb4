#include "view/container.h"

#include "base/str.h"
#include "engine/records.h"
#include "monitor/health.h"
#include "runtime/cgroup.h"
#include "sys/fd.h"
#include "view/json_make.h"
#include "view/network.h"

namespace minke::view {
namespace {

using engine::Container;
using engine::ContainerConfig;
using engine::ContainerState;
using gotemplate::FieldKind;

// Members that JSON leaves out when they are empty, and what are maps and times, not structs and
// text.
constexpr gotemplate::FieldShape kFields[] = {
    {"Created", FieldKind::time},
    {"State.StartedAt", FieldKind::time},
    {"State.FinishedAt", FieldKind::time},
    {"State.CheckpointedAt", FieldKind::time},
    {"State.RestoredAt", FieldKind::time},
    {"State.ConmonPid", FieldKind::number},
    {"State.CgroupPath", FieldKind::text},
    {"State.Checkpointed", FieldKind::boolean},
    {"State.Restored", FieldKind::boolean},
    {"State.StoppedByUser", FieldKind::boolean},
    {"State.CheckpointLog", FieldKind::text},
    {"State.CheckpointPath", FieldKind::text},
    {"State.RestoreLog", FieldKind::text},
    {"SizeRw", FieldKind::pointer},
    {"SizeRootFs", FieldKind::number},
    {"GraphDriver.Data", FieldKind::map},
    {"Mounts.Name", FieldKind::text},
    {"NetworkSettings.Ports", FieldKind::map},
    {"NetworkSettings.Networks", FieldKind::map},
    {"Config.Labels", FieldKind::map},
    {"Config.Annotations", FieldKind::map},
    {"Config.Volumes", FieldKind::map},
    {"Config.Healthcheck", FieldKind::pointer},
    {"Config.Timezone", FieldKind::text},
    {"Config.SystemdMode", FieldKind::boolean},
    {"Config.Umask", FieldKind::text},
    {"Config.CreateCommand", FieldKind::list},
    {"Config.Secrets", FieldKind::list},
    {"Config.ChrootDirs", FieldKind::list},
    {"HostConfig.PortBindings", FieldKind::map},
    {"HostConfig.Tmpfs", FieldKind::map},
    {"HostConfig.LogConfig.Config", FieldKind::map},
    {"HostConfig.IDMappings", FieldKind::pointer},
    {"HostConfig.Init", FieldKind::boolean},
    {"HostConfig.CgroupConf", FieldKind::map},
};

json::Value log_entry(const monitor::HealthLogEntry& entry) {
  json::Object out;
  out.set("Start", entry.start);
  out.set("End", entry.end);
  out.set("ExitCode", entry.exit_code);
  out.set("Output", entry.output);
  return json::Value(std::move(out));
}

// As Go's manifest.Schema2HealthConfig: what is nothing is left out.
json::Value health_config(const monitor::HealthCheck& check, std::int64_t start_period) {
  json::Object out;
  out.set("Test", to_array(check.test));
  if (start_period != 0) out.set("StartPeriod", start_period);
  if (check.interval != 0) out.set("Interval", check.interval);
  if (check.timeout != 0) out.set("Timeout", check.timeout);
  if (check.retries != 0) out.set("Retries", check.retries);
  return json::Value(std::move(out));
}

json::Object inspect_state(const Container& container, const oci::Spec& spec) {
  const engine::ContainerSummary& live = container.live;
  const bool up = live.pid > 0;
  json::Object state;
  state.set("OciVersion", spec.oci_version);
  state.set("Status", engine::state_name(live.state));
  state.set("Running", live.state == ContainerState::running);
  state.set("Paused", live.state == ContainerState::paused);
  state.set("Restarting", live.restarting);
  state.set("OOMKilled", live.oom_killed);
  state.set("Dead", false);
  state.set("Pid", live.pid);
  if (live.monitor_pid > 0) state.set("ConmonPid", live.monitor_pid);
  state.set("ExitCode", live.exit_code);
  state.set("Error", live.error);
  state.set("StartedAt", format_rfc3339(live.started_at));
  state.set("FinishedAt", format_rfc3339(live.finished_at));
  json::Object health;
  auto record = monitor::load_health(container.run_dir);
  bool checked = live.has_health && record && *record;
  health.set("Status", checked ? (*record)->status : "");
  health.set("FailingStreak", checked ? (*record)->failing_streak : 0);
  json::Array log;
  if (checked)
    for (const monitor::HealthLogEntry& entry : (*record)->log) log.push_back(log_entry(entry));
  health.set("Log", log.empty() ? json::Value() : json::Value(std::move(log)));
  state.set("Health", std::move(health));
  if (up && spec.linux_ && !spec.linux_->cgroups_path.empty())
    state.set("CgroupPath", spec.linux_->cgroups_path);
  state.set("CheckpointedAt", format_rfc3339(kZeroTime));
  state.set("RestoredAt", format_rfc3339(kZeroTime));
  return state;
}

bool is_propagation(std::string_view option) {
  constexpr std::string_view kNames[] = {"shared",  "slave",  "private",  "unbindable",
                                         "rshared", "rslave", "rprivate", "runbindable"};
  for (std::string_view name : kNames)
    if (name == option) return true;
  return false;
}

// Binds and volumes that the user or the image asked for; tmpfs is shown in HostConfig.
json::Array inspect_mounts(const ContainerConfig& config) {
  json::Array mounts;
  for (const engine::ResolvedMount& mount : config.mounts) {
    if (mount.type == "tmpfs" || mount.type == "devpts") continue;
    json::Object entry;
    entry.set("Type", mount.type);
    if (!mount.volume_name.empty()) entry.set("Name", mount.volume_name);
    entry.set("Source", mount.source);
    entry.set("Destination", mount.destination);
    entry.set("Driver", mount.volume_name.empty() ? "" : "local");
    entry.set("Mode", mount.relabel);
    std::vector<std::string> options;
    for (const std::string& option : mount.options)
      if (option != "ro" && option != "rw" && !is_propagation(option)) options.push_back(option);
    entry.set("Options", to_array(options));
    entry.set("RW", mount.read_write);
    entry.set("Propagation", mount.propagation);
    mounts.emplace_back(std::move(entry));
  }
  return mounts;
}

json::Object inspect_config(const ContainerConfig& config, const oci::Spec& spec) {
  const engine::CreateRequest& request = config.request;
  json::Object out;
  out.set("Hostname", spec.hostname.empty() ? config.hostname : spec.hostname);
  out.set("Domainname", request.domainname);
  out.set("User", config.user);
  out.set("AttachStdin", false);
  out.set("AttachStdout", false);
  out.set("AttachStderr", false);
  out.set("Tty", request.terminal);
  out.set("OpenStdin", request.stdin_open);
  out.set("StdinOnce", false);
  out.set("Env", to_array(spec.process ? spec.process->env : config.env));
  out.set("Cmd", array_or_null(config.command));
  out.set("Image", config.image_name);
  out.set("Volumes", nullptr);
  out.set("WorkingDir", spec.process ? spec.process->cwd : config.workdir);
  out.set("Entrypoint", join(config.entrypoint, " "));
  out.set("OnBuild", nullptr);
  out.set("Labels", object_or_null(config.labels));
  out.set("Annotations", object_or_null(spec.annotations));
  out.set("StopSignal", config.stop_signal);
  const monitor::HealthPlan& health = config.health;
  if (!health.check.test.empty()) {
    out.set("Healthcheck", health_config(health.check, health.start_period));
    out.set("HealthLogDestination", health.log_destination);
    out.set("HealthMaxLogCount", std::int64_t{health.max_log_count});
    out.set("HealthMaxLogSize", std::int64_t{health.max_log_size});
  }
  out.set("HealthcheckOnFailureAction", health.on_failure.empty() ? "none" : health.on_failure);
  if (!health.startup.test.empty()) out.set("StartupHealthCheck", health_config(health.startup, 0));
  if (!request.create_command.empty()) out.set("CreateCommand", to_array(request.create_command));
  if (!request.tz.empty()) out.set("Timezone", request.tz);
  if (config.systemd_mode) out.set("SystemdMode", true);
  std::string umask = request.umask.empty() ? "0022" : request.umask;
  if (umask.size() < 4) umask.insert(0, 4 - umask.size(), '0');
  out.set("Umask", std::move(umask));
  json::Array secrets;
  for (const engine::ContainerSecret& secret : config.secrets) {
    if (secret.env) continue;
    json::Object entry;
    entry.set("Name", secret.name);
    entry.set("ID", secret.id);
    entry.set("UID", secret.uid);
    entry.set("GID", secret.gid);
    entry.set("Mode", secret.mode);
    secrets.emplace_back(std::move(entry));
  }
  if (!secrets.empty()) out.set("Secrets", std::move(secrets));
  out.set("Timeout", request.timeout);
  out.set("StopTimeout", config.stop_timeout);
  out.set("Passwd", request.passwd);
  if (!request.chroot_dirs.empty()) out.set("ChrootDirs", to_array(request.chroot_dirs));
  out.set("sdNotifyMode", request.sdnotify.empty() ? "container" : request.sdnotify);
  return out;
}

json::Object graph_driver(const Container& container) {
  json::Object data;
  if (container.config.rootfs.empty()) {
    data.set("LowerDir", join(container.config.lower, ":"));
    data.set("UpperDir", container.dir + "/upper");
    data.set("WorkDir", container.dir + "/work");
  }
  json::Object driver;
  driver.set("Name", "overlay");
  driver.set("Data", std::move(data));
  return driver;
}

std::string path_if_there(const std::string& path) {
  return sys::exists(path) ? path : std::string();
}

}  // namespace

const gotemplate::Shape kContainerShape = {"interface {}", kFields};

namespace {

// What can be said of a process whose spec cannot be made now: a namespace that it joins is gone,
// say.
oci::Spec bare_spec(const ContainerConfig& config) {
  oci::Spec spec;
  spec.oci_version = "1.0.2";
  spec.hostname = config.hostname;
  spec.annotations = config.annotations;
  spec.process.emplace();
  spec.process->args = config.entrypoint;
  spec.process->args.insert(spec.process->args.end(), config.command.begin(), config.command.end());
  spec.process->env = config.env;
  spec.process->cwd = config.workdir;
  spec.process->oom_score_adj = config.request.oom_score_adj;
  spec.linux_.emplace();
  spec.linux_->resources = config.request.resources;
  return spec;
}

}  // namespace

Result<oci::Spec> current_spec(engine::Engine& engine, const Container& container) {
  // Each start writes it anew, without waiting for the disk.
  std::string path = container.dir + "/spec.json";
  auto text = sys::read_small_file(path, 16 << 20);
  if (text && !engine::is_unwritten(*text)) return TRY_CTX(oci::parse_spec(*text), path);
  if (!text && text.error().code() != Errc::not_found) return std::move(text.error());
  TRY(engine.enter());
  engine::SpecContext context;
  context.host = &engine.host();
  context.container_dir = container.dir;
  context.run_dir = container.run_dir;
  context.container_pid = [&engine](std::string_view id) -> Result<pid_t> {
    engine::ContainerSummary other = TRY(engine.summary(std::string(id)));
    if (other.pid > 0) return other.pid;
    return Error(Errc::conflict, "it does not run");
  };
  auto spec = engine::make_spec(container.config, context);
  return spec ? std::move(*spec) : bare_spec(container.config);
}

json::Object inspect_container(const engine::Host& host, const Container& container,
                               const oci::Spec& spec,
                               const std::optional<engine::Engine::Sizes>& sizes) {
  const ContainerConfig& config = container.config;
  std::vector<std::string> args;
  if (spec.process) args = spec.process->args;
  std::string path = args.empty() ? std::string() : args[0];
  if (args.size() > 1) args.erase(args.begin());

  json::Object out;
  out.set("Id", config.id);
  out.set("Created", format_rfc3339(config.created));
  out.set("Path", std::move(path));
  out.set("Args", to_array(args));
  out.set("State", inspect_state(container, spec));
  out.set("Image", config.image_id);
  out.set("ImageDigest", config.image_digest);
  out.set("ImageName", config.image_name);
  out.set("Rootfs", config.rootfs);
  out.set("Pod", "");
  out.set("ResolvConfPath", path_if_there(container.dir + "/resolv.conf"));
  out.set("HostnamePath", path_if_there(container.dir + "/hostname"));
  out.set("HostsPath", path_if_there(container.dir + "/hosts"));
  out.set("StaticDir", container.dir);
  if (std::string file = path_if_there(container.dir + "/spec.json"); !file.empty())
    out.set("OCIConfigPath", std::move(file));
  const std::string& runtime =
      config.request.runtime.empty() ? host.runtime : config.request.runtime;
  out.set("OCIRuntime", runtime.empty() ? "minke-runtime" : runtime);
  out.set("ConmonPidFile", config.request.monitor_pid_file);
  out.set("PidFile", config.request.pid_file);
  out.set("Name", config.name);
  out.set("RestartCount", container.live.restarts);
  out.set("Driver", "overlay");
  out.set("MountLabel", config.mount_label);
  out.set("ProcessLabel", config.process_label);
  out.set("AppArmorProfile", config.apparmor_profile);
  out.set("EffectiveCaps", array_or_null(config.cap_effective));
  out.set("BoundingCaps", array_or_null(config.cap_bounding));
  out.set("ExecIDs", json::Array());
  out.set("GraphDriver", graph_driver(container));
  if (sizes) {
    out.set("SizeRw", sizes->rw);
    out.set("SizeRootFs", sizes->root);
  }
  out.set("Mounts", inspect_mounts(config));
  out.set("Dependencies", to_array(config.depends_on));
  auto record = net::load_attachments(container.run_dir);
  out.set("NetworkSettings", inspect_network_settings(config, host, record ? *record : std::nullopt,
                                                      container.live.pid));
  out.set("Namespace", "");
  out.set("IsInfra", container.live.is_infra);
  out.set("IsService", false);
  out.set("Config", inspect_config(config, spec));
  out.set("HostConfig", inspect_host_config(host, container, spec));
  return out;
}

std::string normalize_inspect_format(std::string_view format) {
  struct Row {
    std::string_view from, to;
  };
  constexpr Row kRows[] = {
      {".ID", ".Id"}, {".ImageID", ".Image"}, {".Src", ".Source"}, {".Dst", ".Destination"}};
  auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  std::string out;
  for (std::size_t at = 0; at < format.size();) {
    const Row* found = nullptr;
    for (const Row& row : kRows)
      if (format.substr(at).starts_with(row.from) &&
          (at + row.from.size() == format.size() || !is_word(format[at + row.from.size()])))
        found = &row;
    out += found != nullptr ? found->to : format.substr(at, 1);
    at += found != nullptr ? found->from.size() : 1;
  }
  return out;
}

}  // namespace minke::view
