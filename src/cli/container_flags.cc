#include "cli/container_flags.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/units.h"
#include "engine/parse.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

using engine::CreateRequest;

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

bool one_of(std::string_view word, std::initializer_list<std::string_view> known) {
  for (std::string_view item : known)
    if (item == word) return true;
  return false;
}

// "key=value" pairs into a map; a key alone has an empty value unless `needs_value` says how to
// complain.
Status add_pairs(const std::vector<std::string>& texts, const char* needs_value,
                 std::map<std::string, std::string>* out) {
  for (const std::string& text : texts) {
    auto pair = split_once(text, '=');
    if ((!pair && needs_value != nullptr) || (pair ? pair->first : std::string_view(text)).empty())
      return invalid(needs_value != nullptr ? concat(needs_value, ": ", quote(text))
                                            : concat("invalid label format: ", quote(text)));
    (*out)[std::string(pair ? pair->first : text)] =
        pair ? std::string(pair->second) : std::string();
  }
  return {};
}

Status set_identity(const ContainerFlags& f, CreateRequest* r) {
  r->name = f.name;
  r->replace = f.replace;
  if (f.replace && f.name.empty())
    return invalid("cannot replace container without --name being set");
  r->remove = f.rm;
  r->cid_file = f.cidfile;
  if (f.entrypoint) r->entrypoint = TRY(engine::parse_entrypoint(*f.entrypoint));
  for (const std::string& path : f.label_file)
    for (auto& [key, value] : TRY(engine::parse_label_file(path))) r->labels[key] = value;
  TRY(add_pairs(f.label, nullptr, &r->labels));
  TRY(add_pairs(f.annotation, "annotations must be formatted KEY=VALUE", &r->annotations));
  r->pull = to_lower(f.pull);
  if (r->pull == "true") r->pull = "always";
  if (r->pull == "false") r->pull = "never";
  if (!one_of(r->pull, {"", "always", "missing", "never", "newer", "ifnotpresent", "ifmissing"}))
    return invalid(concat("unsupported pull policy ", quote(f.pull)));
  if (r->pull.starts_with("if")) r->pull = "missing";
  r->registry = TRY(registry_access(f));
  if (!f.platform.empty()) {
    if (!f.os.empty() || !f.arch.empty())
      return invalid("--platform option can not be specified with --arch or --os");
    std::vector<std::string_view> parts = split(f.platform, '/');
    if (parts.size() > 3)
      return invalid(concat("invalid platform syntax for --platform=", quote(f.platform)));
    r->platform_os = parts[0];
    if (parts.size() > 1) r->platform_arch = parts[1];
    if (parts.size() > 2) r->platform_variant = parts[2];
    return {};
  }
  r->platform_os = f.os;
  r->platform_arch = f.arch;
  r->platform_variant = f.variant;
  return {};
}

Status set_process(const ContainerFlags& f, CreateRequest* r) {
  for (const std::string& path : f.env_file)
    for (std::string& entry : TRY(engine::parse_env_file(path))) r->env.push_back(std::move(entry));
  r->env.insert(r->env.end(), f.env.begin(), f.env.end());
  r->env_merge = f.env_merge;
  r->unset_env = f.unsetenv;
  r->env_host = f.env_host;
  r->unset_env_all = f.unsetenv_all;
  r->http_proxy = f.http_proxy;
  r->workdir = f.workdir;
  r->user = f.user;
  r->umask = f.umask;
  r->groups = f.group_add;
  r->terminal = f.tty;
  r->stdin_open = f.interactive;
  for (const std::string& stream : f.attach) {
    std::string name = to_lower(stream);
    if (!one_of(name, {"stdin", "stdout", "stderr"}))
      return invalid(
          concat("invalid stream ", quote(stream),
                 " for --attach - must be one of stdin, stdout, or stderr: invalid argument"));
    r->attach.push_back(std::move(name));
  }
  r->hostname = f.hostname;
  r->domainname = f.domainname;
  r->init = f.init;
  r->init_path = f.init_path;
  r->tz = f.tz;
  r->personality = f.personality;
  if (f.oom_score_adj && (*f.oom_score_adj < -1000 || *f.oom_score_adj > 1000))
    return invalid("--oom-score-adj must be between -1000 and 1000");
  r->oom_score_adj = f.oom_score_adj;
  for (const std::string& text : f.ulimit) r->ulimits.push_back(TRY(engine::parse_ulimit(text)));
  r->systemd = f.systemd;
  if (auto wanted = parse_bool(r->systemd)) r->systemd = *wanted ? "true" : "false";
  r->passwd_entry = f.passwd_entry;
  r->group_entry = f.group_entry;
  r->host_users = f.hostuser;
  r->chroot_dirs = f.chrootdirs;
  return {};
}

Status set_isolation(const ContainerFlags& f, CreateRequest* r) {
  struct Row {
    const char* flag;
    const std::string& text;
    engine::NamespaceMode& mode;
  };
  for (const Row& row :
       {Row{"pid", f.pid, r->pid}, Row{"ipc", f.ipc, r->ipc}, Row{"uts", f.uts, r->uts},
        Row{"cgroupns", f.cgroupns, r->cgroupns}, Row{"userns", f.userns, r->userns}})
    row.mode = TRY(engine::parse_namespace(row.flag, row.text));
  r->uid_maps = f.uidmap;
  r->gid_maps = f.gidmap;
  r->subuid_name = f.subuidname;
  r->subgid_name = f.subgidname;
  r->cap_add = f.cap_add;
  r->cap_drop = f.cap_drop;
  r->security_opts = f.security_opt;
  r->seccomp_policy = f.seccomp_policy;
  r->rdt_class = f.rdt_class;
  if (!one_of(r->seccomp_policy, {"", "default", "image"}))
    return invalid(concat("invalid seccomp policy ", quote(r->seccomp_policy),
                          ": valid policies are [default image]"));
  r->privileged = f.privileged;
  r->read_only = f.read_only;
  r->read_only_tmpfs = f.read_only_tmpfs;
  TRY(add_pairs(f.sysctl, "sysctl must be formatted KEY=VALUE", &r->sysctls));
  r->devices = f.device;
  r->device_cgroup_rules = f.device_cgroup_rule;
  r->gpus = f.gpus;
  return {};
}

// A size with the option's name in front of the fault; 0 is a value.
Result<std::int64_t> size_of(const char* option, const std::string& text) {
  auto size = units::parse_ram(text);
  if (!size) return invalid(concat("invalid value for ", option, ": ", size.error().message()));
  return *size;
}

Status set_files(const ContainerFlags& f, bool as_docker, CreateRequest* r) {
  for (const std::string& text : f.volume) {
    r->mounts.push_back(TRY(engine::parse_volume(text)));
    r->mounts.back().from_volume_flag = as_docker;  // a missing source is made then
  }
  for (const std::string& text : f.mount) {
    engine::MountRequest mount = TRY(engine::parse_mount(text));
    std::vector<engine::MountRequest> mounts = TRY(engine::expand_glob(std::move(mount)));
    std::move(mounts.begin(), mounts.end(), std::back_inserter(r->mounts));
  }
  for (const std::string& text : f.tmpfs) r->mounts.push_back(TRY(engine::parse_tmpfs(text)));
  for (const std::string& text : f.secret) TRY(engine::parse_secret(text));
  r->secrets = f.secret;
  r->volumes_from = f.volumes_from;
  r->image_volume = f.image_volume;
  if (!one_of(r->image_volume, {"", "anonymous", "bind", "tmpfs", "ignore"}))
    return invalid(concat("invalid image-volume type ", quote(r->image_volume),
                          ". Pick one of bind, tmpfs, or ignore"));
  if (!f.shm_size.empty()) r->shm_size = TRY(size_of("shm-size", f.shm_size));
  if (!f.shm_size_systemd.empty())
    r->shm_size_systemd = TRY(size_of("shm-size-systemd", f.shm_size_systemd));
  return {};
}

Status set_memory(const ContainerFlags& f, oci::Resources* out) {
  oci::Memory memory;
  if (!f.memory.empty()) memory.limit = TRY(size_of("memory", f.memory));
  if (!f.memory_reservation.empty())
    memory.reservation = TRY(size_of("memory-reservation", f.memory_reservation));
  if (f.memory_swap == "-1")
    memory.swap = -1;
  else if (!f.memory_swap.empty())
    memory.swap = TRY(size_of("memory-swap", f.memory_swap));
  if (f.memory_swappiness && *f.memory_swappiness != -1) {
    if (*f.memory_swappiness < 0 || *f.memory_swappiness > 100)
      return invalid(concat("invalid value: ", *f.memory_swappiness,
                            ", valid memory swappiness range is 0-100"));
    memory.swappiness = static_cast<std::uint64_t>(*f.memory_swappiness);
  }
  memory.disable_oom_killer = f.oom_kill_disable;
  if (memory.limit || memory.reservation || memory.swap || memory.swappiness ||
      memory.disable_oom_killer)
    out->memory = memory;
  return {};
}

Status set_cpu(const ContainerFlags& f, CreateRequest* r) {
  oci::Cpu cpu;
  cpu.shares = f.cpu_shares;
  cpu.period = f.cpu_period;
  cpu.quota = f.cpu_quota;
  cpu.realtime_period = f.cpu_rt_period;
  cpu.realtime_runtime = f.cpu_rt_runtime;
  cpu.cpus = f.cpuset_cpus;
  cpu.mems = f.cpuset_mems;
  if (f.cpus && (f.cpu_period || f.cpu_quota))
    return invalid(concat("--cpus and --", f.cpu_period ? "cpu-period" : "cpu-quota",
                          " cannot be set together"));
  r->cpus = f.cpus;
  if (cpu.shares || cpu.period || cpu.quota || cpu.realtime_period || cpu.realtime_runtime ||
      !cpu.cpus.empty() || !cpu.mems.empty())
    r->resources.cpu = cpu;
  return {};
}

}  // namespace

Status set_limits(const ContainerFlags& f, CreateRequest* r) {
  r->cgroup_parent = f.cgroup_parent;
  r->cgroups = f.cgroups;
  if (!one_of(r->cgroups, {"", "enabled", "disabled", "no-conmon", "split"}))
    return invalid(concat("invalid cgroup mode ", quote(r->cgroups),
                          ": valid modes are [enabled disabled no-conmon split]"));
  TRY(set_memory(f, &r->resources));
  TRY(set_cpu(f, r));
  if (f.pids_limit) r->resources.pids = oci::Pids{*f.pids_limit};
  if (!f.blkio_weight.empty()) {
    auto weight = parse_uint(f.blkio_weight);
    if (!weight || *weight > 1000 || (*weight != 0 && *weight < 10))
      return invalid(
          concat("invalid value for blkio-weight: ", f.blkio_weight, ": range is 10 to 1000"));
    oci::BlockIo io;
    io.weight = static_cast<std::uint16_t>(*weight);
    r->resources.block_io = io;
  }
  TRY(add_pairs(f.cgroup_conf, "--cgroup-conf must be formatted KEY=VALUE", &r->resources.unified));
  r->blkio_weight_devices = f.blkio_weight_device;
  r->device_read_bps = f.device_read_bps;
  r->device_write_bps = f.device_write_bps;
  r->device_read_iops = f.device_read_iops;
  r->device_write_iops = f.device_write_iops;
  return {};
}

namespace {

Result<std::int64_t> health_time(const char* what, const std::string& text) {
  auto ns = parse_duration(text);
  if (!ns) return invalid(concat("invalid ", what, ": time: invalid duration ", quote(text)));
  return *ns;
}

// A shell's line, or a JSON list of words.
Result<std::vector<std::string>> health_command(const std::string& text) {
  if (text.empty()) return invalid("must define a healthcheck command for all healthchecks");
  std::vector<std::string> line = {"CMD-SHELL", text}, words;
  if (text == "none") return std::vector<std::string>{"NONE"};
  auto parsed = json::parse(text);
  if (!parsed || parsed->as_array() == nullptr) return line;
  for (const json::Value& word : *parsed->as_array()) {
    if (word.as_string() == nullptr) return line;
    words.push_back(*word.as_string());
  }
  if (words.empty()) return invalid("must define a healthcheck command for all healthchecks");
  if (!one_of(words[0], {"CMD", "CMD-SHELL", "NONE"})) words.insert(words.begin(), "CMD");
  return words;
}

Status set_health_times(const ContainerFlags& f, engine::HealthRequest* h) {
  struct Field {
    const char* what;
    const std::optional<std::string>& text;
    std::optional<std::int64_t>& ns;
    std::int64_t least;
  };
  const Field fields[] = {{"healthcheck-interval", f.health_interval, h->interval, 0},
                          {"healthcheck-timeout", f.health_timeout, h->timeout, kSecond},
                          {"healthcheck-start-period", f.health_start_period, h->start_period, 0}};
  for (const Field& field : fields) {
    if (!field.text) continue;
    field.ns = *field.text == "disable" ? 0 : TRY(health_time(field.what, *field.text));
    if (*field.ns < field.least)
      return invalid(concat(field.what, field.least > 0 ? " must be at least 1 second"
                                                        : " must be 0 seconds or greater"));
  }
  if (f.health_startup_interval == "disable")
    h->startup_interval = 0;
  else
    h->startup_interval =
        TRY(health_time("startup-healthcheck-interval", f.health_startup_interval));
  h->startup_timeout = TRY(health_time("startup-healthcheck-timeout", f.health_startup_timeout));
  return {};
}

Status set_health(const ContainerFlags& f, engine::HealthRequest* h) {
  if (f.no_healthcheck && f.health_cmd)
    return invalid("--no-healthcheck and --health-cmd conflict");
  h->disabled = f.no_healthcheck;
  if (f.health_cmd) h->test = TRY(health_command(*f.health_cmd));
  if (f.health_startup_cmd) h->startup_test = TRY(health_command(*f.health_startup_cmd));
  if (f.health_retries && *f.health_retries < 1)
    return invalid("healthcheck-retries must be greater than 0");
  if (f.health_startup_retries < 0 || f.health_startup_success < 0)
    return invalid("startup healthcheck retries and successes must be 0 or greater");
  h->retries = f.health_retries;
  TRY(set_health_times(f, h));
  h->startup_retries = f.health_startup_retries;
  h->startup_successes = f.health_startup_success;
  if (!one_of(f.health_on_failure, {"", "none", "kill", "restart", "stop"}))
    return invalid(concat("invalid on-failure action ", quote(f.health_on_failure),
                          " for health check: supported actions are none,kill,restart,stop"));
  h->on_failure = f.health_on_failure;
  if (h->on_failure == "restart" && !one_of(f.restart, {"", "no", "never"}))
    return invalid("the --restart flag and --health-on-failure=restart cannot be used together");
  h->log_destination = f.health_log_destination;
  if (!one_of(h->log_destination, {"", "local", "events_logger"}) &&
      !sys::open_dir(h->log_destination))
    return invalid(concat("HealthCheck Log ", quote(h->log_destination),
                          " destination error: it is no directory"));
  h->max_log_count = f.health_max_log_count;
  h->max_log_size = f.health_max_log_size;
  return {};
}

}  // namespace

Result<engine::HealthUpdate> health_update(const Invocation& call, const ContainerFlags& f) {
  engine::HealthRequest asked;
  TRY(set_health(f, &asked));
  engine::HealthUpdate out;
  auto take = [&](const char* option, const auto& value, auto* field) {
    if (!call.changed(option)) return;
    *field = value;
    out.any = true;
  };
  take("health-cmd", asked.test, &out.test);
  take("health-interval", asked.interval.value_or(0), &out.interval);
  take("health-timeout", asked.timeout.value_or(0), &out.timeout);
  take("health-start-period", asked.start_period.value_or(0), &out.start_period);
  take("health-retries", asked.retries.value_or(0), &out.retries);
  take("health-startup-cmd", asked.startup_test, &out.startup_test);
  take("health-startup-interval", asked.startup_interval, &out.startup_interval);
  take("health-startup-timeout", asked.startup_timeout, &out.startup_timeout);
  take("health-startup-retries", asked.startup_retries, &out.startup_retries);
  take("health-startup-success", asked.startup_successes, &out.startup_successes);
  take("health-on-failure", asked.on_failure, &out.on_failure);
  take("health-log-destination", asked.log_destination, &out.log_destination);
  take("health-max-log-count", asked.max_log_count, &out.max_log_count);
  take("health-max-log-size", asked.max_log_size, &out.max_log_size);
  if (f.no_healthcheck && out.any)
    return invalid("cannot specify both --no-healthcheck and other HealthCheck flags");
  out.disabled = f.no_healthcheck;
  out.any = out.any || out.disabled;
  return out;
}

namespace {

Status set_life(const ContainerFlags& f, CreateRequest* r) {
  r->stop_signal = f.stop_signal;
  if (f.stop_timeout) r->stop_timeout = *f.stop_timeout;
  r->timeout = f.timeout;
  r->restart = TRY(engine::parse_restart(f.restart == "never" ? "no" : f.restart));
  if (!one_of(r->restart.name, {"", "no"})) {
    if (f.rm && r->restart.name != "on-failure")
      return invalid(
          "the --rm option conflicts with --restart, when the restartPolicy is not \"\" and "
          "\"no\"");
  }
  r->log.driver = f.log_driver;
  TRY(add_pairs(f.log_opt, "log options must be formatted KEY=VALUE", &r->log.options));
  r->pid_file = f.pidfile;
  r->monitor_pid_file = f.conmon_pidfile;
  r->sdnotify = f.sdnotify;
  TRY(set_health(f, &r->health));
  if (!one_of(r->sdnotify, {"", "container", "conmon", "healthy", "ignore"}))
    return invalid(concat("invalid sdnotify mode ", quote(r->sdnotify),
                          ": must be container, conmon, healthy or ignore"));
  r->requires_ = f.requires_;
  return {};
}

}  // namespace

Result<CreateRequest> make_request(const Invocation& call, const ContainerFlags& flags) {
  CreateRequest request;
  if (call.args.empty()) return invalid("requires at least 1 arg(s), only received 0");
  request.image = call.args[0];
  request.rootfs = flags.rootfs;
  request.command.assign(call.args.begin() + 1, call.args.end());
  request.create_command.assign(call.argv.begin(), call.argv.end());
  request.runtime = call.global.runtime;
  for (const char* name : {"env-host", "http-proxy", "init", "privileged", "read-only", "no-hosts"})
    if (call.changed(name)) request.given.emplace_back(name);
  request.runtime_flags = call.global.runtime_flags;
  request.cdi_folders = call.global.cdi_spec_dirs;
  TRY(set_identity(flags, &request));
  TRY(set_process(flags, &request));
  TRY(set_isolation(flags, &request));
  TRY(set_files(flags, call.program == "docker", &request));
  TRY(set_limits(flags, &request));
  TRY(set_networks(flags, &request));
  TRY(set_life(flags, &request));
  return request;
}

Result<CreateRequest> make_run_request(const Invocation& call, const RunFlags& flags) {
  CreateRequest request = TRY(make_request(call, flags));
  request.remove_image = flags.rmi;
  request.remove = request.remove || flags.rmi;
  request.passwd = flags.passwd;
  TRY(check_preserved(flags.preserve_fds));
  request.preserve_fds = flags.preserve_fds;
  request.preserve_fd = TRY(parse_descriptors(flags.preserve_fd));
  return request;
}

// What we have opened ourselves is closed by an exec; what we were given is not.
static Status check_given(int fd, const char* option) {
  int flags = ::fcntl(fd, F_GETFD);
  if (flags >= 0 && (flags & FD_CLOEXEC) == 0) return {};
  return invalid(concat("file descriptor ", fd, " is not available - the ", option,
                        " option requires that file descriptors must be passed"));
}

Status check_preserved(std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i)
    TRY(check_given(static_cast<int>(3 + i), "preserve-fds"));
  return {};
}

Result<std::vector<std::int32_t>> parse_descriptors(const std::vector<std::string>& texts) {
  std::vector<std::int32_t> fds;
  for (const std::string& text : texts) {
    auto number = parse_int(text);
    if (!number || *number < 3 || *number > INT32_MAX)
      return invalid(concat("invalid argument ", quote(text),
                            " for \"--preserve-fd\" flag: a descriptor is a number above 2"));
    TRY(check_given(static_cast<int>(*number), "preserve-fd"));
    fds.push_back(static_cast<std::int32_t>(*number));
  }
  return fds;
}

Status check_cidfile(const std::string& path) {
  if (path.empty() || !sys::exists(path)) return {};
  return Error(
      Errc::already_exists,
      concat("container id file exists. Ensure another container is not using it or delete ",
             path));
}

Status write_cidfile(const std::string& path, const std::string& id) {
  if (path.empty()) return {};
  return sys::write_file(path, id, 0644);
}

void remove_image_after(engine::Engine& engine, const std::string& image) {
  auto removed = engine.remove_image(image, {});
  if (removed) return;
  Errc code = removed.error().code();
  if (code != Errc::in_use && code != Errc::conflict && code != Errc::not_found)
    log::error(concat("removing image ", image, ": ", removed.error().message()));
}

void warn_no_terminal(bool tty, bool interactive) {
  if (tty && interactive && ::isatty(STDIN_FILENO) == 0)
    log::warn(
        "The input device is not a TTY. The --tty and --interactive flags might not work properly");
}

}  // namespace minke::cli
