#include "base/str.h"
#include "cli/commands.h"
#include "cli/select.h"

namespace minke::cli {
namespace {

struct RmFlags : SelectFlags {
  bool depend = false, force = false, ignore = false, volumes = false;
  std::optional<std::int64_t> time;
};
using F = RmFlags;
constexpr Option<F> kOptions[] = {
    {"all", 'a', &F::all, "Remove all containers"},
    {"cidfile", 0, &F::cidfile, "Read the container ID from the file"},
    {"depend", 0, &F::depend,
     "Remove container and all containers that depend on the selected container"},
    {"filter", 0, &F::filter, "Filter output based on conditions given"},
    {"force", 'f', &F::force, "Force removal of a running or unusable container"},
    {"ignore", 'i', &F::ignore, "Ignore errors when a specified container is missing"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
    {"time",
     't',
     &F::time,
     "`Seconds` to wait for stop before killing the container",
     {.shown_default = "10"}},
    {"volumes", 'v', &F::volumes, "Remove anonymous volumes associated with the container"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

constexpr int kExitMissing = 1;
constexpr int kExitInUse = 2;

// Podman tells a missing container and one that still runs by the exit code.
Error with_rm_exit(Error error) {
  if (error.exit_code() != 0) return error;
  if (error.code() == Errc::not_found) return std::move(error).with_exit(kExitMissing);
  if (error.code() == Errc::conflict || error.code() == Errc::in_use)
    return std::move(error).with_exit(kExitInUse);
  return error;
}

Result<int> rm(Invocation& call, RmFlags& flags) {
  if (flags.time && !flags.force)
    return Error(Errc::invalid_argument,
                 "--force option must be specified to use the --time option");
  TRY(check_selection(flags, call.args.size()));
  engine::Engine* engine = TRY(call.engine());
  const bool ignore_missing = flags.ignore || flags.force;
  auto selected = select(*engine, flags, call.args, {.ignore_missing = ignore_missing});
  if (!selected) return with_rm_exit(std::move(selected.error()));
  engine::Engine::RemoveOptions options{.force = flags.force,
                                        .volumes = flags.volumes,
                                        .depend = flags.depend || flags.all,
                                        .ignore = ignore_missing,
                                        .timeout = flags.time};
  if (flags.force) engine->end_together(ids_of(*selected), flags.time);
  // What nobody has named may go by itself meanwhile (--rm).
  const bool may_be_gone = flags.all || !flags.filter.empty();
  auto result = for_each_selected(call, std::move(*selected), [&](const Selected& one) {
    Status removed = engine->remove(one.id, options);
    if (!removed && may_be_gone && removed.error().code() == Errc::not_found) return Status();
    return removed;
  });
  if (!result) return with_rm_exit(std::move(result.error()));
  return result;
}

}  // namespace

const constinit Command kRmCommand = make_command<RmFlags, rm>(
    {.summary = "Remove one or more containers",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description =
         "Removes one or more containers from the host. The container name or ID can be used.\n\n"
         "Command does not remove images. Running or unusable containers will not be removed "
         "without "
         "the -f option.",
     .examples = "ctrID\nmywebserver myflaskserver 860a4b23\n--force --all"},
    kTables);

}  // namespace minke::cli
