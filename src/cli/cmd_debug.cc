// debug: what create would decide and how a Containerfile is read, printed and not done.
#include "build/parse.h"
#include "cli/commands.h"
#include "cli/container_flags.h"
#include "sys/fd.h"
#include "view/json_make.h"

namespace minke::cli {
namespace {

Result<int> plan(Invocation& call, ContainerFlags& flags) {
  engine::CreateRequest request = TRY(make_request(call, flags));
  engine::Engine* engine = TRY(call.engine());
  engine::Engine::Preview preview = TRY(engine->preview(request));
  json::Object out;
  out.set("config", json::to_value(preview.config));
  out.set("spec", json::to_value(preview.spec));
  out.set("steps", view::to_array(preview.steps));
  out.set("warnings", view::to_array(preview.warnings));
  call.out.line(json::dump(json::Value(std::move(out)), 2));
  return 0;
}

struct NoFlags {};

Result<int> containerfile(Invocation& call, NoFlags&) {
  const std::string name(call.args[0]);
  const std::string text = name == "-" ? TRY(sys::read_all(0, sys::kSmallFileMax, "standard input"))
                                       : TRY(sys::read_small_file(name));
  call.out.text(build::dump(TRY(build::parse(text, name))));
  return 0;
}

}  // namespace

const constinit Command kDebugContainerfileCommand = make_command<NoFlags, containerfile>(
    {.summary = "Print how a Containerfile is read, and build nothing",
     .usage = "FILE",
     .description = "Prints the stages and instructions of FILE (- is standard input) as JSON, or "
                    "the first fault in it.",
     .examples = "Containerfile",
     .args = ArgRule::exactly(1)});

const constinit Command kDebugPlanCommand = make_command<ContainerFlags, plan>(
    {.summary = "Print what create would decide, and make nothing",
     .usage = "[options] IMAGE [COMMAND [ARG...]]",
     .description = "Takes the options of create, and prints as JSON the container's record, its "
                    "OCI runtime spec, and the steps of its first process from the clone to the "
                    "program.",
     .examples = "--read-only -v data:/data IMAGE",
     .args = ArgRule::at_least(1),
     .interspersed = false},
    kCreateTables);

}  // namespace minke::cli
