#include "cli/commands.h"
#include "cli/container_flags.h"
#include "engine/engine.h"
#include "engine/parse.h"

namespace minke::cli {
namespace {

Result<int> update(Invocation& call, UpdateFlags& flags) {
  auto invalid = [](const char* text) { return Error(Errc::invalid_argument, text); };
  if (flags.latest && !call.args.empty())
    return invalid("--latest and containers cannot be used together");
  if (!flags.latest && call.args.empty())
    return invalid("you must provide the name or id of a container");
  engine::UpdateRequest request;
  TRY(set_limits(flags, &request.limits));
  request.env = flags.env;
  request.unset_env = flags.unsetenv;
  for (const std::string& text : flags.ulimit)
    request.ulimits.push_back(TRY(engine::parse_ulimit(text)));
  if (call.changed("restart"))
    request.restart = TRY(engine::parse_restart(flags.restart == "never" ? "no" : flags.restart));
  request.health = TRY(health_update(call, flags));
  engine::Engine* engine = TRY(call.engine());
  std::string id = flags.latest ? TRY(engine->latest_id()) : TRY(engine->resolve_id(call.args[0]));
  TRY(engine->update(id, request));
  call.out.line(id);
  return 0;
}

}  // namespace

const constinit Command kUpdateCommand = make_command<UpdateFlags, update>(
    {.summary = "Update an existing container",
     .usage = "[options] CONTAINER",
     .description = "Updates the configuration of an existing container: limits, the restart "
                    "policy and the health check at once, what concerns its program from its "
                    "next start on",
     .examples = "--cpus=5 foobar_container",
     .args = ArgRule::at_most(1)},
    kUpdateTables);

}  // namespace minke::cli
