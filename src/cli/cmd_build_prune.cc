// builder prune, inspect and version.
#include "base/str.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/filter.h"
#include "codec/units.h"
#include "engine/build_cache.h"
#include "oci/image.h"

namespace minke::cli {
namespace {

struct PruneFlags {
  bool all = false, force = false;
  std::vector<std::string> filter;
};
constexpr Option<PruneFlags> kOptions[] = {
    {"all", 'a', &PruneFlags::all, "Remove all of the build cache, not just what no image has"},
    {"filter", 0, &PruneFlags::filter, "Provide filter values (e.g. 'until=24h')"},
    {"force", 'f', &PruneFlags::force, "Do not prompt for confirmation"},
};
constexpr OptionTable kTables[] = {option_table<PruneFlags>(kOptions)};

Result<int> prune(Invocation& call, PruneFlags& flags) {
  std::vector<Filter> filters = TRY(parse_filters(flags.filter));
  TRY(check_filters(filters, {"until"}, "builder"));
  std::vector<TimeNs> until;
  for (std::string_view value : filter_values(filters, "until"))
    until.push_back(TRY(filter_time("until", value)));
  if (!flags.force &&
      !TRY(confirm(call.out, flags.all ? "WARNING! This will remove all build cache.\n"
                                       : "WARNING! This will remove all dangling build cache.\n")))
    return 0;
  engine::Engine* engine = TRY(call.engine());
  engine::BuildCachePrune what;
  what.all = flags.all;
  what.mounts = true;
  what.wanted = [&](TimeNs used) {
    for (TimeNs time : until)
      if (used >= time) return false;
    return true;
  };
  std::int64_t bytes = 0;
  for (const engine::Pruned& gone : TRY(engine::prune_build_cache(*engine, what))) {
    call.out.line(gone.name);
    bytes += gone.bytes;
  }
  call.out.line(concat("Total:\t", units::human_size(static_cast<double>(bytes))));
  return 0;
}

struct NoFlags {};

Result<int> inspect(Invocation& call, NoFlags&) {
  oci::Platform host = oci::host_platform();
  call.out.line(
      concat("Name:   default\nDriver: minke\n\nNodes:\nName:      default\n"
             "Status:    running\nPlatforms: ",
             host.os, "/", host.architecture));
  return 0;
}

Result<int> version(Invocation& call, NoFlags&) {
  call.out.line(concat("minke ", MINKE_VERSION));
  return 0;
}

}  // namespace

const constinit Command kBuildPruneCommand = make_command<PruneFlags, prune>(
    {.summary = "Remove build cache",
     .usage = "[options]",
     .description = "Removes steps of builds whose layers no image has, and the folders of cache "
                    "mounts; with --all every step.",
     .args = ArgRule::none()},
    kTables);
const constinit Command kBuildInspectCommand =
    make_command<NoFlags, inspect>({.summary = "Show what builds", .args = ArgRule::any()});
const constinit Command kBuildVersionCommand =
    make_command<NoFlags, version>({.summary = "Show the version", .args = ArgRule::none()});

}  // namespace minke::cli
