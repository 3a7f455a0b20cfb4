#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct RmiOptions {
  bool all = false, force = false, ignore = false, no_prune = false;
};
constexpr Option<RmiOptions> kOptions[] = {
    {"all", 'a', &RmiOptions::all, "Remove all images"},
    {"force", 'f', &RmiOptions::force, "Force Removal of the image"},
    {"ignore", 'i', &RmiOptions::ignore, "Ignore errors if a specified image does not exist"},
    {"no-prune", 0, &RmiOptions::no_prune, "Do not remove dangling images"},
};
constexpr OptionTable kTables[] = {option_table<RmiOptions>(kOptions)};

// Every name of every image, so that the last one takes the image along; ids of those without
// names.
Result<std::vector<std::string>> all_images(engine::Engine& engine) {
  std::vector<std::string> names;
  for (const store::Image& image : TRY(engine.store().list_images())) {
    if (image.names.empty()) names.push_back(image.id);
    names.insert(names.end(), image.names.begin(), image.names.end());
  }
  return names;
}

// All faults in one, as Podman joins them; the exit code is that of the gravest.
Error joined(const std::vector<Error>& errors) {
  auto any = [&errors](Errc code) {
    return std::any_of(errors.begin(), errors.end(),
                       [code](const Error& e) { return e.code() == code; });
  };
  bool all_unknown = std::all_of(errors.begin(), errors.end(),
                                 [](const Error& e) { return e.code() == Errc::not_found; });
  int exit_code = any(Errc::in_use) ? 2 : all_unknown ? 1 : kExitFault;
  if (errors.size() == 1) return Error(errors[0]).with_exit(exit_code);
  std::string text = concat(errors.size(), " errors occurred:");
  for (const Error& error : errors) text += concat("\n\t* ", error.message());
  return Error(errors.back().code(), std::move(text)).with_exit(exit_code);
}

Result<int> rmi(Invocation& call, RmiOptions& options) {
  if (options.all && !call.args.empty())
    return Error(Errc::invalid_argument,
                 "when using the --all switch, you may not pass any images names or IDs");
  if (!options.all && call.args.empty())
    return Error(Errc::invalid_argument, "image name or ID must be specified");
  engine::Engine* engine = TRY(call.engine());
  std::vector<std::string> names = options.all ? TRY(all_images(*engine)) : call.args;

  engine::Engine::RemoveImageOptions how;
  how.force = options.force;
  how.no_prune = options.no_prune;
  // An image may go as the dangling parent of one before it.
  how.ignore = options.ignore || options.force || options.all;
  std::vector<std::string> untagged, deleted;
  ErrorList errors;
  for (const std::string& name : names) {
    auto report = engine->remove_image(name, how);
    if (!report) {
      errors.add(std::move(report));
      continue;
    }
    for (std::string& line : *report)
      (line.starts_with("Untagged:") ? untagged : deleted).push_back(std::move(line));
  }
  for (const std::string& line : untagged) call.out.line(line);
  for (const std::string& line : deleted) call.out.line(line);
  if (errors.empty()) return 0;
  return joined(errors.errors());
}

}  // namespace

const constinit Command kRmiCommand = make_command<RmiOptions, rmi>(
    {.summary = "Removes one or more images from local storage",
     .usage = "[options] IMAGE [IMAGE...]",
     .description = "Removes one or more previously pulled or locally created images.",
     .examples = "imageID\n--force alpine\nc4dfb1609ee2 93fd78260bd1 c0ed59d05ff7"},
    kTables);

}  // namespace minke::cli
