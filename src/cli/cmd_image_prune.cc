#include "base/str.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/image_filter.h"
#include "engine/build_cache.h"
#include "engine/engine.h"
#include "engine/prune.h"

namespace minke::cli {
namespace {

struct PruneFlags {
  bool all = false, build_cache = false, external = false, force = false;
  std::vector<std::string> filter;
};
constexpr Option<PruneFlags> kOptions[] = {
    {"all", 'a', &PruneFlags::all,
     "Remove all images not in use by containers, not just dangling "
     "ones"},
    {"build-cache", 0, &PruneFlags::build_cache, "Remove what builds have kept for later builds"},
    {"external", 0, &PruneFlags::external,
     "Remove images even when they are used by external containers (there are none here)"},
    {"filter", 0, &PruneFlags::filter, "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', &PruneFlags::force, "Do not prompt for confirmation"},
};
constexpr OptionTable kTables[] = {option_table<PruneFlags>(kOptions)};

Status check_keys(const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    std::string_view key = std::string_view(filter).substr(0, filter.find_first_of("!="));
    if (key != "label" && key != "until" && key != "id" && key != "dangling" && key != "containers")
      return Error(Errc::invalid_argument, concat("unsupported image filter ", quote(key)));
  }
  return {};
}

constexpr std::string_view kDangling = "WARNING! This command removes all dangling images.\n";
constexpr std::string_view kUnused =
    "WARNING! This command removes all images without at least one container associated with "
    "them.\n";

Result<int> prune(Invocation& call, PruneFlags& flags) {
  TRY(check_keys(flags.filter));
  engine::Engine* engine = TRY(call.engine());
  ImageFilters filters = TRY(ImageFilters::compile(engine->store(), flags.filter));
  if (!flags.force && !TRY(confirm(call.out, flags.all ? kUnused : kDangling))) return 0;
  ErrorList errors;
  // Only unused ones are asked about, so nobody counts.
  auto wanted = [&](const store::Image& image) { return filters.matches(image, {}); };
  for (const engine::Pruned& gone : TRY(engine::prune_images(*engine, flags.all, wanted, &errors)))
    call.out.line(gone.name);
  if (flags.build_cache)
    for (const engine::Pruned& gone :
         TRY(engine::prune_build_cache(*engine, {.all = true, .mounts = true, .wanted = {}})))
      call.out.line(gone.name);
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kImagePruneCommand = make_command<PruneFlags, prune>(
    {.summary = "Remove unused images",
     .usage = "[options]",
     .description = "Removes dangling or unused images from local storage. The command prompts for "
                    "confirmation before.",
     .examples = "--all --force\n--filter until=24h",
     .args = ArgRule::none()},
    kTables);

}  // namespace minke::cli
