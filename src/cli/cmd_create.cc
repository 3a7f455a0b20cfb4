#include "cli/choose.h"
#include "cli/commands.h"
#include "cli/container_flags.h"
#include "cli/transfer_report.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

Result<int> create(Invocation& call, ContainerFlags& flags) {
  engine::CreateRequest request = TRY(make_request(call, flags));
  TRY(check_cidfile(flags.cidfile));
  TransferReport report(TransferReport::Way::pull, flags.quiet);
  request.pull_watch = report.watch();
  ask_for_short_names();
  engine::Engine* engine = TRY(call.engine());
  engine::Container container = TRY(engine->create(request));
  TRY(write_cidfile(flags.cidfile, container.config.id));
  call.out.line(container.config.id);
  return 0;
}

}  // namespace

const constinit Command kCreateCommand = make_command<ContainerFlags, create>(
    {.summary = "Create but do not start a container",
     .usage = "[options] IMAGE [COMMAND [ARG...]]",
     .description =
         "Creates a new container from the given image or storage and prepares it for running the "
         "specified command.\n\nThe container ID is then printed to stdout. You can then start it "
         "at "
         "any time with the start command. The container will be created with the initial state "
         "'created'.",
     .examples = "alpine ls\n--annotation HELLO=WORLD alpine ls\n-t -i --name myctr alpine ls",
     .args = ArgRule::at_least(1),
     .interspersed = false},
    kCreateTables);

}  // namespace minke::cli
