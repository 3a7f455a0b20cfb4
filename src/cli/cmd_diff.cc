// diff, container diff and image diff.
#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

using Kind = engine::TreeChange::Kind;
using DiffKind = engine::Engine::DiffKind;

struct FormatFlag {
  std::string format;
};
struct DiffFlags : FormatFlag {
  bool latest = false;
};
using F = FormatFlag;
constexpr Option<F> kFormat[] = {
    {"format", 0, &F::format, "Change the output format (json)"},
};
constexpr Option<DiffFlags> kLatest[] = {
    {"latest", 'l', &DiffFlags::latest, "Act on the latest container"},
};
constexpr OptionTable kTables[] = {option_table<DiffFlags>(kFormat),
                                   option_table<DiffFlags>(kLatest)};
constexpr OptionTable kImageTables[] = {option_table<F>(kFormat)};

struct Group {
  Kind kind;
  const char* letter;
  const char* key;
};
constexpr Group kGroups[] = {
    {Kind::changed, "C", "changed"}, {Kind::added, "A", "added"}, {Kind::deleted, "D", "deleted"}};

json::Object grouped(const std::vector<engine::TreeChange>& changes) {
  json::Object out;
  for (const Group& group : kGroups) {
    json::Array paths;
    for (const engine::TreeChange& change : changes)
      if (change.kind == group.kind) paths.emplace_back(change.path);
    if (!paths.empty()) out.set(group.key, std::move(paths));
  }
  return out;
}

Result<int> show(Invocation& call, const std::string& format, bool latest, DiffKind kind) {
  if (!format.empty() && format != "json")
    return Error(Errc::invalid_argument, "only supported value for '--format' is 'json'");
  if (latest && !call.args.empty())
    return Error(Errc::invalid_argument, "--latest and containers cannot be used together");
  if (!latest && call.args.empty())
    return Error(Errc::invalid_argument,
                 "container must be specified: podman container diff "
                 "[options [...]] ID-NAME");
  engine::Engine* engine = TRY(call.engine());
  std::vector<std::string> names = call.args;
  if (latest) names.push_back(TRY(engine->latest_id()));
  std::vector<engine::TreeChange> changes =
      TRY(engine->diff(names[0], names.size() > 1 ? names[1] : "", kind));
  if (format == "json") {
    call.out.line(json::dump(json::Value(grouped(changes)), 5));
    return 0;
  }
  for (const engine::TreeChange& change : changes)
    for (const Group& group : kGroups)
      if (change.kind == group.kind) call.out.line(concat(group.letter, " ", change.path));
  return 0;
}

Result<int> diff(Invocation& call, DiffFlags& flags) {
  return show(call, flags.format, flags.latest, DiffKind::any);
}
Result<int> container_diff(Invocation& call, DiffFlags& flags) {
  return show(call, flags.format, flags.latest, DiffKind::container);
}
Result<int> image_diff(Invocation& call, FormatFlag& flags) {
  return show(call, flags.format, false, DiffKind::image);
}

}  // namespace

const constinit Command kDiffCommand = make_command<DiffFlags, diff>(
    {.summary = "Display the changes to the object's file system",
     .usage = "[options] {CONTAINER|IMAGE} [{CONTAINER|IMAGE}]",
     .description = "Displays changes to a container or image's filesystem. The container or image "
                    "will be compared to its parent layer or the second argument when given.",
     .examples = "imageID\nctrID\n--format json redis:alpine",
     .args = ArgRule::at_most(2)},
    kTables);

const constinit Command kContainerDiffCommand = make_command<DiffFlags, container_diff>(
    {.summary = "Inspect changes to the container's file systems",
     .usage = "[options] CONTAINER [CONTAINER]",
     .description = "Displays changes to the container filesystem. The container will be compared "
                    "to its parent layer or the second argument when given.",
     .examples = "myCtr\n-l --format json myCtr",
     .args = ArgRule::at_most(2)},
    kTables);

const constinit Command kImageDiffCommand = make_command<FormatFlag, image_diff>(
    {.summary = "Inspect changes to the image's file systems",
     .usage = "[options] IMAGE [IMAGE]",
     .description = "Displays changes to the image's filesystem. The image will be compared to its "
                    "parent layer or the second argument when given.",
     .examples = "myImage\n--format json redis:alpine",
     .args = {1, 2}},
    kImageTables);

}  // namespace minke::cli
