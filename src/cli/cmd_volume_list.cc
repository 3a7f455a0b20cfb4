// volume ls and volume inspect.
#include <algorithm>
#include <set>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/volume_filter.h"
#include "engine/engine.h"
#include "view/volume.h"

namespace minke::cli {
namespace {

// How often each volume is mounted: by containers that run, and by any container at all.
struct Users {
  std::map<std::string, std::int64_t> running;
  std::set<std::string> any;
};

Result<Users> volume_users(engine::Engine& engine) {
  Users users;
  for (const engine::ContainerSummary& container : TRY(engine.list_containers())) {
    bool runs = container.state == engine::ContainerState::running ||
                container.state == engine::ContainerState::paused;
    for (const std::string& volume : container.volumes) {
      users.any.insert(volume);
      if (runs) ++users.running[volume];
    }
  }
  return users;
}

json::Array show(const engine::Volumes& volumes, const std::vector<engine::VolumeConfig>& found,
                 Users& users) {
  json::Array items;
  for (const engine::VolumeConfig& volume : found)
    items.emplace_back(view::inspect_volume(volumes, volume, users.running[volume.name]));
  return items;
}

Result<std::vector<engine::VolumeConfig>> sorted_volumes(const engine::Volumes& volumes) {
  std::vector<engine::VolumeConfig> all = TRY(volumes.list());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

// ---- ls ----

struct LsOptions {
  std::vector<std::string> filter;
  std::string format;
  bool no_heading = false, quiet = false;
};
constexpr Option<LsOptions> kLsOptions[] = {
    {"filter", 'f', &LsOptions::filter, "Filter volume output", {.csv = true}},
    {"format", 0, &LsOptions::format, "Format volume output using Go template"},
    {"noheading", 'n', &LsOptions::no_heading, "Do not print headers"},
    {"quiet", 'q', &LsOptions::quiet, "Print volume output in quiet mode"},
};
constexpr OptionTable kLsTables[] = {option_table<LsOptions>(kLsOptions)};

constexpr Column kColumns[] = {
    {"Name", "VOLUME NAME"},
    {"Driver"},
    {"Mountpoint"},
    {"CreatedAt"},
    {"Labels"},
    {"Scope"},
    {"Options"},
    {"MountCount"},
    {"NeedsCopyUp"},
    {"Anonymous"},
    {"UID"},
    {"GID"},
    {"NeedsChown"},
    {"Status"},
    {"Timeout"},
};
constexpr std::string_view kDefaultFormat = "table {{.Driver}}\t{{.Name}}";

Result<int> ls(Invocation& call, LsOptions& options) {
  if (options.quiet && call.changed("format"))
    return Error(Errc::invalid_argument, "quiet and format flags cannot be used together");
  engine::Engine* engine = TRY(call.engine());
  const engine::Volumes& volumes = engine->volumes();
  VolumeFilters filters = TRY(VolumeFilters::read(volumes, options.filter));
  bool counted = filters.needs_users() || is_json_format(options.format) ||
                 options.format.find(".MountCount") != std::string::npos;
  Users users;
  if (counted) users = TRY(volume_users(*engine));
  std::vector<engine::VolumeConfig> found = TRY(sorted_volumes(volumes));
  std::erase_if(
      found, [&](const engine::VolumeConfig& volume) { return !filters.match(volume, users.any); });
  if (options.quiet) {
    for (const engine::VolumeConfig& volume : found) call.out.line(volume.name);
    return 0;
  }
  // As Podman: no volumes, no heading; but scripts that read JSON get a list.
  if (found.empty() && !is_json_format(options.format)) return 0;
  Listing listing{"ls", kColumns, kDefaultFormat, view::kVolumeShape};
  TRY(write_rows(call.out, listing, {options.format, options.no_heading},
                 show(volumes, found, users)));
  return 0;
}

// ---- inspect ----

struct InspectOptions {
  bool all = false;
  std::string format = "json";
};
constexpr Option<InspectOptions> kInspectOptions[] = {
    {"all", 'a', &InspectOptions::all, "Inspect all volumes"},
    {"format", 'f', &InspectOptions::format, "Format volume output using Go template"},
};
constexpr OptionTable kInspectTables[] = {option_table<InspectOptions>(kInspectOptions)};

Result<int> inspect(Invocation& call, InspectOptions& options) {
  if (options.all != call.args.empty())
    return Error(Errc::invalid_argument, "provide one or more volume names or use --all");
  engine::Engine* engine = TRY(call.engine());
  std::vector<engine::VolumeConfig> found;
  ErrorList errors;
  if (options.all) found = TRY(sorted_volumes(engine->volumes()));
  for (const std::string& name : call.args) {
    auto volume = engine->volumes().find(name);
    if (volume)
      found.push_back(std::move(*volume));
    else if (volume.error().code() == Errc::not_found)
      errors.add(Error(Errc::not_found, concat("inspecting object: no such volume ", name)));
    else
      errors.add(std::move(volume.error()).wrap("inspecting object"));
  }
  Users users = TRY(volume_users(*engine));
  TRY(write_inspect(call.out, options.format, show(engine->volumes(), found, users),
                    view::kVolumeShape));
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kVolumeLsCommand = make_command<LsOptions, ls>(
    {.summary = "List volumes",
     .usage = "[options]",
     .description = "List all available volumes. The output of the volumes can be filtered\n"
                    "and the output format can be changed to JSON or a user specified Go template.",
     .args = ArgRule::none()},
    kLsTables);

const constinit Command kVolumeInspectCommand = make_command<InspectOptions, inspect>(
    {.summary = "Display detailed information on one or more volumes",
     .usage = "[options] VOLUME [VOLUME...]",
     .description = "Display detailed information on one or more volumes.\n\n"
                    "Use a Go template to change the format from JSON.",
     .examples = "myvol\n--all\n--format \"{{.Driver}} {{.Scope}}\" myvol"},
    kInspectTables);

}  // namespace minke::cli
