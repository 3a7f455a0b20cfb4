#include "engine/host.h"

#include <pwd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>

#include "base/str.h"
#include "sys/fd.h"
#include "sys/program.h"

namespace minke::engine {
namespace {

std::string env_or(const char* name, std::string other) {
  const char* value = ::getenv(name);
  return value != nullptr && *value != '\0' ? std::string(value) : std::move(other);
}

// A folder that is ours alone: under su or cron XDG_RUNTIME_DIR may be missing or name another user's.
bool is_private_dir(const std::string& path, uid_t uid) {
  struct stat st{};
  return ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid;
}

Result<std::string> rootless_runroot(uid_t uid) {
  std::string named = env_or("XDG_RUNTIME_DIR", "");
  if (!named.empty() && named[0] == '/' && is_private_dir(named, uid)) return named + "/minke";
  std::string usual = concat("/run/user/", uid);
  if (is_private_dir(usual, uid)) return usual + "/minke";
  std::string fallback = concat("/tmp/minke-run-", uid);
  if (::mkdir(fallback.c_str(), 0700) < 0 && errno != EEXIST)
    return Error::from_errno(errno, concat("mkdir ", fallback));
  struct stat st{};
  if (::lstat(fallback.c_str(), &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != uid ||
      (st.st_mode & 0077) != 0)
    return Error(Errc::permission,
                 concat(fallback, ": not a directory of user ", uid,
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

Result<std::string> absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char buffer[4096];
  if (::getcwd(buffer, sizeof buffer) == nullptr) return Error::from_errno(errno, "getcwd");
  return concat(static_cast<const char*>(buffer), "/", path);
}

}  // namespace

Result<Host> find_host(const HostOptions& options) {
  Host host;
  host.uid = ::geteuid();
  host.gid = ::getegid();
  host.rootless = host.uid != 0;
  read_passwd(&host);
  if (!options.root.empty()) {
    host.root = TRY(absolute(options.root));
  } else if (!host.rootless) {
    host.root = "/var/lib/minke";
  } else {
    if (host.home.empty() && ::getenv("XDG_DATA_HOME") == nullptr)
      return Error(Errc::invalid_argument, concat("user ", host.uid, " has no home directory: set HOME or --root"));
    host.root = env_or("XDG_DATA_HOME", host.home + "/.local/share") + "/minke";
  }
  if (!options.runroot.empty()) {
    host.runroot = TRY(absolute(options.runroot));
  } else if (!host.rootless) {
    host.runroot = "/run/minke";
  } else {
    host.runroot = TRY(rootless_runroot(host.uid));
  }
  if (options.cgroup_manager == "systemd") {
    host.cgroup_manager = runtime::CgroupManager::systemd;
  } else if (options.cgroup_manager == "cgroupfs") {
    host.cgroup_manager = runtime::CgroupManager::cgroupfs;
  } else if (!options.cgroup_manager.empty()) {
    return Error(Errc::invalid_argument,
                 concat("--cgroup-manager ", quote(options.cgroup_manager), ": must be cgroupfs or systemd"));
  } else if (sys::exists("/run/systemd/system") &&
             (!host.rootless || sys::exists(concat("/run/user/", host.uid, "/systemd/private")))) {
    host.cgroup_manager = runtime::CgroupManager::systemd;
  }
  host.runtime = options.runtime;
  host.monitor_path = TRY(sys::program_path("minke-monitor"));
  host.init_path = TRY(sys::program_path("minke-init"));
  return host;
}

}  // namespace minke::engine
