// healthcheck run, and what the engine calls itself for when a restart policy's time has come.
#include "cli/commands.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct RunFlags {
  bool ignore_result = false;
};
constexpr Option<RunFlags> kOptions[] = {
    {"ignore-result", 0, &RunFlags::ignore_result,
     "Exit with code 0 regardless of the healthcheck result"},
};
constexpr OptionTable kTables[] = {option_table<RunFlags>(kOptions)};

Result<int> run(Invocation& call, RunFlags& flags) {
  engine::Engine* engine = TRY(call.engine());
  std::string id = TRY(engine->resolve_id(call.args[0]));
  std::string status = TRY(engine->check_health(id));
  if (status == "healthy") return 0;
  call.out.line(status);
  return flags.ignore_result ? 0 : 1;
}

struct NoOptions {};
Result<int> restart_container(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->restart_by_policy(call.args[0]));
  return 0;
}

}  // namespace

const constinit Command kHealthcheckRunCommand =
    make_command<RunFlags, run>({.summary = "Run the health check of a container",
                                 .usage = "[options] CONTAINER",
                                 .description = "Runs the health check of a container",
                                 .examples = "mywebapp",
                                 .args = ArgRule::exactly(1)},
                                kTables);

const constinit Command kSystemRestartContainerCommand = make_command<NoOptions, restart_container>(
    {.summary = "Start a container whose restart policy asks for it",
     .description = "The engine starts it by itself when the time of a restart has come.",
     .args = ArgRule::exactly(1)});

}  // namespace minke::cli
