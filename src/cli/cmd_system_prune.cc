// system prune.
#include "base/str.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/filter.h"
#include "codec/units.h"
#include "engine/build_cache.h"
#include "engine/check.h"
#include "engine/prune.h"

namespace minke::cli {
namespace {

struct PruneOptions {
  bool all = false, build = false, external = false, force = false, volumes = false;
  std::vector<std::string> filter;
};
constexpr Option<PruneOptions> kOptions[] = {
    {"all", 'a', &PruneOptions::all, "Remove all unused data"},
    {"build", 0, &PruneOptions::build,
     "Remove build containers (there are none: they end with their build)"},
    {"external", 0, &PruneOptions::external,
     "Remove data in storage that no image and no container has"},
    {"filter", 0, &PruneOptions::filter, "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', &PruneOptions::force, "Do not prompt for confirmation.  The default is false"},
    {"volumes", 0, &PruneOptions::volumes, "Prune volumes"},
};
constexpr OptionTable kTables[] = {option_table<PruneOptions>(kOptions)};

std::string warning(const PruneOptions& options) {
  std::string text = "WARNING! This command removes:\n\t- all stopped containers\n";
  text += "\t- all networks not used by at least one container\n";
  if (options.volumes) text += "\t- all volumes not used by at least one container\n";
  text += options.all ? "\t- all images without at least one container associated with them\n"
                        "\t- all build cache\n"
                      : "\t- all dangling images\n\t- all dangling build cache\n";
  return text + "\n";
}

// label, label! and until: what containers, images and volumes alike have.
struct SystemFilters {
  std::vector<Filter> filters;
  std::vector<TimeNs> until;
  bool match(TimeNs created, const std::map<std::string, std::string>& labels) const {
    for (TimeNs time : until)
      if (created >= time) return false;
    return labels_match(filters, labels);
  }
};

Result<SystemFilters> read_filters(const std::vector<std::string>& texts) {
  SystemFilters read;
  read.filters = TRY(parse_filters(texts));
  for (const Filter& filter : read.filters)
    if (filter.key != "label" && filter.key != "label!" && filter.key != "until")
      return Error(Errc::invalid_argument, concat(filter.key, " is an invalid filter"));
  for (std::string_view value : filter_values(read.filters, "until"))
    read.until.push_back(TRY(filter_time("until", value)));
  return read;
}

void print(Output& out, const char* heading, const std::vector<engine::Pruned>& gone) {
  if (gone.empty()) return;
  out.line(heading);
  for (const engine::Pruned& one : gone) out.line(one.name);
}

Result<int> prune(Invocation& call, PruneOptions& options) {
  if (options.external && (options.all || options.volumes || !options.filter.empty()))
    return Error(Errc::invalid_argument, "--external cannot be combined with other options");
  SystemFilters filters = TRY(read_filters(options.filter));
  if (!options.force && !options.external && !TRY(confirm(call.out, warning(options)))) return 0;
  engine::Engine* engine = TRY(call.engine());
  engine::PruneReport report;
  ErrorList errors;
  if (options.external) {
    report.images = TRY(engine::collect_garbage(*engine));
  } else {
    report.containers = TRY(engine::prune_containers(
        *engine,
        [&](const engine::ContainerSummary& c) { return filters.match(c.created, c.labels); },
        &errors));
    report.networks = TRY(engine::prune_networks(
        *engine, [&](const net::Network& n) { return filters.match(n.created, n.labels); },
        &errors));
    if (options.volumes)
      report.volumes = TRY(engine::prune_volumes(
          *engine,
          [&](const engine::VolumeConfig& v) { return filters.match(v.created, v.labels); }, false,
          &errors));
    report.images = TRY(engine::prune_images(
        *engine, options.all,
        [&](const store::Image& i) { return filters.match(i.created, i.config.config.labels); },
        &errors));
    engine::BuildCachePrune steps;
    steps.all = steps.mounts = options.all;
    steps.wanted = [&](TimeNs used) { return filters.match(used, {}); };
    report.steps = TRY(engine::prune_build_cache(*engine, steps));
  }
  print(call.out, "Deleted Containers", report.containers);
  print(call.out, "Deleted Networks", report.networks);
  print(call.out, "Deleted Volumes", report.volumes);
  print(call.out, options.external ? "Deleted Data" : "Deleted Images", report.images);
  call.out.line(
      concat("Total reclaimed space: ", units::human_size(static_cast<double>(report.bytes()))));
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kSystemPruneCommand = make_command<PruneOptions, prune>(
    {.summary = "Remove unused data",
     .usage = "[options]",
     .description = "Removes containers that do not run, networks without containers, images "
                    "without a name, with --all every "
                    "image that no container uses, and with --volumes volumes that no container "
                    "has.",
     .args = ArgRule::none()},
    kTables);

}  // namespace minke::cli
