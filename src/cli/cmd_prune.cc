#include "base/str.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/container_filter.h"
#include "engine/prune.h"

namespace minke::cli {
namespace {

struct PruneFlags {
  std::vector<std::string> filter;
  bool force = false;
};
using F = PruneFlags;
constexpr Option<F> kOptions[] = {
    {"filter", 0, &F::filter, "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', &F::force, "Do not prompt for confirmation"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

Result<int> prune(Invocation& call, PruneFlags& flags) {
  if (!flags.force &&
      !TRY(confirm(call.out, "WARNING! This will remove all non running containers.\n")))
    return 0;
  engine::Engine* engine = TRY(call.engine());
  ContainerFilter filter = TRY(ContainerFilter::make(*engine, flags.filter));
  ErrorList errors;
  auto wanted = [&filter](const engine::ContainerSummary& container) {
    return filter.matches(container);
  };
  for (const engine::Pruned& one : TRY(engine::prune_containers(*engine, wanted, &errors)))
    call.out.line(one.name);
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kContainerPruneCommand =
    make_command<PruneFlags, prune>({.summary = "Remove all non running containers",
                                     .usage = "[options]",
                                     .description = "Removes all non running containers",
                                     .examples = "",
                                     .args = ArgRule::none()},
                                    kTables);

}  // namespace minke::cli
