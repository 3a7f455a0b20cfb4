#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/remote_manifest.h"
#include "view/image.h"

namespace minke::cli {
namespace {

struct InspectOptions {
  std::string format = "json";
};
constexpr Option<InspectOptions> kOptions[] = {
    {"format", 'f', &InspectOptions::format, "Format the output to a Go template or json"},
};
constexpr OptionTable kTables[] = {option_table<InspectOptions>(kOptions)};

// "docker://NAME" is asked of its registry, and stays there.
Result<store::Image> find(engine::Engine& engine, const std::string& name) {
  if (!name.starts_with("docker://")) return engine.store().find_image(name);
  engine::Registries registries(engine.host(), {});
  return engine::get_remote_image(registries, name);
}

Result<int> inspect(Invocation& call, InspectOptions& options) {
  if (call.args.empty()) return Error(Errc::invalid_argument, "no names or ids specified");
  engine::Engine* engine = TRY(call.engine());
  json::Array items;
  ErrorList errors;
  for (const std::string& name : call.args) {
    auto image = find(*engine, name);
    if (image)
      items.emplace_back(view::inspect_image(engine->store(), *image));
    else
      errors.add(std::move(image.error()).wrap("inspecting object"));
  }
  // What was found is shown, then what was not is told.
  TRY(write_inspect(call.out, options.format, items, view::kImageShape));
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kImageInspectCommand = make_command<InspectOptions, inspect>(
    {.summary = "Display the configuration of an image",
     .usage = "[options] IMAGE [IMAGE...]",
     .description =
         "Displays the low-level information of an image identified by name or ID, or of "
         "one that a registry has (docker://NAME), without fetching it.",
     .examples = "alpine\ndocker://docker.io/library/alpine\n--format \"imageId: {{.Id}} size: "
                 "{{.Size}}\" alpine"},
    kTables);

}  // namespace minke::cli
