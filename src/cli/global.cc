#include "cli/global.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/log.h"
#include "base/str.h"
#include "engine/host.h"

namespace minke::cli {
namespace {

constexpr const char* kRemote = "this engine has no client mode: it works without a service";
constexpr const char* kNetwork = "networks are the engine's own, below --root";

// What scripts pass because it is Podman's default asks for nothing.
constexpr OptionExtra kText = {.harmless = ""};
constexpr OptionExtra kBoolean = {.no_value = "true", .harmless = ""};

constexpr Option<GlobalOptions> kGlobal[] = {
    {"cgroup-manager", 0, &GlobalOptions::cgroup_manager,
     "Cgroup manager to use (\"cgroupfs\"|\"systemd\")"},
    {"events-backend", 0, &GlobalOptions::events_backend,
     "Events backend to use (\"file\"|\"journald\"|\"none\")"},
    {"log-level", 0, &GlobalOptions::log_level,
     "Log messages above specified level (trace, debug, info, warn, warning, error, fatal, panic)"},
    {"hooks-dir", 0, &GlobalOptions::hooks_dirs,
     "Set the OCI hooks directory path (may be set multiple times)"},
    {"module", 0, &GlobalOptions::modules, "Load the containers.conf(5) module"},
    {"noout", 0, &GlobalOptions::no_out, "do not output to stdout"},
    {"root", 0, &GlobalOptions::root,
     "Path to the root directory in which data, including images, is stored"},
    {"runroot", 0, &GlobalOptions::runroot,
     "Path to the 'run directory' where all state information is stored"},
    {"runtime", 0, &GlobalOptions::runtime,
     "Name or path of another OCI runtime to run containers (default: built in)"},
    {"runtime-flag", 0, &GlobalOptions::runtime_flags,
     "add global flags for the container runtime"},
    {"storage-driver", 0, &GlobalOptions::storage_driver,
     "Storage driver: \"overlay\" is the only one"},
    {"storage-opt", 0, &GlobalOptions::storage_opts,
     "Used to pass an option to the storage driver"},
    {"syslog", 0, &GlobalOptions::syslog,
     "Output logging information to syslog as well as the console"},
    {"tmpdir", 0, &GlobalOptions::tmpdir,
     "Path to the directory for temporary state content where --runroot does not name it"},
    {"volumepath", 0, &GlobalOptions::volumepath,
     "Path to the directory of volumes (default: below --root)"},
    {"cdi-spec-dir", 0, &GlobalOptions::cdi_spec_dirs,
     "Set the CDI spec directory `path` (may be set multiple times)"},
    {"conmon", 0, refused, "the monitor is this engine's own", kText},
    {"imagestore", 0, refused, "images lie below --root", kText},
    {"namespace", 0, refused, "use --root for a separate view of containers", kText},
    {"network-cmd-path", 0, refused, kNetwork, kText},
    {"network-config-dir", 0, refused, kNetwork, kText},
    {"transient-store", 0, refused, "use --root with a folder on a tmpfs", kBoolean},
};

constexpr Option<GlobalOptions> kRoot[] = {
    {"version", 'v', &GlobalOptions::version, "Print the version"},
    {"config", 0, refused, "credentials come with registries", kText},
    {"connection", 'c', refused, kRemote, kText},
    {"context", 0, refused, kRemote, {.harmless = "default"}},
    {"host", 'H', refused, kRemote, kText},
    {"identity", 0, refused, kRemote, kText},
    {"remote", 'r', refused, kRemote, kBoolean},
    {"ssh", 0, refused, kRemote, {.harmless = "golang,native"}},
    {"tls-ca", 0, refused, kRemote, kText},
    {"tls-cert", 0, refused, kRemote, kText},
    {"tls-details", 0, refused, kRemote, kText},
    {"tls-key", 0, refused, kRemote, kText},
    {"url", 0, refused, kRemote, kText},
    {"out", 0, refused, "redirect standard output instead", kText},
};

}  // namespace

OptionTable global_option_table() { return option_table<GlobalOptions>(kGlobal); }
OptionTable root_option_table() { return option_table<GlobalOptions>(kRoot); }

engine::HostOptions host_options(const GlobalOptions& options) {
  engine::HostOptions host;
  host.root = options.root;
  host.runroot = options.runroot;
  // All temporary state lies below the run root.
  if (host.runroot.empty() && !options.tmpdir.empty()) host.runroot = options.tmpdir;
  host.volumepath = options.volumepath;
  host.cgroup_manager = options.cgroup_manager;
  host.runtime = options.runtime;
  host.events_backend = options.events_backend;
  host.modules = options.modules;
  host.hooks_dirs = options.hooks_dirs;
  return host;
}

Status check_environment() {
  for (const char* name : {"CONTAINER_HOST", "CONTAINER_CONNECTION"})
    if (const char* value = ::getenv(name); value != nullptr && *value != '\0')
      return Error(Errc::unsupported, concat("the environment sets ", name, "=", value, ", but ",
                                             kRemote, ": unset it"));
  return {};
}

Status apply_global_options(const GlobalOptions& options) {
  log::Level level = log::Level::warn;
  if (!log::parse_level(options.log_level, &level))
    return Error(Errc::invalid_argument, concat("Log Level ", quote(options.log_level),
                                                " is not supported, choose from: trace, debug, "
                                                "info, warn, warning, error, fatal, panic"))
        .with_exit(1);
  log::set_level(level);
  log::set_syslog(options.syslog);
  if (!options.cgroup_manager.empty() && options.cgroup_manager != "cgroupfs" &&
      options.cgroup_manager != "systemd")
    return Error(Errc::invalid_argument,
                 concat("--cgroup-manager: invalid cgroup manager ", quote(options.cgroup_manager),
                        ", choose from: cgroupfs, systemd"));
  const std::string& events = options.events_backend;
  if (!events.empty() && events != "file" && events != "journald" && events != "none")
    return Error(Errc::invalid_argument,
                 concat("--events-backend: invalid events backend ", quote(events),
                        ", choose from: file, journald, none"));
  if (!options.storage_driver.empty() && options.storage_driver != "overlay")
    return Error(Errc::unsupported, concat("--storage-driver: ", quote(options.storage_driver),
                                           " is not supported: overlay is the only one"));
  for (const std::string& option : options.storage_opts)
    return Error(Errc::unsupported, concat("--storage-opt: ", quote(option), " is not supported"));
  if (options.no_out) {
    int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0 || ::dup2(null, STDOUT_FILENO) < 0)
      return Error::from_errno(errno, "open /dev/null");
    ::close(null);
  }
  return {};
}

}  // namespace minke::cli
