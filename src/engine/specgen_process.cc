// What runs: command, environment, user, working directory, terminal.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "engine/userns.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::engine {
namespace {

constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* kInitPath = "/run/podman-init";
constexpr std::string_view kProxyVariables[] = {
    "http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY",
};

std::string_view env_name(std::string_view entry) { return entry.substr(0, entry.find('=')); }

const oci::ImageProcessConfig& image_config(const ResolveContext& context) {
  static const oci::ImageProcessConfig none;
  return context.image != nullptr ? context.image->config.config : none;
}

// ${NAME} and $NAME by the image's environment, as Go's os.Expand.
std::string expand(std::string_view text, const std::vector<std::string>& env) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i++];
      continue;
    }
    std::size_t start = i + 1, end = 0;
    const bool braced = text[start] == '{';
    if (braced) {
      end = text.find('}', ++start);
      if (end == std::string_view::npos) return out;
    } else {
      end = start;
      while (end < text.size() &&
             (::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
        ++end;
    }
    std::string_view name = text.substr(start, end - start);
    for (const std::string& entry : env)
      if (env_name(entry) == name && entry.size() > name.size()) out.append(entry, name.size() + 1);
    i = end + (braced ? 1 : 0);
  }
  return out;
}

Status resolve_env(const CreateRequest& request, const ResolveContext& context,
                   ContainerConfig* config) {
  std::vector<std::string>& env = config->env;
  if (!request.unset_env_all) {
    env.emplace_back(kDefaultPath);
    if (request.terminal) env.emplace_back("TERM=xterm");
    env.emplace_back("container=podman");
    TRY(add_requested_env(request.defaults.env, &env));
  }
  if (request.env_host) {
    std::vector<std::string> own;
    append_caller_env("*", &own);
    for (const std::string& entry : own) set_env(&env, entry);
  }
  if (request.http_proxy) {
    std::vector<std::string> proxies;
    for (std::string_view name : kProxyVariables) append_caller_env(name, &proxies);
    for (const std::string& entry : proxies) set_env(&env, entry);
  }
  // An entry without "=" would be read from our own environment by whoever looks it up later
  // (CVE-2026-57231).
  if (!request.unset_env_all)
    for (const std::string& entry : image_config(context).env)
      if (entry.find('=') != std::string::npos && entry[0] != '=') set_env(&env, entry);
  const std::vector<std::string> before = env;
  for (const std::string& entry : request.env_merge) {
    auto pair = split_once(entry, '=');
    if (!pair || pair->first.empty())
      return Error(Errc::invalid_argument, concat("invalid environment variable: ", quote(entry)));
    set_env(&env, concat(pair->first, "=", expand(pair->second, before)));
  }
  for (const std::string& name : request.unset_env)
    std::erase_if(env, [&](const std::string& e) { return env_name(e) == name; });
  return add_requested_env(request.env, &env);
}

Status resolve_command(const CreateRequest& request, const ResolveContext& context,
                       ContainerConfig* config) {
  const oci::ImageProcessConfig& image = image_config(context);
  if (request.entrypoint) {
    config->entrypoint = *request.entrypoint;
    if (config->entrypoint == std::vector<std::string>{""}) config->entrypoint.clear();
  } else if (image.entrypoint) {
    config->entrypoint = *image.entrypoint;
  }
  // The image's own command belongs to its own entrypoint.
  config->command = request.command;
  const bool own_entrypoint = request.entrypoint && !request.entrypoint->empty();
  if (config->command.empty() && !own_entrypoint && image.cmd) config->command = *image.cmd;
  if (config->entrypoint.empty() && config->command.empty())
    return Error(Errc::invalid_argument,
                 "no command or entrypoint provided, and no CMD or ENTRYPOINT from image");
  return {};
}

bool is_systemd_command(const ContainerConfig& config) {
  const std::vector<std::string>& words =
      config.entrypoint.empty() ? config.command : config.entrypoint;
  const std::string& program = words[0];
  constexpr std::string_view kInits[] = {"init", "/sbin/init", "/usr/sbin/init",
                                         "/usr/local/sbin/init"};
  if (std::find(std::begin(kInits), std::end(kInits), program) != std::end(kInits)) return true;
  return program == "systemd" || program.ends_with("/systemd");
}

Status resolve_systemd(const CreateRequest& request, ContainerConfig* config) {
  const std::string& mode = request.systemd;
  auto flag = parse_bool(mode);
  if (!mode.empty() && mode != "always" && !flag)
    return Error(Errc::invalid_argument,
                 "invalid config provided: --systemd values must be one of \"true, false, "
                 "always\": invalid configuration");
  if (mode == "always")
    config->systemd_mode = true;
  else if (!flag || *flag)
    config->systemd_mode = is_systemd_command(*config) && config->pid_mode == "private";
  if (request.init && config->systemd_mode)
    return Error(Errc::invalid_argument, concat("cannot use container-init binary with systemd=",
                                                mode.empty() ? "true" : mode));
  return {};
}

// The image's check, or the user's in its place; what the user said about times holds for either.
static monitor::HealthPlan resolve_health(const HealthRequest& request,
                                          const std::optional<oci::Healthcheck>& image) {
  monitor::HealthPlan plan;
  if (request.disabled) return plan;
  oci::Healthcheck base = request.test.empty() && image ? *image : oci::Healthcheck();
  plan.check.test = request.test.empty() ? base.test : request.test;
  if (!plan.check.test.empty() && plan.check.test[0] == "NONE") plan.check.test.clear();
  if (plan.check.test.empty()) return plan;
  constexpr std::int64_t kUsual = 30 * kSecond;
  plan.check.interval = request.interval.value_or(base.interval > 0 ? base.interval : kUsual);
  plan.check.timeout = request.timeout.value_or(base.timeout > 0 ? base.timeout : kUsual);
  plan.check.retries = request.retries.value_or(base.retries > 0 ? base.retries : 3);
  plan.start_period = request.start_period.value_or(base.start_period);
  if (!request.startup_test.empty() && request.startup_test[0] != "NONE") {
    plan.startup = {request.startup_test, request.startup_interval, request.startup_timeout,
                    request.startup_retries};
    plan.startup_successes = request.startup_successes;
  }
  plan.on_failure = request.on_failure;
  plan.log_destination = request.log_destination;
  plan.max_log_count = request.max_log_count;
  plan.max_log_size = request.max_log_size;
  return plan;
}

Status resolve_stop(const CreateRequest& request, const ResolveContext& context,
                    ContainerConfig* config) {
  config->health = resolve_health(request.health, image_config(context).healthcheck);
  config->health.no_events = request.defaults.no_health_events;
  std::string text = request.stop_signal.value_or("");
  if (text.empty()) text = image_config(context).stop_signal;
  if (text.empty() && config->systemd_mode) text = "RTMIN+3";
  if (!text.empty()) {
    auto signal = sys::parse_signal(text);
    if (!signal) return Error(Errc::invalid_argument, concat("invalid signal: ", text));
    config->stop_signal = *signal;
  }
  if (request.stop_timeout) config->stop_timeout = *request.stop_timeout;
  return {};
}

Status check_words(const CreateRequest& request) {
  if (!request.umask.empty() && (request.umask.size() > 4 ||
                                 request.umask.find_first_not_of("01234567") != std::string::npos))
    return Error(Errc::invalid_argument,
                 concat("invalid umask string ", request.umask, ": invalid argument"));
  if (request.oom_score_adj && (*request.oom_score_adj < -1000 || *request.oom_score_adj > 1000))
    return Error(Errc::invalid_argument, concat("invalid value: ", *request.oom_score_adj,
                                                ", valid oom score range is -1000 to 1000"));
  if (!request.personality.empty() && request.personality != "LINUX" &&
      request.personality != "LINUX32" && request.personality != "linux" &&
      request.personality != "linux32")
    return Error(Errc::invalid_argument,
                 concat("unknown persona specified ", quote(request.personality),
                        ": must be LINUX or LINUX32"));
  for (const std::string& group : request.groups)
    if (group == "keep-groups")
      return Error(Errc::unsupported, "--group-add keep-groups is not supported yet");
  return {};
}

// The binary that reaps for the user's program.
Result<std::string> init_binary(const CreateRequest& request, const Host& host) {
  std::string path = request.init_path.empty() ? host.init_path : request.init_path;
  struct stat st {};
  if (::stat(path.c_str(), &st) < 0)
    return Error(Errc::not_found, concat("container-init binary not found on the host: stat ", path,
                                         ": ", go_reason(errno)));
  return path;
}

// A user outside of the maps cannot be taken on; the kernel would say "Invalid argument" only.
Status check_mapped(const SpecBuilder& b, const ResolvedUser& user) {
  const auto& uids = b.own_userns() ? b.config.uid_map : b.host.uid_map;
  const auto& gids = b.own_userns() ? b.config.gid_map : b.host.gid_map;
  auto inside = [&](const std::vector<oci::IdMapping>& map, std::uint32_t id) {
    return map.empty() || map_to_host(map, id).has_value();
  };
  const bool uid_ok = inside(uids, user.uid), gid_ok = inside(gids, user.gid);
  if (uid_ok && gid_ok) return {};
  std::string hint = b.host.single_id
                         ? concat("; ", b.host.user_name,
                                  " has no subordinate ids: usermod --add-subuids 100000-165535 "
                                  "--add-subgids 100000-165535 ",
                                  b.host.user_name)
                         : concat("; check ", uid_ok ? "/etc/subgid" : "/etc/subuid",
                                  " or the maps of the container");
  return Error(Errc::invalid_argument,
               concat(uid_ok ? "group " : "user ", uid_ok ? user.gid : user.uid,
                      " is not mapped in the user namespace of the container", hint));
}

// The image's own working directory is made by the runtime; one that was asked for must be there.
Status check_workdir(const SpecBuilder& b) {
  const std::string& path = b.config.workdir;
  if (b.request.workdir.empty() || path == "/") return {};
  for (const ResolvedMount& mount : b.config.mounts)
    if (path == mount.destination || path.starts_with(mount.destination + "/")) return {};
  for (std::string_view kernel : {"/proc", "/sys", "/dev"})
    if (path == kernel || path.starts_with(concat(kernel, "/"))) return {};
  sys::UniqueFd view = TRY(open_rootfs_view(b.config, b.host, b.context.container_dir + "/upper"));
  auto found = sys::open_in_root(view.get(), path.c_str(), O_PATH);
  struct stat st {};
  if (!found || ::fstat((*found).get(), &st) < 0)
    return Error(Errc::not_found,
                 concat("workdir ", quote(path), " does not exist on container ", b.config.id))
        .with_exit(126);
  if (!S_ISDIR(st.st_mode))
    return Error(Errc::invalid_argument, concat("workdir ", quote(path), " exists on container ",
                                                b.config.id, ", but is not a directory"));
  return {};
}

}  // namespace

void set_env(std::vector<std::string>* env, std::string_view entry) {
  for (std::string& old : *env) {
    if (env_name(old) != env_name(entry)) continue;
    old = entry;
    return;
  }
  env->emplace_back(entry);
}

bool has_env(const std::vector<std::string>& env, std::string_view name) {
  return std::any_of(env.begin(), env.end(),
                     [&](const std::string& entry) { return env_name(entry) == name; });
}

Status add_requested_env(const std::vector<std::string>& requested, std::vector<std::string>* env) {
  for (const std::string& entry : requested) {
    std::string_view name = env_name(entry);
    if (name.empty())
      return Error(Errc::invalid_argument, concat("invalid environment variable: ", quote(entry)));
    if (entry.find('\0') != std::string::npos)
      return Error(Errc::invalid_argument, concat("invalid environment variable: ", quote(entry)));
    if (name.size() < entry.size()) {
      set_env(env, entry);
      continue;
    }
    std::vector<std::string> own;
    append_caller_env(name, &own);
    for (const std::string& variable : own) set_env(env, variable);
  }
  return {};
}

Status resolve_process(const CreateRequest& request, const ResolveContext& context,
                       ContainerConfig* config) {
  const oci::ImageProcessConfig& image = image_config(context);
  TRY(check_words(request));
  TRY(resolve_command(request, context, config));
  TRY(resolve_env(request, context, config));
  TRY(resolve_systemd(request, config));
  TRY(resolve_stop(request, context, config));
  if (request.init && config->pid_mode != "private")
    return Error(Errc::invalid_argument,
                 "cannot add init binary as PID 1 (PID namespace isn't private)");
  if (request.init) TRY(init_binary(request, *context.host));
  config->labels = request.labels;
  for (const auto& [key, value] : image.labels) config->labels.try_emplace(key, value);
  config->annotations = request.annotations;
  // keep-id has set one for an image that names none.
  if (!request.user.empty())
    config->user = request.user;
  else if (!image.user.empty())
    config->user = image.user;
  config->workdir = !request.workdir.empty()    ? request.workdir
                    : image.working_dir.empty() ? "/"
                                                : image.working_dir;
  if (config->workdir[0] != '/') {
    if (!request.workdir.empty())
      return Error(Errc::invalid_argument, concat("the working directory ", quote(config->workdir),
                                                  " is invalid, it needs to be an absolute path"));
    config->workdir.insert(0, "/");
  }
  config->workdir = clean_path(config->workdir);
  return {};
}

Status add_process(SpecBuilder* b) {
  oci::Process& process = b->process;
  const ContainerConfig& config = b->config;
  process.terminal = b->request.terminal;
  process.cwd = config.workdir;
  if (b->request.init) {
    std::string init = TRY(init_binary(b->request, b->host));
    b->spec.mounts.push_back({kInitPath, "bind", init, {"bind", "rprivate", "ro"}, {}, {}});
    process.args = {kInitPath, "--"};
  }
  process.args.insert(process.args.end(), config.entrypoint.begin(), config.entrypoint.end());
  process.args.insert(process.args.end(), config.command.begin(), config.command.end());
  process.env = config.env;

  Accounts accounts = TRY(read_accounts(config, b->host, b->context.container_dir + "/upper"));
  auto found = resolve_user(config.user, b->request.groups, accounts.passwd, accounts.group);
  if (!found) return std::move(found.error()).with_exit(126);
  const ResolvedUser& user = *found;
  TRY(check_mapped(*b, user));
  TRY(check_workdir(*b));
  process.user.uid = user.uid;
  process.user.gid = user.gid;
  const auto& gids = b->own_userns() ? config.gid_map : b->host.gid_map;
  for (std::uint32_t gid : user.additional_gids)
    if (gids.empty() || map_to_host(gids, gid)) process.user.additional_gids.push_back(gid);
  process.user.umask = static_cast<std::uint32_t>(
      b->request.umask.empty() ? 0022 : *parse_uint(b->request.umask, 8));
  if (config.systemd_mode)
    set_env(&process.env, concat("container_uuid=", config.id.substr(0, 32)));
  if (!has_env(process.env, "HOSTNAME"))
    process.env.push_back(concat("HOSTNAME=", config.hostname));
  if (!has_env(process.env, "HOME")) process.env.push_back(concat("HOME=", user.home));
  if (!b->request.personality.empty())
    b->linux_.personality = oci::Personality{to_upper(b->request.personality), {}};

  AccountFiles files = TRY(make_account_files(config, b->host, accounts, user));
  for (auto [text, name] : {std::pair{&files.passwd, "passwd"}, std::pair{&files.group, "group"}}) {
    if (!*text) continue;
    std::string path = concat(b->context.container_dir, "/", name);
    TRY(sys::write_file(path, **text, 0644));
    b->spec.mounts.push_back({concat("/etc/", name), "bind", path, {"bind", "rprivate"}, {}, {}});
  }
  return {};
}

}  // namespace minke::engine
