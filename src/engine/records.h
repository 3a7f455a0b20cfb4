// What a container leaves on disk, read and written: internal to the engine.
//
//   ROOT/containers/ID/config.json   ContainerConfig
//   ROOT/containers/ID/summary.json  the part that a listing needs
//   ROOT/containers/ID/started       how often it was started; its absence: never
//   ROOT/containers/ID/exit          monitor::ExitRecord of the last run
//   RUNROOT/containers/ID/state      monitor::StateRecord while a monitor has it; its loss is a
//   reboot RUNROOT/exits/ID                 exit record of a container that --rm removed, kept for
//   `wait`
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/host.h"
#include "monitor/plan.h"
#include "sys/fd.h"

namespace minke::engine {

struct ContainerPaths {
  ContainerPaths(const Host& host, const std::string& id)
      : dir(host.root + "/containers/" + id), run_dir(host.runroot + "/containers/" + id) {}
  std::string dir, run_dir;
};

std::string short_id(std::string_view id);  // 12 digits
std::string exits_dir(const Host& host);
// The names of a rename that did not get to its end; none as a rule.
std::vector<std::string> names_of_rename(const std::string& dir);

// Whether a file that was replaced without waiting for the disk lost its content to a power cut: the
// new name then stands over nothing, or over blocks that read as zeros.
inline bool is_unwritten(std::string_view text) { return text.empty() || text[0] == '\0'; }
Result<ContainerConfig> load_config(const std::string& dir);
Status save_config(const std::string& dir, const ContainerConfig& config,
                   sys::Durability durability);
ContainerSummary summarize(const ContainerConfig& config);

Result<std::optional<monitor::StateRecord>> load_state(const std::string& run_dir);
Result<std::optional<monitor::ExitRecord>> load_exit(const std::string& dir);
// Whether `end` is of the run that `state` describes: it is recorded under the same start time.
bool is_end_of(const std::optional<monitor::ExitRecord>& end, const monitor::StateRecord& state);
Status save_exit(const std::string& dir, const monitor::ExitRecord& record);
// How often it was started; 0: never.
std::int32_t load_starts(const std::string& dir);
Status save_starts(const std::string& dir, std::int32_t starts);

// summary.json and the live state, as they are now. Takes no lock and changes nothing.
// `needs_healing`: it ran and ended without a record (killed monitor, lost run directory).
Result<ContainerSummary> load_summary(const Host& host, const std::string& id, bool* needs_healing);

}  // namespace minke::engine
