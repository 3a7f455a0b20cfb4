#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/container_filter.h"
#include "engine/events.h"

namespace minke::cli {
namespace {

using engine::ContainerState;

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

bool may_go(ContainerState state) {
  return state == ContainerState::created || state == ContainerState::exited ||
         state == ContainerState::stopped;
}

Result<int> prune(Invocation& call, PruneFlags& flags) {
  if (!flags.force &&
      !TRY(confirm(call.out, "WARNING! This will remove all non running containers.\n")))
    return 0;
  engine::Engine* engine = TRY(call.engine());
  ContainerFilter filter = TRY(ContainerFilter::make(*engine, flags.filter));
  ErrorList errors;
  std::vector<engine::ContainerSummary> containers = TRY(engine->list_containers());
  // The newest first: nothing older depends on it.
  std::reverse(containers.begin(), containers.end());
  for (const engine::ContainerSummary& container : containers) {
    if (!may_go(container.state) || !filter.matches(container)) continue;
    Status removed = engine->remove(container.id, {});
    if (removed)
      call.out.line(container.id);
    else if (removed.error().code() != Errc::not_found)  // another prune was faster
      errors.add(std::move(removed.error()));
  }
  engine::emit_prune(engine->host(), "container");
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
