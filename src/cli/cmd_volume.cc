// volume create and volume rm.
#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/pairs.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct CreateOptions {
  std::string driver = "local";
  std::vector<std::string> label, opt;
  std::optional<std::int64_t> uid, gid;
  bool ignore = false;
};
constexpr Option<CreateOptions> kCreateOptions[] = {
    {"driver", 'd', &CreateOptions::driver, "Specify volume driver name"},
    {"gid", 0, &CreateOptions::gid, "Set the GID of the volume owner"},
    {"ignore", 0, &CreateOptions::ignore, "Don't fail if volume already exists"},
    {"label", 'l', &CreateOptions::label, "Set metadata for a volume", {.csv = true}},
    {"opt", 'o', &CreateOptions::opt, "Set driver specific options"},
    {"uid", 0, &CreateOptions::uid, "Set the UID of the volume owner"},
};
constexpr OptionTable kCreateTables[] = {option_table<CreateOptions>(kCreateOptions)};

Status check_owner(const char* option, const std::optional<std::int64_t>& id) {
  if (id && (*id < 0 || *id > 2147483647))
    return Error(Errc::invalid_argument, concat(option, " ", *id, ": not an id"));
  return {};
}

Result<int> create(Invocation& call, CreateOptions& options) {
  engine::Volumes::Create request;
  if (!call.args.empty()) request.name = call.args[0];
  request.driver = options.driver;
  request.labels = TRY(key_values(options.label, "label"));
  request.options = TRY(key_values(options.opt, "option"));
  request.ignore_existing = options.ignore;
  TRY(check_owner("--uid", options.uid));
  TRY(check_owner("--gid", options.gid));
  request.uid = options.uid.value_or(-1);
  request.gid = options.gid.value_or(-1);
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->enter());
  engine::VolumeConfig volume = TRY(engine->volumes().create(request));
  call.out.line(volume.name);
  return 0;
}

struct RmOptions {
  bool all = false, force = false;
  std::optional<std::int64_t> time;
};
constexpr Option<RmOptions> kRmOptions[] = {
    {"all", 'a', &RmOptions::all, "Remove all volumes"},
    {"force", 'f', &RmOptions::force,
     "Remove a volume by force, even if it is being used by a container"},
    {"time",
     't',
     &RmOptions::time,
     "`Seconds` to wait for running containers to stop before killing the container",
     {.alias = "timeout", .shown_default = "10"}},
};
constexpr OptionTable kRmTables[] = {option_table<RmOptions>(kRmOptions)};

// Names that stand for no volume first, as Podman looks all up before it removes any.
Result<std::vector<std::string>> find_volumes(const engine::Volumes& volumes,
                                              const Invocation& call, const RmOptions& options,
                                              ErrorList* errors) {
  std::vector<std::string> names;
  if (options.all) {
    for (engine::VolumeConfig& volume : TRY(volumes.list()))
      names.push_back(std::move(volume.name));
    std::sort(names.begin(), names.end());
    return names;
  }
  for (const std::string& typed : call.args) {
    auto volume = volumes.find(typed);
    if (volume)
      names.push_back(std::move(volume->name));
    else if (!options.force || volume.error().code() != Errc::not_found)
      errors->add(std::move(volume));
  }
  return names;
}

int exit_code_of(const std::vector<Error>& errors) {
  auto any = [&errors](Errc code) {
    return std::any_of(errors.begin(), errors.end(),
                       [code](const Error& e) { return e.code() == code; });
  };
  return any(Errc::in_use) ? 2 : any(Errc::not_found) ? 1 : kExitFault;
}

Result<int> rm(Invocation& call, RmOptions& options) {
  if (options.all != call.args.empty())
    return Error(Errc::invalid_argument, "choose either one or more volumes or all");
  if (options.time && !options.force)
    return Error(Errc::invalid_argument,
                 "--force option must be specified to use the --time option");
  engine::Engine* engine = TRY(call.engine());
  ErrorList errors;
  for (const std::string& name : TRY(find_volumes(engine->volumes(), call, options, &errors))) {
    Status removed = engine->remove_volume(name, options.force, options.time);
    if (removed)
      call.out.line(name);
    else
      errors.add(std::move(removed));
  }
  int code = exit_code_of(errors.errors());
  auto done = finish(std::move(errors));
  if (done) return done;
  return std::move(done.error()).with_exit(code);
}

}  // namespace

const constinit Command kVolumeCreateCommand = make_command<CreateOptions, create>(
    {.summary = "Create a new volume",
     .usage = "[options] [NAME]",
     .description =
         "If using the default driver, \"local\", the volume will be created on the host "
         "in the volumes directory under container storage.",
     .examples = "myvol\n\n--label foo=bar myvol",
     .args = ArgRule::at_most(1)},
    kCreateTables);

const constinit Command kVolumeRmCommand = make_command<RmOptions, rm>(
    {.summary = "Remove one or more volumes",
     .usage = "[options] VOLUME [VOLUME...]",
     .description = "Remove one or more existing volumes.\n\n"
                    "By default only volumes that are not being used by any containers will be "
                    "removed. To remove the volumes anyways, use the --force flag.",
     .examples = "myvol1 myvol2\n--all\n--force myvol"},
    kRmTables);

}  // namespace minke::cli
