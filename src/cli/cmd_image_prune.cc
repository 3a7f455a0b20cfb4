#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/image_filter.h"
#include "engine/engine.h"
#include "engine/events.h"

namespace minke::cli {
namespace {

struct PruneFlags {
  bool all = false, external = false, force = false;
  std::vector<std::string> filter;
};
constexpr Option<PruneFlags> kOptions[] = {
    {"all", 'a', &PruneFlags::all,
     "Remove all images not in use by containers, not just dangling "
     "ones"},
    {"build-cache", 0, refused, "building images comes later", {.no_value = "true"}},
    {"external", 0, &PruneFlags::external,
     "Remove images even when they are used by external containers (there are none here)"},
    {"filter", 0, &PruneFlags::filter, "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', &PruneFlags::force, "Do not prompt for confirmation"},
};
constexpr OptionTable kTables[] = {option_table<PruneFlags>(kOptions)};

// Asks on standard output, as scripts and people know it.
Result<bool> confirm(Output& out, bool all) {
  out.line(all ? "WARNING! This command removes all images without at least one container "
                 "associated with them."
               : "WARNING! This command removes all dangling images.");
  out.text("Are you sure you want to continue? [y/N] ");
  TRY(out.flush());
  std::string answer;
  for (char c = 0; c != '\n';) {
    ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error(Errc::io, "EOF");
    answer += c;
  }
  return to_lower(answer).starts_with("y");
}

Status check_keys(const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    std::string_view key = std::string_view(filter).substr(0, filter.find_first_of("!="));
    if (key != "label" && key != "until" && key != "id" && key != "dangling" && key != "containers")
      return Error(Errc::invalid_argument, concat("unsupported image filter ", quote(key)));
  }
  return {};
}

// Name by name, so that an image which somebody begins to use meanwhile stays.
Status remove_one(engine::Engine& engine, const store::Image& image, Output& out) {
  std::vector<std::string> names = image.names;
  if (names.empty()) names.push_back(image.id);
  for (const std::string& name : names)
    for (const std::string& line : TRY(engine.remove_image(name, {})))
      if (line.starts_with("Deleted: ")) out.line(line.substr(9));
  return {};
}

Result<int> prune(Invocation& call, PruneFlags& flags) {
  TRY(check_keys(flags.filter));
  engine::Engine* engine = TRY(call.engine());
  ImageFilters filters = TRY(ImageFilters::compile(engine->store(), flags.filter));
  if (!flags.force && !TRY(confirm(call.out, flags.all))) return 0;
  TRY(engine->enter());
  ContainerCounts counts;
  for (const engine::ContainerSummary& container : TRY(engine->list_containers()))
    ++counts[container.image_id];
  ErrorList errors;
  bool again = true;
  std::vector<std::string> failed;
  // Removing one may leave another without names or users.
  while (again) {
    again = false;
    for (const store::Image& image : TRY(engine->store().list_images())) {
      if (counts[image.id] != 0 || (!flags.all && !image.names.empty())) continue;
      if (!filters.matches(image, counts)) continue;
      if (std::find(failed.begin(), failed.end(), image.id) != failed.end()) continue;
      Status removed = remove_one(*engine, image, call.out);
      if (!removed) {
        failed.push_back(image.id);
        errors.add(std::move(removed));
      }
      again = true;
      break;
    }
  }
  engine::emit_prune(engine->host(), "image");
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
