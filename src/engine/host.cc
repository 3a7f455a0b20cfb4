#include "engine/host.h"

#include <pwd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>

#include "base/log.h"
#include "base/str.h"
#include "sys/fd.h"
#include "sys/program.h"

namespace minke::engine {
namespace {

std::string env_or(const char* name, std::string other) {
  const char* value = ::getenv(name);
  return value != nullptr && *value != '\0' ? std::string(value) : std::move(other);
}

// A folder that is ours alone: under su or cron XDG_RUNTIME_DIR may be missing or name another
// user's.
bool is_private_dir(const std::string& path, uid_t uid) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid;
}

Result<std::string> rootless_runroot(uid_t uid, uid_t owner) {
  std::string named = env_or("XDG_RUNTIME_DIR", "");
  if (!named.empty() && named[0] == '/' && is_private_dir(named, owner)) return named + "/minke";
  std::string usual = concat("/run/user/", uid);
  if (is_private_dir(usual, owner)) return usual + "/minke";
  std::string fallback = concat("/tmp/minke-run-", uid);
  if (::mkdir(fallback.c_str(), 0700) < 0 && errno != EEXIST)
    return Error::from_errno(errno, concat("mkdir ", fallback));
  struct stat st {};
  if (::lstat(fallback.c_str(), &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != owner ||
      (st.st_mode & 0077) != 0)
    return Error(Errc::permission, concat(fallback, ": not a directory of user ", uid,
                                          " alone (mode 0700); remove it or set XDG_RUNTIME_DIR"));
  return fallback;
}

void read_passwd(Host* host) {
  host->home = env_or("HOME", "");
  host->user_name = env_or("USER", "");
  if (!host->home.empty() && !host->user_name.empty()) return;
  if (const passwd* entry = ::getpwuid(host->uid)) {
    if (host->home.empty()) host->home = entry->pw_dir;
    if (host->user_name.empty()) host->user_name = entry->pw_name;
  }
}

// True when 0 here is somebody else outside: a monitor's clean-up, `minke unshare`, or an engine in
// a container.
bool in_other_user_namespace() {
  auto map = sys::read_small_file("/proc/self/uid_map", 64 << 10);
  if (!map) return false;
  std::string words;
  for (std::string_view word : split(trim(*map), ' '))
    if (!word.empty()) words += concat(word, " ");
  return words != "0 0 4294967295 ";
}

bool has_systemd(const Host& host) {
  return sys::exists("/run/systemd/system") &&
         (!host.rootless || sys::exists(concat("/run/user/", host.uid, "/systemd/private")));
}

Result<std::string> absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char buffer[4096];
  if (::getcwd(buffer, sizeof buffer) == nullptr) return Error::from_errno(errno, "getcwd");
  return concat(static_cast<const char*>(buffer), "/", path);
}

}  // namespace

void use_cgroup_manager(const std::string& name, Host* host) {
  if (host->manager_given || name.empty()) return;
  if (name == "systemd" && !has_systemd(*host)) {
    log::info("cgroup_manager systemd: no systemd here, cgroupfs is used");
    host->cgroup_manager = runtime::CgroupManager::cgroupfs;
    return;
  }
  host->cgroup_manager =
      name == "systemd" ? runtime::CgroupManager::systemd : runtime::CgroupManager::cgroupfs;
}

Result<Host> find_host(const HostOptions& options) {
  Host host;
  host.uid = ::geteuid();
  host.gid = ::getegid();
  host.in_user_namespace = host.uid == 0 && in_other_user_namespace();
  // Podman's own mark of `unshare`: whose files these are.
  bool unshared = false;
  if (host.in_user_namespace)
    if (auto outside = parse_uint(env_or("_CONTAINERS_ROOTLESS_UID", ""));
        outside && *outside > 0) {
      unshared = true;
      host.uid = static_cast<uid_t>(*outside);
      host.gid =
          static_cast<gid_t>(parse_uint(env_or("_CONTAINERS_ROOTLESS_GID", "")).value_or(*outside));
    }
  host.rootless = host.uid != 0 || host.in_user_namespace;
  bool own_paths = host.uid != 0;
  read_passwd(&host);
  if (!options.root.empty()) {
    host.root = TRY(absolute(options.root));
  } else if (!own_paths) {
    host.root = "/var/lib/minke";
  } else {
    if (host.home.empty() && ::getenv("XDG_DATA_HOME") == nullptr)
      return Error(Errc::invalid_argument,
                   concat("user ", host.uid, " has no home directory: set HOME or --root"));
    host.root = env_or("XDG_DATA_HOME", host.home + "/.local/share") + "/minke";
  }
  host.volumes =
      options.volumepath.empty() ? host.root + "/volumes" : TRY(absolute(options.volumepath));
  if (!options.runroot.empty()) {
    host.runroot = TRY(absolute(options.runroot));
  } else if (!own_paths) {
    host.runroot = "/run/minke";
  } else {
    // Inside the namespace the user's folders show up as root's.
    host.runroot = TRY(rootless_runroot(host.uid, unshared ? 0 : host.uid));
  }
  if (options.cgroup_manager == "systemd") {
    host.cgroup_manager = runtime::CgroupManager::systemd;
  } else if (options.cgroup_manager == "cgroupfs") {
    host.cgroup_manager = runtime::CgroupManager::cgroupfs;
  } else if (!options.cgroup_manager.empty()) {
    return Error(Errc::invalid_argument, concat("--cgroup-manager ", quote(options.cgroup_manager),
                                                ": must be cgroupfs or systemd"));
  } else if (has_systemd(host)) {
    host.cgroup_manager = runtime::CgroupManager::systemd;
  }
  host.runtime = options.runtime;
  host.events_given = !options.events_backend.empty();
  if (host.events_given) host.events_backend = options.events_backend;
  host.events_path = host.runroot + "/events.log";
  host.modules = options.modules;
  host.hooks_dirs = options.hooks_dirs;
  host.manager_given = !options.cgroup_manager.empty();
  host.monitor_path = TRY(sys::program_path("minke-monitor"));
  host.init_path = TRY(sys::program_path("minke-init"));
  return host;
}

}  // namespace minke::engine
