#include "config/containers_conf.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <variant>

#include "base/str.h"
#include "config/toml_file.h"
#include "sys/fd.h"

namespace minke::config {
namespace {

// The type of a key is the type of its field; a null pointer is a key that is checked for its type
// and has no effect.
template <typename C>
using AnyField =
    std::variant<std::optional<bool> C::*, std::optional<std::int64_t> C::*, std::string C::*,
                 std::optional<std::string> C::*, std::optional<Strings> C::*>;
template <typename C>
struct Key {
  const char* section;
  const char* name;
  AnyField<C> field;
  const char* no_effect = nullptr;  // why it has none
};

using C = ContainersConf;
using S = StorageConf;
template <typename T>
constexpr std::optional<bool> T::*kBool = nullptr;
template <typename T>
constexpr std::optional<std::int64_t> T::*kNumber = nullptr;
template <typename T>
constexpr std::string T::*kText = nullptr;
template <typename T>
constexpr std::optional<Strings> T::*kList = nullptr;

constexpr const char* kNetworks = "networks are this engine's own, without plugins and helpers";
constexpr const char* kPods = "pods come later";
constexpr const char* kRegistries = "registries come later";
constexpr const char* kMonitor = "the monitor is this engine's own";
constexpr const char* kFolders = "this engine keeps its own folders: use --root and --runroot";
constexpr const char* kRemote = "this engine has no client mode";
constexpr const char* kLocks = "locks are files here: there is no number of them";
constexpr const char* kMachine = "there are no virtual machines here";
constexpr const char* kPlugins = "volume plugins come later";
constexpr const char* kFarms = "there are no farms here";
constexpr const char* kStorage = "the storage of this engine has no such setting";

constexpr Key<C> kKeys[] = {
    {"containers", "annotations", &C::annotations},
    {"containers", "apparmor_profile", &C::apparmor_profile},
    {"containers", "base_hosts_file", &C::base_hosts_file},
    {"containers", "cgroup_conf", kList<C>, "use --cgroup-conf"},
    {"containers", "cgroupns", &C::cgroupns},
    {"containers", "cgroups", &C::cgroups},
    {"containers", "container_name_as_hostname", &C::name_as_hostname},
    {"containers", "default_capabilities", &C::default_capabilities},
    {"containers", "default_sysctls", &C::default_sysctls},
    {"containers", "default_ulimits", &C::default_ulimits},
    {"containers", "devices", &C::devices},
    {"containers", "dns_options", &C::dns_options},
    {"containers", "dns_searches", &C::dns_searches},
    {"containers", "dns_servers", &C::dns_servers},
    {"containers", "enable_keyring", &C::keyring},
    {"containers", "env", &C::env},
    {"containers", "env_host", &C::env_host},
    {"containers", "host_containers_internal_ip", &C::host_containers_internal_ip},
    {"containers", "http_proxy", &C::http_proxy},
    {"containers", "init", &C::init},
    {"containers", "init_path", &C::init_path},
    {"containers", "interface_name", kText<C>, "use --network NAME:interface_name="},
    {"containers", "ipcns", &C::ipcns},
    {"containers", "keyring", &C::keyring},
    {"containers", "label", kBool<C>, "SELinux labels are not set"},
    {"containers", "label_users", kBool<C>, "SELinux labels are not set"},
    {"containers", "log_driver", &C::log_driver},
    {"containers", "log_path", kText<C>,
     "a log lies in its container's folder; use --log-opt path="},
    {"containers", "log_size_max", &C::log_size_max},
    {"containers", "log_tag", &C::log_tag},
    {"containers", "mounts", &C::mounts},
    {"containers", "netns", &C::netns},
    {"containers", "no_hosts", &C::no_hosts},
    {"containers", "oom_score_adj", &C::oom_score_adj},
    {"containers", "pidns", &C::pidns},
    {"containers", "pids_limit", &C::pids_limit},
    {"containers", "prepare_volume_on_create", &C::prepare_volume_on_create},
    {"containers", "privileged", &C::privileged},
    {"containers", "read_only", &C::read_only},
    {"containers", "seccomp_profile", &C::seccomp_profile},
    {"containers", "shm_size", &C::shm_size},
    {"containers", "tz", &C::tz},
    {"containers", "umask", &C::umask},
    {"containers", "userns", &C::userns},
    {"containers", "userns_size", &C::userns_size},
    {"containers", "utsns", &C::utsns},
    {"containers", "volumes", &C::volumes},

    {"engine", "active_service", kText<C>, kRemote},
    {"engine", "add_compression", kList<C>, kRegistries},
    {"engine", "cdi_spec_dirs", kList<C>, "device descriptions of CDI are not read"},
    {"engine", "cgroup_check", kBool<C>, "nothing is left to check"},
    {"engine", "cgroup_manager", &C::cgroup_manager},
    {"engine", "compat_api_enforce_docker_hub", kBool<C>, "the Docker API comes later"},
    {"engine", "compose_providers", kList<C>, "compose comes later"},
    {"engine", "compose_warning_logs", kBool<C>, "compose comes later"},
    {"engine", "compression_format", kText<C>, kRegistries},
    {"engine", "compression_level", kNumber<C>, kRegistries},
    {"engine", "conmon_env_vars", kList<C>, kMonitor},
    {"engine", "conmon_path", kList<C>, kMonitor},
    {"engine", "conmonrs_path", kList<C>, kMonitor},
    {"engine", "database_backend", kText<C>, "files are the database"},
    {"engine", "detach_keys", &C::detach_keys},
    {"engine", "enable_port_reservation", kBool<C>, "published ports are always reserved"},
    {"engine", "env", &C::engine_env},
    {"engine", "events_container_create_inspect_data", kBool<C>, "events do not hold it"},
    {"engine", "events_logfile_max_size", &C::events_logfile_max_size},
    {"engine", "events_logfile_path", &C::events_logfile_path},
    {"engine", "events_logger", &C::events_logger},
    {"engine", "exit_command_delay", kNumber<C>, "an exec session goes when its end is read"},
    {"engine", "healthcheck_events", &C::healthcheck_events},
    {"engine", "helper_binaries_dir", kList<C>, "helpers lie beside the program"},
    {"engine", "hooks_dir", &C::hooks_dir},
    {"engine", "image_build_format", kText<C>, "build comes later"},
    {"engine", "image_copy_tmp_dir", kText<C>, "layers are staged below --root"},
    {"engine", "image_default_format", kText<C>, "build comes later"},
    {"engine", "image_default_transport", kText<C>, kRegistries},
    {"engine", "image_parallel_copies", kNumber<C>, kRegistries},
    {"engine", "image_volume_mode", &C::image_volume_mode},
    {"engine", "infra_command", kText<C>, kPods},
    {"engine", "infra_image", kText<C>, kPods},
    {"engine", "init_path", &C::engine_init_path},
    {"engine", "kube_generate_type", kText<C>, "kube comes later"},
    {"engine", "lock_type", kText<C>, kLocks},
    {"engine", "machine_enabled", kBool<C>, kMachine},
    {"engine", "multi_image_archive", &C::multi_image_archive},
    {"engine", "namespace", kText<C>, "use --root for a separate view of containers"},
    {"engine", "no_pivot_root", kBool<C>, "the root is always pivoted"},
    {"engine", "num_locks", kNumber<C>, kLocks},
    {"engine", "platform_to_oci_runtime", kText<C>, "use --runtime"},
    {"engine", "pod_exit_policy", kText<C>, kPods},
    {"engine", "pull_policy", &C::pull_policy},
    {"engine", "remote", kBool<C>, kRemote},
    {"engine", "remote_identity", kText<C>, kRemote},
    {"engine", "remote_uri", kText<C>, kRemote},
    {"engine", "retry", kNumber<C>, kRegistries},
    {"engine", "retry_delay", kText<C>, kRegistries},
    {"engine", "runtime", &C::runtime},
    {"engine", "runtime_path", kList<C>, "use [engine.runtimes]"},
    {"engine", "runtime_supports_json", kList<C>, "runtimes are always asked for JSON"},
    {"engine", "runtime_supports_kvm", kList<C>, "SELinux labels are not set"},
    {"engine", "runtime_supports_nocgroups", kList<C>, "it is known which runtimes do"},
    {"engine", "service_timeout", kNumber<C>, "the API service comes later"},
    {"engine", "ssh_config", kText<C>, kRemote},
    {"engine", "static_dir", kText<C>, kFolders},
    {"engine", "stop_timeout", &C::stop_timeout},
    {"engine", "tmp_dir", kText<C>, kFolders},
    {"engine", "volume_path", kText<C>, kFolders},
    {"engine", "volume_plugin_timeout", kNumber<C>, kPlugins},

    {"network", "cni_plugin_dirs", kList<C>, kNetworks},
    {"network", "default_network", &C::default_network},
    {"network", "default_subnet", &C::default_subnet},
    {"network", "dns_bind_port", kNumber<C>, kNetworks},
    {"network", "firewall_driver", kText<C>, "rules are laid by nf_tables"},
    {"network", "netavark_plugin_dirs", kList<C>, kNetworks},
    {"network", "network_backend", kText<C>, kNetworks},
    {"network", "network_config_dir", kText<C>, kFolders},
    {"network", "pasta_options", &C::pasta_options},

    {"secrets", "driver", &C::secrets_driver},
};

constexpr Key<S> kStorageKeys[] = {
    {"storage", "driver", kText<S>, "overlay is the only one"},
    {"storage", "driver_priority", kList<S>, "overlay is the only one"},
    {"storage", "graphroot", kText<S>, kFolders},
    {"storage", "imagestore", kText<S>, kFolders},
    {"storage", "rootless_storage_path", kText<S>, kFolders},
    {"storage", "runroot", kText<S>, kFolders},
    {"storage", "transient_store", kBool<S>, "use --root with a folder on a tmpfs"},
    {"storage.options", "auto-userns-max-size", &S::auto_userns_max_size},
    {"storage.options", "auto-userns-min-size", &S::auto_userns_min_size},
    {"storage.options", "root-auto-userns-user", &S::root_auto_userns_user},
};

// Tables whose keys are names of the user's choice.
struct OpenTable {
  const char* section;
  const char* no_effect;
};
constexpr OpenTable kForeign[] = {
    {"machine", kMachine},
    {"farms", kFarms},
    {"podmansh", "there is no login shell here"},
    {"manifests", "manifest lists come later"},
    {"engine.volume_plugins", kPlugins},
    {"engine.service_destinations", kRemote},
    {"engine.platform_to_oci_runtime", "use --runtime"},
};

struct Reader {
  const std::string& path;
  Strings* notes;

  std::string at(const TomlEntry& entry) const {
    return concat(path, ":", entry.line, ": ", one_line(entry.section),
                  entry.section.empty() ? "" : ".", one_line(entry.key));
  }
  Error wrong(const TomlEntry& entry, const char* wanted) const {
    return Error(Errc::invalid_argument,
                 concat(at(entry), ": must be ", wanted, ", is ", toml_type(entry)));
  }
  void note(const TomlEntry& entry, std::string_view why) const {
    if (notes != nullptr) notes->push_back(concat(at(entry), ": no effect: ", why));
  }

  template <typename T>
  Status take(const TomlEntry& entry, std::optional<T>* field, const char* wanted) const {
    const T* value = std::get_if<T>(&entry.value);
    if (value == nullptr) return wrong(entry, wanted);
    if (field != nullptr) *field = *value;
    return {};
  }

  Status strings(const TomlEntry& entry, std::optional<Strings>* field) const {
    const auto* list = std::get_if<TomlStrings>(&entry.value);
    if (list == nullptr) return wrong(entry, "a list of strings");
    if (field == nullptr) return {};
    if (!list->append || !field->has_value()) field->emplace();
    (*field)->insert((*field)->end(), list->items.begin(), list->items.end());
    return {};
  }

  // Sizes may be written as a number too.
  Status text(const TomlEntry& entry, std::string* field) const {
    const auto* number = std::get_if<std::int64_t>(&entry.value);
    const auto* value = std::get_if<std::string>(&entry.value);
    if (value == nullptr && (number == nullptr || !entry.key.ends_with("_size")))
      return wrong(entry, "a string");
    if (field != nullptr) *field = value != nullptr ? *value : concat(*number);
    return {};
  }

  template <typename T>
  Status set(const TomlEntry& entry, const Key<T>& key, T* conf) const {
    if (key.no_effect != nullptr) note(entry, key.no_effect);
    auto place = [conf](auto member) { return member != nullptr ? &(conf->*member) : nullptr; };
    switch (key.field.index()) {
      case 0:
        return take<bool>(entry, place(std::get<0>(key.field)), "true or false");
      case 1:
        return take<std::int64_t>(entry, place(std::get<1>(key.field)), "an integer");
      case 2:
        return text(entry, place(std::get<2>(key.field)));
      case 3:
        return take<std::string>(entry, place(std::get<3>(key.field)), "a string");
      default:
        return strings(entry, place(std::get<4>(key.field)));
    }
  }

  template <typename T, std::size_t N>
  Result<bool> set_known(const TomlEntry& entry, const Key<T> (&keys)[N], T* conf) const {
    for (const Key<T>& key : keys)
      if (entry.key == key.name && entry.section == key.section) {
        TRY(set(entry, key, conf));
        return true;
      }
    return false;
  }
};

bool is_within(std::string_view section, std::string_view table) {
  return section == table || section.starts_with(concat(table, "."));
}

Result<bool> read_open_table(const Reader& reader, const TomlEntry& entry, ContainersConf* conf) {
  if (entry.section == "engine.runtimes") {
    const auto* list = std::get_if<TomlStrings>(&entry.value);
    if (list == nullptr) return reader.wrong(entry, "a list of strings");
    conf->runtimes[entry.key] = list->items;
    return true;
  }
  if (entry.section == "network" && entry.key == "default_subnet_pools") {
    const auto* tables = std::get_if<TomlTables>(&entry.value);
    if (tables == nullptr) return reader.wrong(entry, "a list of tables with base and size");
    auto& pools = conf->default_subnet_pools.emplace();
    for (const auto& table : tables->items) {
      ContainersConf::SubnetPool pool;
      for (const auto& [key, value] : table) {
        if (key == "base") pool.base = value;
        if (key == "size") pool.size = parse_int(value).value_or(0);
      }
      pools.push_back(std::move(pool));
    }
    return true;
  }
  if (entry.section == "secrets.opts") {
    const auto* text = std::get_if<std::string>(&entry.value);
    if (text == nullptr) return reader.wrong(entry, "a string");
    conf->secrets_opts[entry.key] = *text;
    return true;
  }
  for (const OpenTable& table : kForeign)
    if (is_within(entry.section, table.section)) {
      reader.note(entry, table.no_effect);
      return true;
    }
  return false;
}

std::string env_of(const char* name) {
  const char* value = ::getenv(name);
  return value != nullptr ? value : "";
}

// The folders of the three tiers, the weakest first.
Strings tiers(const ConfPlaces& places) {
  Strings folders = {places.prefix + "/usr/share/containers/", places.prefix + "/etc/containers/"};
  if (!places.config_home.empty()) folders.push_back(places.config_home + "/containers/");
  return folders;
}

Result<std::string> find_module(const ConfPlaces& places, const std::string& name) {
  if (name.starts_with('/')) return name;
  Strings folders = tiers(places);
  std::reverse(folders.begin(), folders.end());
  for (const std::string& folder : folders)
    if (std::string path = concat(folder, "containers.conf.modules/", name); sys::exists(path))
      return path;
  std::string searched;
  for (const std::string& folder : folders)
    searched += concat(searched.empty() ? "" : ", ", folder, "containers.conf.modules");
  return Error(Errc::not_found, concat("--module ", name, ": not found in ", searched));
}

class Loader {
 public:
  Loader(ContainersConf* conf, Strings* notes) : conf_(conf), notes_(notes) {}

  Status file(const std::string& path, const char* named_by = nullptr) {
    auto text = sys::read_small_file(path);
    if (!text) {
      if (named_by == nullptr && text.error().code() == Errc::not_found) return {};
      if (named_by != nullptr) return std::move(text.error()).wrap(named_by);
      return std::move(text.error());
    }
    return merge_containers_conf(*text, path, conf_, notes_);
  }

  Status folder(const std::string& path) {
    auto names = sys::list_dir(sys::DirFd::cwd(), path.c_str());
    if (!names) {
      if (names.error().code() == Errc::not_found) return {};
      return std::move(names.error());
    }
    std::sort(names->begin(), names->end());
    for (const std::string& name : *names)
      if (name.ends_with(".conf")) TRY(file(concat(path, "/", name)));
    return {};
  }

 private:
  ContainersConf* conf_;
  Strings* notes_;
};

}  // namespace

ConfPlaces find_places(uid_t uid, const std::string& home, Strings modules) {
  ConfPlaces places;
  places.uid = uid;
  places.config_home = env_of("XDG_CONFIG_HOME");
  if (places.config_home.empty() && !home.empty()) places.config_home = home + "/.config";
  places.only = env_of("CONTAINERS_CONF");
  places.override_ = env_of("CONTAINERS_CONF_OVERRIDE");
  places.storage = env_of("CONTAINERS_STORAGE_CONF");
  places.modules = std::move(modules);
  return places;
}

Status merge_containers_conf(std::string_view text, const std::string& path, ContainersConf* conf,
                             Strings* notes) {
  Reader reader{path, notes};
  for (const TomlEntry& entry : TRY(parse_toml(text, path))) {
    bool known = TRY(reader.set_known(entry, kKeys, conf));
    if (!known) known = TRY(read_open_table(reader, entry, conf));
    if (known) conf->where[concat(entry.section, ".", entry.key)] = concat(path, ":", entry.line);
    if (!known) reader.note(entry, "not known");
  }
  return {};
}

Result<ContainersConf> load_containers_conf(const ConfPlaces& places, Strings* notes) {
  ContainersConf conf;
  Loader loader(&conf, notes);
  if (!places.only.empty()) {
    TRY(loader.file(places.only, "CONTAINERS_CONF"));
  } else {
    for (const std::string& tier : tiers(places)) {
      TRY(loader.file(tier + "containers.conf"));
      // Most machines have none of the folders.
      TRY(loader.folder(tier + "containers.conf.d"));
      TRY(loader.folder(
          concat(tier, "containers.", places.uid == 0 ? "rootful" : "rootless", ".conf.d")));
      if (places.uid != 0)
        TRY(loader.folder(concat(tier, "containers.rootless.conf.d/", places.uid)));
    }
  }
  for (const std::string& name : places.modules) {
    std::string path = TRY(find_module(places, name));
    TRY(loader.file(path, "--module"));
  }
  if (!places.override_.empty()) TRY(loader.file(places.override_, "CONTAINERS_CONF_OVERRIDE"));
  return conf;
}

Result<StorageConf> load_storage_conf(const ConfPlaces& places, Strings* notes) {
  std::string path = places.storage;
  if (path.empty())
    for (const std::string& tier : tiers(places))
      if (sys::exists(tier + "storage.conf")) path = tier + "storage.conf";
  StorageConf conf;
  if (path.empty()) return conf;
  std::string text = TRY_CTX(sys::read_small_file(path), "storage configuration");
  Reader reader{path, notes};
  for (const TomlEntry& entry : TRY(parse_toml(text, path))) {
    bool known = TRY(reader.set_known(entry, kStorageKeys, &conf));
    if (!known) reader.note(entry, is_within(entry.section, "storage") ? kStorage : "not known");
  }
  return conf;
}

}  // namespace minke::config
