#include "engine/defaults.h"

#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/str.h"
#include "codec/units.h"
#include "engine/parse.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

using config::ContainersConf;
using Strings = std::vector<std::string>;

constexpr const char* kHookDirs[] = {"/usr/share/containers/oci/hooks.d",
                                     "/etc/containers/oci/hooks.d"};

// "FILE:LINE: KEY", in front of what is wrong with its value.
std::string place_of(const ContainersConf& conf, const char* key) {
  auto found = conf.where.find(key);
  return found == conf.where.end() ? std::string(key) : concat(found->second, ": ", key);
}

template <typename List>
Status check_word(const ContainersConf& conf, const char* key, std::string_view value,
                  const List& known) {
  if (value.empty() || std::find(std::begin(known), std::end(known), value) != std::end(known))
    return {};
  std::string list;
  for (std::string_view word : known) list += concat(list.empty() ? "" : ", ", word);
  return Error(Errc::invalid_argument,
               concat(place_of(conf, key), ": ", quote(value), " is none of ", list));
}

class Folder {
 public:
  Folder(const ContainersConf& conf, const Host& host, CreateRequest* request)
      : conf_(conf), host_(host), r_(*request) {}

  Status run() {
    texts();
    switches();
    TRY(numbers());
    TRY(namespaces());
    TRY(process());
    TRY(limits());
    TRY(files());
    TRY(security());
    TRY(life());
    return runtime();
  }

 private:
  bool given(std::string_view name) const {
    return std::find(r_.given.begin(), r_.given.end(), name) != r_.given.end();
  }

  std::string at(const char* key) const { return place_of(conf_, key); }
  template <typename List>
  Status one_of(const char* key, std::string_view value, const List& known) const {
    return check_word(conf_, key, value, known);
  }

  void texts() {
    for (auto [from, to] : {
             std::pair{&conf_.tz, &r_.tz},
             std::pair{&conf_.umask, &r_.umask},
             std::pair{&conf_.cgroups, &r_.cgroups},
             std::pair{&conf_.image_volume_mode, &r_.image_volume},
             std::pair{&conf_.log_driver, &r_.log.driver},
         })
      if (to->empty()) *to = *from;
    // Of the two places of this key, the engine's is the older.
    if (r_.init_path.empty()) r_.init_path = conf_.init_path;
    if (r_.init_path.empty()) r_.init_path = conf_.engine_init_path;
  }

  void switches() {
    struct Row {
      const char* option;
      const std::optional<bool>& from;
      bool& to;
    };
    for (const Row& row : {
             Row{"env-host", conf_.env_host, r_.env_host},
             Row{"http-proxy", conf_.http_proxy, r_.http_proxy},
             Row{"init", conf_.init, r_.init},
             Row{"privileged", conf_.privileged, r_.privileged},
             Row{"read-only", conf_.read_only, r_.read_only},
         })
      if (row.from && !given(row.option)) row.to = *row.from;
    // Who adds hosts wants the file.
    if (conf_.no_hosts && !given("no-hosts") && r_.add_hosts.empty()) r_.no_hosts = *conf_.no_hosts;
    r_.defaults.no_keyring = !conf_.keyring.value_or(true);
    r_.defaults.name_as_hostname = conf_.name_as_hostname.value_or(false);
    r_.defaults.prepare_volumes = conf_.prepare_volume_on_create.value_or(false);
    r_.defaults.no_health_events = !conf_.healthcheck_events.value_or(true);
  }

  Status numbers() {
    if (!r_.oom_score_adj) r_.oom_score_adj = conf_.oom_score_adj;
    if (r_.oom_score_adj && conf_.oom_score_adj &&
        (*conf_.oom_score_adj < -1000 || *conf_.oom_score_adj > 1000))
      return Error(Errc::invalid_argument,
                   concat(at("containers.oom_score_adj"), ": ", *conf_.oom_score_adj,
                          " is not in -1000 to 1000"));
    if (!r_.stop_timeout) r_.stop_timeout = conf_.stop_timeout;
    if (conf_.stop_timeout && *conf_.stop_timeout < 0)
      return Error(Errc::invalid_argument,
                   concat(at("engine.stop_timeout"), ": must not be negative"));
    if (conf_.log_size_max && *conf_.log_size_max > 0) {
      constexpr std::int64_t kLeast = 8192;  // Podman's
      if (*conf_.log_size_max < kLeast)
        return Error(Errc::invalid_argument, concat(at("containers.log_size_max"),
                                                    ": must be negative or at least ", kLeast));
      r_.defaults.log_max_size = conf_.log_size_max;
    }
    if (conf_.userns_size && *conf_.userns_size > 0)
      r_.defaults.auto_userns_size = conf_.userns_size;
    if (!conf_.shm_size.empty())
      r_.defaults.shm_size = TRY_CTX(units::parse_ram(conf_.shm_size), at("containers.shm_size"));
    return {};
  }

  Status namespaces() {
    struct Row {
      const char* flag;
      const char* key;
      const std::string& from;
      NamespaceMode& to;
    };
    const bool maps = !r_.uid_maps.empty() || !r_.gid_maps.empty() || !r_.subuid_name.empty() ||
                      !r_.subgid_name.empty();
    for (const Row& row : {
             Row{"cgroupns", "containers.cgroupns", conf_.cgroupns, r_.cgroupns},
             Row{"ipc", "containers.ipcns", conf_.ipcns, r_.ipc},
             Row{"pid", "containers.pidns", conf_.pidns, r_.pid},
             Row{"uts", "containers.utsns", conf_.utsns, r_.uts},
             Row{"userns", "containers.userns", conf_.userns, r_.userns},
         }) {
      if (row.from.empty() || !row.to.mode.empty()) continue;
      if (&row.to == &r_.userns && (maps || r_.privileged)) continue;
      row.to = TRY_CTX(parse_namespace(row.flag, row.from), at(row.key));
    }
    if (r_.network.mode.empty() && r_.networks.empty() && !conf_.netns.empty())
      TRY_CTX(parse_networks({conf_.netns}, &r_), at("containers.netns"));
    if (r_.network.mode == "pasta" && conf_.pasta_options && !conf_.pasta_options->empty()) {
      // What was asked for comes last, where pasta takes it for stronger.
      std::string words = join(*conf_.pasta_options, ",");
      r_.network.value = r_.network.value.empty() ? words : concat(words, ",", r_.network.value);
    }
    r_.defaults.internal_ip = conf_.host_containers_internal_ip;
    return {};
  }

  Status process() {
    if (conf_.env) {
      for (const std::string& entry : *conf_.env)
        if (entry.empty() || entry[0] == '=')
          return Error(Errc::invalid_argument,
                       concat(at("containers.env"), ": ", quote(entry), " is no variable"));
      r_.defaults.env = *conf_.env;
    }
    if (r_.umask.size() > 4 || r_.umask.find_first_not_of("01234567") != std::string::npos)
      if (r_.umask == conf_.umask)
        return Error(Errc::invalid_argument,
                     concat(at("containers.umask"), ": ", quote(r_.umask), " is no umask"));
    if (conf_.annotations)
      for (const std::string& text : *conf_.annotations) {
        auto pair = split_once(text, '=');
        if (!pair || pair->first.empty())
          return Error(Errc::invalid_argument, concat(at("containers.annotations"), ": ",
                                                      quote(text), " is not KEY=VALUE"));
        r_.annotations.try_emplace(std::string(pair->first), pair->second);
      }
    return {};
  }

  Status limits() {
    constexpr std::string_view kCgroups[] = {"enabled", "disabled", "no-conmon"};
    TRY(one_of("containers.cgroups", conf_.cgroups, kCgroups));
    const bool cgroups = r_.cgroups != "disabled";
    if (!r_.resources.pids && conf_.pids_limit && cgroups)
      r_.resources.pids = oci::Pids{*conf_.pids_limit};
    if (!conf_.default_ulimits) return {};
    for (const std::string& text : *conf_.default_ulimits) {
      Ulimit ulimit = TRY_CTX(parse_ulimit(text), at("containers.default_ulimits"));
      if (std::none_of(r_.ulimits.begin(), r_.ulimits.end(), [&](const Ulimit& asked) {
            return asked.name == ulimit.name || asked.name == "host";
          }))
        r_.ulimits.push_back(std::move(ulimit));
    }
    return {};
  }

  Status add_mounts(const std::optional<Strings>& texts, const char* key,
                    Result<MountRequest> (*parse)(std::string_view)) {
    if (!texts) return {};
    for (const std::string& text : *texts) {
      MountRequest mount = TRY_CTX(parse(text), at(key));
      std::string place = TRY_CTX(container_path(mount.destination), at(key));
      bool taken = false;
      for (const MountRequest& asked : r_.mounts) {
        auto other = container_path(asked.destination);
        taken = taken || (other && *other == place);
      }
      if (!taken) r_.mounts.push_back(std::move(mount));
    }
    return {};
  }

  Status files() {
    constexpr std::string_view kModes[] = {"anonymous", "bind", "tmpfs", "ignore"};
    TRY(one_of("engine.image_volume_mode", conf_.image_volume_mode, kModes));
    TRY(add_mounts(conf_.volumes, "containers.volumes", parse_volume));
    TRY(add_mounts(conf_.mounts, "containers.mounts", parse_mount));
    if (conf_.devices)
      for (const std::string& text : *conf_.devices) {
        DeviceRequest device = TRY_CTX(parse_device(text), at("containers.devices"));
        bool taken = false;
        for (const std::string& asked : r_.devices) {
          auto other = parse_device(asked);
          taken = taken || (other && other->destination == device.destination);
        }
        if (!taken) r_.devices.push_back(text);
      }
    // Only where the container has a resolv.conf of its own.
    if (r_.network.mode != "none" && r_.network.mode != "container")
      for (auto [from, to] :
           {std::pair{&conf_.dns_servers, &r_.dns}, std::pair{&conf_.dns_searches, &r_.dns_search},
            std::pair{&conf_.dns_options, &r_.dns_options}})
        if (to->empty() && *from) *to = **from;
    if (!conf_.base_hosts_file.empty()) {
      r_.defaults.base_hosts_file = conf_.base_hosts_file;
      if (!conf_.base_hosts_file.starts_with('/') && conf_.base_hosts_file != "none" &&
          conf_.base_hosts_file != "image")
        return Error(Errc::invalid_argument,
                     concat(at("containers.base_hosts_file"), ": must be a path, none or image"));
    }
    return {};
  }

  Status security() {
    if (conf_.default_capabilities) {
      Strings names = TRY_CTX(normalize_capabilities(*conf_.default_capabilities),
                              at("containers.default_capabilities"));
      if (names != default_capabilities()) r_.defaults.capabilities = std::move(names);
    }
    if (conf_.default_sysctls) {
      for (const std::string& text : *conf_.default_sysctls)
        if (text.find('=') == std::string::npos)
          return Error(Errc::invalid_argument, concat(at("containers.default_sysctls"), ": ",
                                                      quote(text), " is not NAME=VALUE"));
      if (*conf_.default_sysctls != default_sysctls()) r_.defaults.sysctls = *conf_.default_sysctls;
    }
    r_.defaults.apparmor_profile = conf_.apparmor_profile;
    const std::string& profile = conf_.seccomp_profile;
    if (!profile.empty() && profile != "unconfined" && !profile.starts_with('/'))
      return Error(Errc::invalid_argument, concat(at("containers.seccomp_profile"), ": ",
                                                  quote(profile), " is no absolute path"));
    if (!profile.empty() && profile != "unconfined" && !sys::exists(profile))
      return Error(Errc::not_found, concat(at("containers.seccomp_profile"), ": ", profile,
                                           ": no such file or directory"));
    r_.defaults.seccomp_profile = profile;
    return {};
  }

  Status life() {
    constexpr std::string_view kDrivers[] = {"k8s-file", "json-file",   "journald",
                                             "none",     "passthrough", "passthrough-tty"};
    TRY(one_of("containers.log_driver", conf_.log_driver, kDrivers));
    if (!conf_.log_tag.empty()) r_.log.options.try_emplace("tag", conf_.log_tag);
    constexpr std::string_view kPolicies[] = {"always", "missing", "never", "newer"};
    TRY(one_of("engine.pull_policy", conf_.pull_policy, kPolicies));
    if (r_.pull.empty()) r_.pull = conf_.pull_policy;
    r_.defaults.hooks_dirs = host_.hooks_dirs;
    if (r_.defaults.hooks_dirs.empty() && conf_.hooks_dir) {
      r_.defaults.hooks_dirs = *conf_.hooks_dir;
    } else if (r_.defaults.hooks_dirs.empty() && !host_.rootless) {
      for (const char* dir : kHookDirs)
        if (sys::exists(dir)) r_.defaults.hooks_dirs.emplace_back(dir);
    }
    return {};
  }

  Status runtime() {
    constexpr std::string_view kManagers[] = {"cgroupfs", "systemd"};
    TRY(one_of("engine.cgroup_manager", conf_.cgroup_manager, kManagers));
    if (!host_.manager_given) r_.defaults.cgroup_manager = conf_.cgroup_manager;
    if (r_.runtime.empty()) r_.runtime = conf_.runtime;
    if (r_.runtime.empty() || r_.runtime.starts_with('/')) return {};
    auto known = conf_.runtimes.find(r_.runtime);
    if (known == conf_.runtimes.end()) return {};
    for (const std::string& path : known->second)
      if (::access(path.c_str(), X_OK) == 0) {
        r_.defaults.runtime_path = path;
        return {};
      }
    return Error(Errc::invalid_argument,
                 concat(at(concat("engine.runtimes.", r_.runtime).c_str()),
                        ": none of these is a program: ", join(known->second, ", ")));
  }

  const ContainersConf& conf_;
  const Host& host_;
  CreateRequest& r_;
};

}  // namespace

Status use_events(const ContainersConf& conf, Host* host) {
  constexpr std::string_view kBackends[] = {"file", "journald", "none"};
  TRY(check_word(conf, "engine.events_logger", conf.events_logger, kBackends));
  if (!host->events_given && !conf.events_logger.empty()) host->events_backend = conf.events_logger;
  if (!conf.events_logfile_path.empty()) {
    if (!conf.events_logfile_path.starts_with('/'))
      return Error(Errc::invalid_argument,
                   concat(place_of(conf, "engine.events_logfile_path"), ": is no absolute path"));
    host->events_path = conf.events_logfile_path;
  }
  if (!conf.events_logfile_max_size.empty()) {
    std::int64_t size = TRY_CTX(units::parse_ram(conf.events_logfile_max_size),
                                place_of(conf, "engine.events_logfile_max_size"));
    if (size > 0) host->events_max_size = size;
  }
  return {};
}

Status fold_defaults(const ContainersConf& conf, const Host& host, CreateRequest* request) {
  return Folder(conf, host, request).run();
}

}  // namespace minke::engine
