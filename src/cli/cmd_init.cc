#include "cli/commands.h"
#include "cli/select.h"

namespace minke::cli {
namespace {

struct InitFlags {
  bool all = false, latest = false;
};
using F = InitFlags;
constexpr Option<F> kOptions[] = {
    {"all", 'a', &F::all, "Initialize all containers"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

Result<int> init(Invocation& call, InitFlags& flags) {
  SelectFlags wanted{.all = flags.all, .latest = flags.latest, .cidfile = {}, .filter = {}};
  TRY(check_selection(wanted, call.args.size()));
  engine::Engine* engine = TRY(call.engine());
  SelectRules rules;
  if (flags.all)
    rules.all_states = {engine::ContainerState::created, engine::ContainerState::exited,
                        engine::ContainerState::stopped};
  Selection selection = TRY(select(*engine, wanted, call.args, rules));
  return for_each_selected(call, std::move(selection),
                           [engine](const Selected& one) { return engine->init(one.id); });
}

}  // namespace

const constinit Command kInitCommand = make_command<InitFlags, init>(
    {.summary = "Initialize one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description = "Initialize one or more containers, creating the OCI spec and mounts for "
                    "inspection. Container names or IDs can be used.",
     .examples = "--latest\n3c45ef19d893\ntest1"},
    kTables);

}  // namespace minke::cli
