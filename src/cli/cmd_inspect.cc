// inspect and container inspect.
#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "view/container.h"
#include "view/image.h"
#include "view/network.h"
#include "view/volume.h"

namespace minke::cli {
namespace {

struct ContainerInspectFlags {
  std::string format;
  bool latest = false, size = false;
};
struct InspectFlags : ContainerInspectFlags {
  std::string type = "all";
};
using C = ContainerInspectFlags;
using F = InspectFlags;
constexpr Option<C> kContainerOptions[] = {
    {"format",
     'f',
     &C::format,
     "Format the output to a Go template or json",
     {.shown_default = "json"}},
    {"latest", 'l', &C::latest, "Act on the latest container"},
    {"size", 's', &C::size, "Display total file size"},
};
constexpr Option<F> kTypeOptions[] = {
    {"type", 't', &F::type, "Specify inspect-object type"},
};
constexpr OptionTable kContainerTables[] = {option_table<C>(kContainerOptions)};
constexpr OptionTable kTables[] = {option_table<F>(kContainerOptions),
                                   option_table<F>(kTypeOptions)};

struct Found {
  json::Object object;
  const gotemplate::Shape* shape = nullptr;
};

Result<Found> inspect_container(engine::Engine& engine, const std::string& name,
                                const ContainerInspectFlags& flags) {
  engine::Container container = TRY(engine.find_container(name));
  oci::Spec spec = TRY(view::current_spec(engine, container));
  std::optional<engine::Engine::Sizes> sizes;
  if (flags.size) sizes = TRY(engine.sizes(container.config.id));
  return Found{view::inspect_container(engine.host(), container, spec, sizes),
               &view::kContainerShape};
}

Result<Found> inspect_image(engine::Engine& engine, const std::string& name,
                            const ContainerInspectFlags&) {
  store::Image image = TRY(engine.store().find_image(name));
  return Found{view::inspect_image(engine.store(), image), &view::kImageShape};
}

Result<Found> inspect_volume(engine::Engine& engine, const std::string& name,
                             const ContainerInspectFlags&) {
  engine::VolumeConfig volume = TRY(engine.volumes().find(name));
  std::int64_t count = TRY(view::volume_mount_count(engine, volume.name));
  return Found{view::inspect_volume(engine.volumes(), volume, count), &view::kVolumeShape};
}

Result<Found> inspect_network(engine::Engine& engine, const std::string& name,
                              const ContainerInspectFlags& flags) {
  const net::NetworkStore* store = TRY(engine.networks());
  net::Network network = TRY(store->find(name));
  const bool as_json = flags.format.empty() || flags.format == "json";
  json::Value value = as_json ? TRY(view::inspect_network(engine, network))
                              : TRY(view::network_inspect_row(engine, network));
  return Found{std::move(*value.as_object()), &view::kNetworkShape};
}

// In the order in which a bare name is looked for. `missing` puts Podman's words for a name that is
// not there.
struct Kind {
  std::string_view type;
  Result<Found> (*inspect)(engine::Engine&, const std::string&, const ContainerInspectFlags&);
  std::string (*missing)(std::string_view name);
};
constexpr Kind kKinds[] = {
    {"container", inspect_container,
     [](std::string_view name) { return concat("no such container ", name); }},
    {"image", inspect_image,
     [](std::string_view name) { return concat(name, ": image not known"); }},
    {"volume", inspect_volume,
     [](std::string_view name) { return concat("no such volume ", name); }},
    {"network", inspect_network,
     [](std::string_view name) {
       return concat("network ", name, ": unable to find network with name or ID ", name,
                     ": network not found");
     }},
};

Result<Found> inspect_one(engine::Engine& engine, const std::string& name, std::string_view type,
                          const ContainerInspectFlags& flags) {
  for (const Kind& kind : kKinds) {
    if (type != "all" && type != kind.type) continue;
    auto found = kind.inspect(engine, name, flags);
    if (found || found.error().code() != Errc::not_found) return found;
    if (type != "all")
      return Error(Errc::not_found, concat("inspecting object: ", kind.missing(name)));
  }
  return Error(Errc::not_found, concat("inspecting object: no such object: ", quote(name)));
}

Status print(Invocation& call, const ContainerInspectFlags& flags,
             const std::vector<Found>& found) {
  json::Array all;
  if (flags.format.empty() || flags.format == "json") {
    for (const Found& one : found) all.emplace_back(one.object);
    return write_inspect(call.out, {}, all, {});
  }
  std::string format = view::normalize_inspect_format(flags.format);
  for (const Found& one : found) {
    // Each kind has fields of its own.
    Status written = write_inspect(call.out, format, {json::Value(one.object)}, *one.shape);
    if (!written)
      return std::move(written.error()).wrap("inspecting object: printing inspect output");
  }
  return {};
}

Result<int> inspect_names(Invocation& call, const ContainerInspectFlags& flags,
                          std::string_view type) {
  if (flags.latest && !call.args.empty())
    return Error(Errc::invalid_argument, "--latest and arguments cannot be used together");
  if (!flags.latest && call.args.empty())
    return Error(Errc::invalid_argument, "no names or ids specified");
  if (flags.latest && type != "all" && type != "container")
    return Error(Errc::invalid_argument, concat("latest is not supported for type ", quote(type)));
  if (flags.size && type != "all" && type != "container")
    return Error(Errc::invalid_argument, concat("size is not supported for type ", quote(type)));
  engine::Engine* engine = TRY(call.engine());
  std::vector<std::string> names = call.args;
  if (flags.latest) names.push_back(TRY(engine->latest_id()));
  ErrorList errors;
  std::vector<Found> found;
  for (const std::string& name : names) {
    auto one = inspect_one(*engine, name, flags.latest ? "container" : type, flags);
    if (one)
      found.push_back(std::move(*one));
    else
      errors.add(std::move(one.error()));
  }
  TRY(print(call, flags, found));
  return finish(std::move(errors));
}

Result<int> inspect(Invocation& call, InspectFlags& flags) {
  if (flags.type == "pod")
    return Error(Errc::unsupported, "--type pod is not supported yet: pods come later");
  if (flags.type != "all" && flags.type != "container" && flags.type != "image" &&
      flags.type != "volume" && flags.type != "network")
    return Error(
        Errc::invalid_argument,
        concat("invalid type ", quote(flags.type),
               ": must be \"image\", \"container\", \"pod\", \"network\", \"volume\", or \"all\""));
  return inspect_names(call, flags, flags.type);
}

Result<int> container_inspect(Invocation& call, ContainerInspectFlags& flags) {
  return inspect_names(call, flags, "container");
}

}  // namespace

const constinit Command kInspectCommand = make_command<InspectFlags, inspect>(
    {.summary = "Display the configuration of object denoted by ID",
     .usage = "[options] {CONTAINER|IMAGE|VOLUME|NETWORK} [...]",
     .description = "Displays the low-level information on an object identified by name or ID. For "
                    "more information "
                    "on a specific type of object, see the inspect command of its group.",
     .examples = "fedora\n--type image fedora\nCtrID ImgID VolName"},
    kTables);

const constinit Command kContainerInspectCommand =
    make_command<ContainerInspectFlags, container_inspect>(
        {.summary = "Display the configuration of a container",
         .usage = "[options] CONTAINER [CONTAINER...]",
         .description =
             "Displays the low-level information on a container identified by name or ID.",
         .examples = "myCtr\n-l --format '{{.Id}} {{.Config.Labels}}'"},
        kContainerTables);

}  // namespace minke::cli
