// volume prune.
#include "base/str.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/volume_filter.h"
#include "engine/prune.h"

namespace minke::cli {
namespace {

struct PruneOptions {
  std::vector<std::string> filter;
  bool all = false, dry_run = false, force = false;
};
constexpr Option<PruneOptions> kOptions[] = {
    {"all", 'a', &PruneOptions::all, "Remove all unused volumes, both anonymous and named"},
    {"dry-run", 0, &PruneOptions::dry_run, "Show volumes to be pruned without removing them"},
    {"filter", 0, &PruneOptions::filter, "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', &PruneOptions::force, "Do not prompt for confirmation"},
};
constexpr OptionTable kTables[] = {option_table<PruneOptions>(kOptions)};

Result<int> prune(Invocation& call, PruneOptions& options) {
  engine::Engine* engine = TRY(call.engine());
  VolumeFilters filters = TRY(VolumeFilters::read(engine->volumes(), options.filter));
  bool all = options.all || TRY(filters.asks_for_all());
  auto wanted = [&](const engine::VolumeConfig& volume) {
    return (all || volume.anonymous) && filters.match(volume, {});
  };
  ErrorList errors;
  if (!options.force && !options.dry_run) {
    std::vector<engine::Pruned> doomed = TRY(engine::prune_volumes(*engine, wanted, true, &errors));
    std::string warning = concat("WARNING! This will remove all ", all ? "" : "anonymous ",
                                 "volumes not used by at least one container.");
    if (doomed.empty()) {
      call.out.line("No dangling volumes found");
      return 0;
    }
    warning += " The following volumes will be removed:\n";
    for (const engine::Pruned& volume : doomed) warning += volume.name + "\n";
    if (!TRY(confirm(call.out, warning))) return 0;
  }
  for (const engine::Pruned& volume :
       TRY(engine::prune_volumes(*engine, wanted, options.dry_run, &errors)))
    call.out.line(volume.name);
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kVolumePruneCommand = make_command<PruneOptions, prune>(
    {.summary = "Remove all unused volumes",
     .usage = "[options]",
     .description = "Anonymous volumes that are not owned by a container are removed; with --all "
                    "named ones too.\n\n"
                    "The command prompts for confirmation which can be overridden with the --force "
                    "flag.\nNote all data will be destroyed.",
     .examples = "\n--all --force\n--filter label=a=b",
     .args = ArgRule::none()},
    kTables);

}  // namespace minke::cli
