// What a request would become: decided as always, and nothing made.
#include <cstdlib>

#include "base/rand.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/records.h"
#include "runtime/build.h"

namespace minke::engine {

Result<Engine::Preview> Engine::preview(const CreateRequest& request) {
  TRY(enter());
  // Not even a compiled filter is kept.
  ::unsetenv("MINKE_SECCOMP_CACHE");
  std::optional<store::Image> image;
  if (!request.rootfs) image = TRY(store_->find_image(request.image));
  Preview out;
  std::string id = random_hex(32);
  ContainerPaths paths(host_, id);
  ResolveContext context = resolve_context(image ? &*image : nullptr, id);
  out.config = TRY(resolve_config(request, context));
  out.config.id = id;
  out.config.name = request.name;
  out.config.created = now();
  if (image) out.config.lower = store_->lower_dirs(*image);

  SpecContext start;
  start.host = &host_;
  start.container_dir = paths.dir;
  start.run_dir = paths.run_dir;
  start.container_pid = [this](std::string_view other) -> Result<pid_t> {
    ContainerSummary live = TRY(summary(std::string(other)));
    if (live.pid > 0) return live.pid;
    return Error(Errc::conflict, concat("container ", short_id(other),
                                        " is not running, so its namespaces cannot be joined"));
  };
  out.spec = TRY(make_spec(out.config, start));

  runtime::CreateRequest create;
  create.id = id;
  create.bundle = paths.dir;
  create.spec = &out.spec;
  if (!out.config.lower.empty()) {
    runtime::OverlayRoot overlay;
    overlay.lower = out.config.lower;
    overlay.upper = paths.dir + "/upper";
    overlay.work = paths.dir + "/work";
    overlay.userxattr = host_.rootless;
    create.overlay = std::move(overlay);
  }
  create.cgroup_manager = cgroup_manager(request, host_);
  // The plan of a terminal needs somebody who takes its other end; steps are the same.
  auto [console, other_end] = TRY(sys::make_pipe());
  if (request.terminal) create.console_socket = console.get();
  runtime::HostFacts facts = TRY(runtime::read_host_facts());
  const std::vector<runtime::Cgroup::Entry> no_cgroups;
  runtime::LaunchPlan plan;
  TRY(runtime::build_init_plan({create, facts, no_cgroups, &out.warnings}, &plan));
  std::string text = runtime::print_plan(plan);
  for (std::string_view line : split(trim(text), '\n')) out.steps.emplace_back(line);
  return out;
}

}  // namespace minke::engine
