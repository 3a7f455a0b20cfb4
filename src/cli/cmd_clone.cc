#include "cli/commands.h"
#include "cli/container_flags.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

Result<int> clone(Invocation& call, CloneFlags& flags) {
  auto invalid = [](const char* text) { return Error(Errc::invalid_argument, text); };
  if (call.args.empty()) return invalid("must specify at least 1 argument: invalid argument");
  if (flags.force && !flags.destroy)
    return invalid("cannot set --force without --destroy: invalid argument");
  engine::CloneRequest request;
  request.name = flags.name;
  if (call.args.size() > 1 && request.name.empty()) request.name = call.args[1];
  if (call.args.size() > 2) request.image = call.args[2];
  request.create_command.assign(call.argv.begin(), call.argv.end());
  TRY(set_limits(flags, &request.limits));
  engine::Engine* engine = TRY(call.engine());
  std::string id = TRY(engine->resolve_id(call.args[0]));
  engine::Container container = TRY(engine->clone(id, request));
  if (flags.destroy)
    if (Status removed = engine->remove(id, {.force = flags.force}); !removed)
      return std::move(removed.error()).with_exit(kExitFault);
  if (flags.run) TRY(engine->start(container, {}));
  call.out.line(container.config.id);
  return 0;
}

}  // namespace

const constinit Command kContainerCloneCommand =
    make_command<CloneFlags, clone>({.summary = "Clone an existing container",
                                     .usage = "[options] CONTAINER NAME IMAGE",
                                     .description = "Creates a copy of an existing container.",
                                     .examples = "container_name new_name image_name",
                                     .args = ArgRule::at_most(3)},
                                    kCloneTables);

}  // namespace minke::cli
