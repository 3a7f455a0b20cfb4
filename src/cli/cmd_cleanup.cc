// What the engine calls itself for: container cleanup, and emptying the trash.
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/container_flags.h"
#include "cli/select.h"
#include "state/object_lock.h"

namespace minke::cli {
namespace {

struct CleanupFlags : SelectFlags {
  bool rm = false, rmi = false;
};
using F = CleanupFlags;
constexpr Option<F> kOptions[] = {
    {"all", 'a', &F::all, "Cleans up all containers"},
    {"exec", 0, refused, "an exec session leaves nothing behind to clean up"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
    {"rm", 0, &F::rm, "After cleanup, remove the container entirely"},
    {"rmi", 0, &F::rmi, "After cleanup, remove the image entirely"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

Status cleanup_one(engine::Engine& engine, const CleanupFlags& flags, const std::string& id) {
  engine::Container container = TRY(engine.find_container(id));
  const engine::CreateRequest& request = container.config.request;
  TRY(engine.cleanup(id));
  if (flags.rm || flags.rmi) TRY(engine.remove(id, {.volumes = true, .ignore = true}));
  // One that --rm does not remove still has its image.
  if ((flags.rmi || request.remove_image) && !request.rootfs && !engine.resolve_id(id))
    remove_image_after(engine, request.image);
  return {};
}

Result<int> cleanup(Invocation& call, CleanupFlags& flags) {
  TRY(check_selection(flags, call.args.size()));
  engine::Engine* engine = TRY(call.engine());
  // Whoever was faster has removed it: that is no fault.
  Selection selection = TRY(select(*engine, flags, call.args, {.ignore_missing = true}));
  return for_each_selected(call, std::move(selection), [&](const Selected& one) -> Status {
    Status done = cleanup_one(*engine, flags, one.id);
    if (!done && done.error().code() == Errc::not_found) return {};
    return done;
  });
}

// Nobody waits for it: it takes only what processor and disk have left.
void be_idle() {
  constexpr int kWhoProcess = 1, kIdleClass = 3 << 13;
  ::syscall(SYS_ioprio_set, kWhoProcess, 0, kIdleClass);
  struct sched_param none {};
  ::sched_setscheduler(0, SCHED_IDLE, &none);
}

struct NoOptions {};
Result<int> empty_trash(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->enter());
  be_idle();
  const std::string trash = engine->host().root + "/trash";
  // Again for what came while this was at work, as long as it is the only one.
  while (!TRY(sys::list_dir(sys::DirFd::cwd(), trash.c_str())).empty()) {
    auto lock = state::try_lock_object(engine->host().runroot + "/trash", "the trash");
    if (!lock) return 0;
    TRY(engine->store().empty_trash());
  }
  return 0;
}

}  // namespace

const constinit Command kContainerCleanupCommand = make_command<CleanupFlags, cleanup>(
    {.summary = "Clean up network and mountpoints of one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description = "Records the end of containers and removes what a run leaves behind. It may be "
                    "done at any "
                    "time and more than once.",
     .examples = "--latest\nctrID1 ctrID2 ctrID3\n--all"},
    kTables);

const constinit Command kSystemEmptyTrashCommand = make_command<NoOptions, empty_trash>(
    {.summary = "Delete what was removed, and what unfinished commands left",
     .description = "Removed containers and images are moved aside first; this deletes them for "
                    "good. The engine "
                    "starts it by itself.",
     .args = ArgRule::none()});

}  // namespace minke::cli
