// image exists, volume exists, container exists: the exit code is the answer, 0 or 1.
#include "cli/commands.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct NoOptions {};
struct ExternalOptions {
  bool external = false;
};
constexpr Option<ExternalOptions> kExternal[] = {
    {"external", 0, &ExternalOptions::external,
     "Check external storage containers as well (this engine's storage has none)"},
};
constexpr OptionTable kExternalTables[] = {option_table<ExternalOptions>(kExternal)};

template <typename T>
Result<int> answer(Result<T>&& found) {
  if (found) return 0;
  if (found.error().code() == Errc::not_found) return 1;
  return std::move(found.error());
}

Result<int> image_exists(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  return answer(engine->store().find_image_or_list(call.args[0]));
}

Result<int> volume_exists(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  auto found = engine->volumes().find(call.args[0]);
  if (found && found->name != call.args[0]) return 1;  // the start of a name is none here
  return answer(std::move(found));
}

Result<int> container_exists(Invocation& call, ExternalOptions&) {
  engine::Engine* engine = TRY(call.engine());
  return answer(engine->resolve_id(call.args[0]));
}

}  // namespace

const constinit Command kImageExistsCommand = make_command<NoOptions, image_exists>(
    {.summary = "Check if an image exists in local storage",
     .usage = "IMAGE",
     .description = "If the named image exists in local storage, the command exits with 0, "
                    "otherwise the exit code will be 1.",
     .examples = "ID",
     .args = ArgRule::exactly(1)});

const constinit Command kVolumeExistsCommand = make_command<NoOptions, volume_exists>(
    {.summary = "Check if a volume exists",
     .usage = "VOLUME",
     .description = "If the given volume exists, the command exits with 0, otherwise the exit code "
                    "will be 1.",
     .examples = "myvol",
     .args = ArgRule::exactly(1)});

const constinit Command kContainerExistsCommand = make_command<ExternalOptions, container_exists>(
    {.summary = "Check if a container exists in local storage",
     .usage = "[options] CONTAINER",
     .description = "If the named container exists in local storage, the command exits with 0, "
                    "otherwise the exit code will be 1.",
     .examples = "--external containerID\nmyctr || podman run --name myctr [etc...]",
     .args = ArgRule::exactly(1)},
    kExternalTables);

}  // namespace minke::cli
