// Options that stand before the command's name (most of them also after it).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/option.h"

namespace minke::engine {
struct HostOptions;
}

namespace minke::cli {

struct GlobalOptions {
  std::string root, runroot, tmpdir;
  std::string volumepath;
  std::string cgroup_manager;
  std::string runtime;
  std::string events_backend;
  std::vector<std::string> runtime_flags, cdi_spec_dirs;
  std::vector<std::string> modules, hooks_dirs;
  std::string log_level = "warn";
  std::vector<std::string> storage_opts;
  std::string storage_driver;
  bool version = false;
  bool no_out = false, syslog = false;
};

// Those that are taken before and after the command's name.
OptionTable global_option_table();
// Those that are taken only before it.
OptionTable root_option_table();

// Checks the values and sets the level of messages.
Status apply_global_options(const GlobalOptions& options);

// Refuses what the environment asks of a client of another engine's service, as the options for it
// are.
Status check_environment();

// What they say about the ground that the engine stands on.
engine::HostOptions host_options(const GlobalOptions& options);

// The API level that clients may expect of us, as Podman counts.
inline constexpr std::string_view kPodmanApiVersion = "5.0.0";

}  // namespace minke::cli
