#include "cli/commands.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct NoFlags {};

Result<int> rename(Invocation& call, NoFlags&) {
  engine::Engine* engine = TRY(call.engine());
  std::string id = TRY(engine->resolve_id(call.args[0]));
  TRY(engine->rename(id, call.args[1]));
  return 0;
}

}  // namespace

const constinit Command kRenameCommand = make_command<NoFlags, rename>(
    {.summary = "Rename an existing container",
     .usage = "CONTAINER NAME",
     .description = "The podman rename command allows you to rename an existing container",
     .examples = "containerA newName",
     .args = ArgRule::exactly(2)});

}  // namespace minke::cli
