// mount and unmount of containers and images.
#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/mounts.h"
#include "view/json_make.h"

namespace minke::cli {
namespace {

using engine::MountKind;

struct MountFlags {
  bool all = false, latest = false, no_trunc = false;
  std::string format;
};
struct ImageMountFlags {
  bool all = false;
  std::string format;
};
struct UnmountFlags {
  bool all = false, force = false, latest = false;
};
struct ImageUnmountFlags {
  bool all = false, force = false;
};
constexpr Option<MountFlags> kMountOptions[] = {
    {"all", 'a', &MountFlags::all, "Mount all containers"},
    {"format", 0, &MountFlags::format, "Print the mounted containers in specified format (json)"},
    {"latest", 'l', &MountFlags::latest, "Act on the latest container"},
    {"no-trunc", 0, &MountFlags::no_trunc, "Do not truncate output"},
    {"notruncate", 0, &MountFlags::no_trunc, "Do not truncate output", {.hidden = true}},
};
constexpr Option<ImageMountFlags> kImageMountOptions[] = {
    {"all", 'a', &ImageMountFlags::all, "Mount all images"},
    {"format", 0, &ImageMountFlags::format, "Print the mounted images in specified format (json)"},
};
constexpr Option<UnmountFlags> kUnmountOptions[] = {
    {"all", 'a', &UnmountFlags::all, "Unmount all of the currently mounted containers"},
    {"force", 'f', &UnmountFlags::force,
     "Force the complete unmount of the specified mounted "
     "containers"},
    {"latest", 'l', &UnmountFlags::latest, "Act on the latest container"},
};
constexpr Option<ImageUnmountFlags> kImageUnmountOptions[] = {
    {"all", 'a', &ImageUnmountFlags::all, "Unmount all of the currently mounted images"},
    {"force", 'f', &ImageUnmountFlags::force,
     "Force the complete unmount of the specified mounted "
     "images"},
};
constexpr OptionTable kMountTables[] = {option_table<MountFlags>(kMountOptions)};
constexpr OptionTable kImageMountTables[] = {option_table<ImageMountFlags>(kImageMountOptions)};
constexpr OptionTable kUnmountTables[] = {option_table<UnmountFlags>(kUnmountOptions)};
constexpr OptionTable kImageUnmountTables[] = {
    option_table<ImageUnmountFlags>(kImageUnmountOptions)};

// An ordinary user's mounts are seen in the mount namespace of `unshare` only.
Result<engine::Engine*> open_engine(Invocation& call) {
  engine::Engine* engine = TRY(call.engine());
  if (engine->host().rootless && !engine->host().in_user_namespace)
    return Error(Errc::permission,
                 concat("cannot run command ", quote(call.full_path()),
                        " in rootless mode, must execute `", call.program, " unshare` first"));
  TRY(engine->enter());
  return engine;
}

Status check_format(const std::string& format) {
  if (format.empty() || format == "json") return {};
  return Error(Errc::invalid_argument, concat("unknown --format argument: ", quote(format)));
}

struct Row {
  std::string id, label, path;
  std::vector<std::string> names, repositories;
};

void print_rows(Output& out, const std::vector<Row>& rows, const std::string& format,
                bool paths_only) {
  if (format == "json") {
    json::Array list;
    for (const Row& row : rows) {
      json::Object item;
      item.set("id", row.id);
      item.set("Names", view::to_array(row.names));
      if (!row.repositories.empty()) item.set("Repositories", view::to_array(row.repositories));
      item.set("mountpoint", row.path);
      list.emplace_back(std::move(item));
    }
    out.line(json::dump(json::Value(std::move(list)), 1));
    return;
  }
  std::string text;
  for (const Row& row : rows)
    text += paths_only ? concat(row.path, "\n") : concat(row.label, "\t", row.path, "\n");
  out.text(paths_only ? text : align_columns(text));
}

Row container_row(const engine::ContainerSummary& container, std::string path, bool no_trunc) {
  return {container.id,
          no_trunc ? container.id : container.id.substr(0, 12),
          std::move(path),
          {container.name},
          {}};
}

Result<int> mount(Invocation& call, MountFlags& flags) {
  TRY(check_format(flags.format));
  if (!call.args.empty() && (flags.all || flags.latest))
    return Error(Errc::invalid_argument, "--all, --latest and arguments cannot be used together");
  engine::Engine* engine = TRY(open_engine(call));
  std::vector<Row> rows;
  ErrorList errors;
  bool asked = !call.args.empty() || flags.all || flags.latest;
  std::vector<std::string> names = call.args;
  if (flags.latest) names.push_back(TRY(engine->latest_id()));
  if (flags.all)
    for (const engine::ContainerSummary& container : TRY(engine->list_containers()))
      names.push_back(container.id);
  if (!asked) names = TRY(engine::mounted_ids(engine->host(), MountKind::containers));
  for (const std::string& name : names) {
    auto id = engine->resolve_id(name);
    if (!id) {
      errors.add(std::move(id));
      continue;
    }
    auto path =
        asked ? engine::mount_container(*engine, *id)
              : Result<std::string>(engine::mount_path(engine->host(), MountKind::containers, *id));
    if (path)
      rows.push_back(container_row(TRY(engine->summary(*id)), std::move(*path), flags.no_trunc));
    else
      errors.add(std::move(path));
  }
  print_rows(call.out, rows, flags.format, asked);
  return finish(std::move(errors));
}

Row image_row(const store::Image& image, std::string path) {
  std::vector<std::string> names = {image.manifest_descriptor.digest.str()};
  return {image.id, image.names.empty() ? image.id : image.names[0], std::move(path),
          std::move(names), image.names};
}

Result<int> image_mount(Invocation& call, ImageMountFlags& flags) {
  TRY(check_format(flags.format));
  if (flags.all && !call.args.empty())
    return Error(Errc::invalid_argument,
                 "when using the --all switch, you may not pass any image names or IDs");
  engine::Engine* engine = TRY(open_engine(call));
  std::vector<Row> rows;
  ErrorList errors;
  bool asked = flags.all || !call.args.empty();
  std::vector<std::string> names = call.args;
  if (flags.all)
    for (const store::Image& image : TRY(engine->store().list_images())) names.push_back(image.id);
  if (!asked) names = TRY(engine::mounted_ids(engine->host(), MountKind::images));
  for (const std::string& name : names) {
    auto image = engine->store().find_image(name);
    if (!image) {
      errors.add(std::move(image));
      continue;
    }
    auto path =
        asked
            ? engine::mount_image(*engine, *image)
            : Result<std::string>(engine::mount_path(engine->host(), MountKind::images, image->id));
    if (path)
      rows.push_back(image_row(*image, std::move(*path)));
    else
      errors.add(std::move(path));
  }
  print_rows(call.out, rows, flags.format, call.args.size() == 1);
  return finish(std::move(errors));
}

Result<int> unmount(Invocation& call, UnmountFlags& flags) {
  if (call.args.empty() && !flags.all && !flags.latest)
    return Error(Errc::invalid_argument, "you must provide at least one name or id");
  if (!call.args.empty() && (flags.all || flags.latest))
    return Error(Errc::invalid_argument, "--all, --latest and arguments cannot be used together");
  engine::Engine* engine = TRY(open_engine(call));
  std::vector<std::string> names = call.args;
  if (flags.latest) names.push_back(TRY(engine->latest_id()));
  if (flags.all) names = TRY(engine::mounted_ids(engine->host(), MountKind::containers));
  ErrorList errors;
  for (const std::string& name : names) {
    auto id = engine->resolve_id(name);
    Result<bool> done = id ? engine::unmount(*engine, MountKind::containers, *id, flags.force)
                           : Result<bool>(std::move(id.error()));
    if (done)
      call.out.line(name);
    else
      errors.add(std::move(done));
  }
  return finish(std::move(errors));
}

Result<int> image_unmount(Invocation& call, ImageUnmountFlags& flags) {
  if (call.args.empty() && !flags.all)
    return Error(Errc::invalid_argument, "image name or ID must be specified");
  if (!call.args.empty() && flags.all)
    return Error(Errc::invalid_argument,
                 "when using the --all switch, you may not pass any image names or IDs");
  engine::Engine* engine = TRY(open_engine(call));
  std::vector<std::string> names = call.args;
  if (flags.all) names = TRY(engine::mounted_ids(engine->host(), MountKind::images));
  ErrorList errors;
  for (const std::string& name : names) {
    auto image = engine->store().find_image(name);
    Result<bool> done = image ? engine::unmount(*engine, MountKind::images, image->id, flags.force)
                              : Result<bool>(std::move(image.error()));
    if (!done)
      errors.add(std::move(done));
    else if (*done)
      call.out.line(image->id);
  }
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kMountCommand = make_command<MountFlags, mount>(
    {.summary = "Mount a working container's root filesystem",
     .usage = "[options] [CONTAINER...]",
     .description =
         "Mounts the root filesystem of a container where programs of the host can reach "
         "it. Without arguments, lists the mounted containers.",
     .examples = "myCtr\n--format json"},
    kMountTables);

const constinit Command kUnmountCommand = make_command<UnmountFlags, unmount>(
    {.summary = "Unmount working container's root filesystem",
     .usage = "[options] CONTAINER [CONTAINER...]",
     .description = "Undoes mount: the root goes once it was unmounted as often as it was mounted.",
     .examples = "ctrID\n--all"},
    kUnmountTables);

const constinit Command kImageMountCommand = make_command<ImageMountFlags, image_mount>(
    {.summary = "Mount an image's root filesystem",
     .usage = "[options] [IMAGE...]",
     .description = "Mounts the root filesystem of an image, read-only. Without arguments, lists "
                    "the mounted images.",
     .examples = "imgID\n--format json"},
    kImageMountTables);

const constinit Command kImageUnmountCommand = make_command<ImageUnmountFlags, image_unmount>(
    {.summary = "Unmount an image's root filesystem",
     .usage = "[options] IMAGE [IMAGE...]",
     .description = "Undoes image mount: the root goes once it was unmounted as often as it was "
                    "mounted.",
     .examples = "imgID\n--all"},
    kImageUnmountTables);

}  // namespace minke::cli
