#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/container_filter.h"
#include "engine/step_label.h"
#include "view/ps.h"
#include "view/status.h"

namespace minke::cli {
namespace {

using engine::ContainerSummary;
using Sizes = engine::Engine::Sizes;

struct PsFlags {
  bool all = false, external = false, latest = false, ns = false, no_trunc = false,
       noheading = false, pod = false, quiet = false, size = false, sync = false;
  std::vector<std::string> filter;
  std::string format, sort;
  std::int32_t last = -1;
  std::uint32_t watch = 0;
};
using F = PsFlags;
constexpr Option<F> kOptions[] = {
    {"all", 'a', &F::all, "Show all the containers, default is only running containers"},
    {"external", 0, &F::external, "Show also containers of builds that are at work"},
    {"filter", 'f', &F::filter, "Filter output based on conditions given"},
    {"format", 0, &F::format, "Pretty-print containers to JSON or using a Go template"},
    {"last", 'n', &F::last, "Print the n last created containers (all states)"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
    {"no-trunc", 0, &F::no_trunc, "Display the extended information"},
    {"noheading", 0, &F::noheading, "Do not print headers"},
    {"ns", 0, &F::ns, "Display namespace information", {.alias = "namespace"}},
    {"pod", 'p', &F::pod, "Print the ID and name of the pod the containers are associated with"},
    {"quiet", 'q', &F::quiet, "Print the numeric IDs of the containers only"},
    {"size", 's', &F::size, "Display the total file sizes"},
    {"sort",
     0,
     &F::sort,
     "Sort output by: command, created, id, image, names, runningfor, size, status",
     {.value_name = "choice"}},
    {"sync", 0, &F::sync, "Sync container state with OCI runtime (it always is)"},
    {"watch", 'w', &F::watch, "Watch the ps output on an interval in seconds"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

constexpr Column kColumns[] = {
    {"ID", "CONTAINER ID"},
    {"Names", "NAMES"},
    {"Image", "IMAGE"},
    {"ImageID"},
    {"Command"},
    {"CreatedHuman", "CREATED"},
    {"RunningFor"},
    {"CreatedAt"},
    {"Created"},
    {"Status"},
    {"State"},
    {"Ports"},
    {"Pod", "POD ID"},
    {"PodName", "PODNAME"},
    {"Size"},
    {"Labels"},
    {"Mounts"},
    {"Networks"},
    {"Pid"},
    {"Exited"},
    {"ExitedAt"},
    {"ExitCode"},
    {"StartedAt"},
    {"Restarts"},
    {"AutoRemove"},
    {"IsInfra"},
    {"Cgroup", "CGROUPNS"},
    {"IPC"},
    {"MNT"},
    {"NET"},
    {"PIDNS"},
    {"User", "USERNS"},
    {"UTS"},
    {"Namespaces"},
};

constexpr std::string_view kNamespaceFormat =
    "table "
    "{{.ID}}\t{{.Names}}\t{{.Pid}}\t{{.Cgroup}}\t{{.IPC}}\t{{.MNT}}\t{{.NET}}\t{{.PIDNS}}\t{{.User}"
    "}\t{{.UTS}}";
constexpr std::string_view kFormat =
    "table "
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.CreatedHuman}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

struct Item {
  ContainerSummary container;
  std::optional<Sizes> sizes;
};

// How --sort orders; the first of the list is the first line.
struct SortRow {
  std::string_view name;
  bool (*less)(const Item&, const Item&);
};
constexpr SortRow kSorts[] = {
    {"command",
     [](const Item& a, const Item& b) {
       return join(a.container.command, " ") < join(b.container.command, " ");
     }},
    {"created",
     [](const Item& a, const Item& b) { return a.container.created < b.container.created; }},
    {"id", [](const Item& a, const Item& b) { return a.container.id < b.container.id; }},
    {"image",
     [](const Item& a, const Item& b) { return a.container.image_name < b.container.image_name; }},
    {"names", [](const Item& a, const Item& b) { return a.container.name < b.container.name; }},
    {"runningfor",
     [](const Item& a, const Item& b) { return a.container.started_at < b.container.started_at; }},
    {"size", [](const Item& a,
                const Item& b) { return a.sizes && b.sizes && a.sizes->root < b.sizes->root; }},
    {"status",
     [](const Item& a, const Item& b) {
       return std::string_view(engine::state_name(a.container.state)) <
              engine::state_name(b.container.state);
     }},
};

Result<const SortRow*> find_sort(const std::string& name) {
  if (name.empty()) return nullptr;
  for (const SortRow& row : kSorts)
    if (row.name == name) return &row;
  return Error(
      Errc::invalid_argument,
      concat(
          "invalid argument ", quote(name), " for \"--sort\" flag: ", quote(name),
          " is not a valid value.  Choose from: \"command, created, id, image, names, runningfor, "
          "size, status\""));
}

Status check(const PsFlags& flags) {
  auto invalid = [](const char* text) { return Error(Errc::invalid_argument, text); };
  if (flags.last >= 0 && flags.latest) return invalid("last and latest are mutually exclusive");
  if (flags.quiet && (flags.size || flags.ns))
    return invalid("quiet conflicts with size and namespace");
  if (flags.size && flags.ns) return invalid("size and namespace options conflict");
  if (flags.watch > 0 && flags.latest)
    return invalid("the watch and latest flags cannot be used together");
  return {};
}

Result<std::vector<Item>> list(engine::Engine& engine, const PsFlags& flags) {
  const SortRow* sort = TRY(find_sort(flags.sort));
  ContainerFilter filter = TRY(ContainerFilter::make(engine, flags.filter));
  const bool some = flags.latest || flags.last > 0;
  const bool all = flags.all || some || filter.asks_for_state();
  std::vector<Item> items;
  for (ContainerSummary& container : TRY(engine.list_containers())) {
    if (!all && container.state != engine::ContainerState::running) continue;
    if (!flags.external && container.labels.contains(engine::kStepLabel)) continue;
    if (filter.matches(container)) items.push_back({std::move(container), {}});
  }
  if (some) {
    std::reverse(items.begin(), items.end());
    std::size_t count = flags.latest ? 1 : static_cast<std::size_t>(flags.last);
    if (items.size() > count) items.resize(count);
  }
  if (flags.size || flags.sort == "size")
    for (Item& item : items) {
      auto sizes = engine.sizes(item.container.id);
      if (sizes)
        item.sizes = *sizes;
      else if (sizes.error().code() != Errc::not_found)
        log::warn(
            concat("container ", view::short_id(item.container.id), ": ", sizes.error().message()));
    }
  if (sort != nullptr) std::stable_sort(items.begin(), items.end(), sort->less);
  return items;
}

void replace_all(std::string* text, std::string_view from, std::string_view to) {
  for (std::size_t at = text->find(from); at != std::string::npos;
       at = text->find(from, at + to.size()))
    text->replace(at, from.size(), to);
}

Status print(Invocation& call, const PsFlags& flags, const std::vector<Item>& items) {
  if (flags.quiet && flags.format.empty()) {
    for (const Item& item : items)
      call.out.line(flags.no_trunc ? item.container.id : view::short_id(item.container.id));
    return call.out.flush();
  }
  // Namespaces and labels are methods in Podman's templates.
  std::string format = flags.format;
  replace_all(&format, ".Namespaces.", ".");
  replace_all(&format, ".Label ", "index .Labels ");
  std::string table(flags.ns ? kNamespaceFormat : kFormat);
  if (flags.pod && !flags.ns) table += "\t{{.Pod}}\t{{.PodName}}";
  if (flags.size) table += "\t{{.Size}}";
  if (!flags.size && format.find(".Size") != std::string::npos)
    log::error("Size format requires --size option");

  view::PsOptions options{
      .at = now(), .no_trunc = flags.no_trunc, .namespaces = flags.ns || flags.format != format};
  json::Array rows;
  const bool as_json = is_json_format(format);
  options.namespaces = options.namespaces && !(as_json && !flags.ns);
  for (const Item& item : items) {
    if (as_json)
      rows.emplace_back(view::ps_json(item.container, item.sizes, options));
    else
      rows.emplace_back(view::ps_row(item.container, item.sizes, options));
  }
  Listing listing{
      .name = "ps", .columns = kColumns, .default_format = table, .shape = view::kPsShape};
  return write_rows(call.out, listing, {.format = format, .no_heading = flags.noheading}, rows);
}

Result<int> ps(Invocation& call, PsFlags& flags) {
  TRY(check(flags));
  engine::Engine* engine = TRY(call.engine());
  for (;;) {
    std::vector<Item> items = TRY(list(*engine, flags));
    if (flags.watch > 0) call.out.text("\033[2J\033[H");
    TRY(print(call, flags, items));
    if (flags.watch == 0) return 0;
    ::sleep(flags.watch);
  }
}

}  // namespace

const constinit Command kPsCommand = make_command<PsFlags, ps>(
    {.summary = "List containers",
     .usage = "[options]",
     .description = "Prints out information about the containers",
     .examples =
         "-a\n-a --format \"{{.ID}}  {{.Image}}  {{.Labels}}  {{.Mounts}}\"\n--size --sort names",
     .args = ArgRule::none()},
    kTables);

}  // namespace minke::cli
