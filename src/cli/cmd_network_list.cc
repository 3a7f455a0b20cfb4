// network ls, inspect and prune.
#include <algorithm>
#include <set>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/filter.h"
#include "engine/engine.h"
#include "engine/prune.h"
#include "view/network.h"

namespace minke::cli {
namespace {

class NetworkFilters {
 public:
  static Result<NetworkFilters> read(const std::vector<std::string>& texts,
                                     std::initializer_list<std::string_view> known) {
    NetworkFilters read;
    read.filters_ = TRY(parse_filters(texts));
    for (const Filter& filter : read.filters_)
      if (std::find(known.begin(), known.end(), filter.key) == known.end())
        return Error(Errc::invalid_argument, concat("invalid filter ", quote(filter.key)));
    read.names_ = TRY(filter_patterns(read.filters_, "name"));
    for (std::string_view value : filter_values(read.filters_, "until"))
      read.until_.push_back(TRY(filter_time("until", value)));
    for (std::string_view value : filter_values(read.filters_, "dangling"))
      read.dangling_.push_back(TRY(filter_bool("dangling", value)));
    return read;
  }
  bool needs_users() const { return !dangling_.empty(); }

  bool match(const net::Network& network, const std::set<std::string>& used,
             const std::string& default_name) const {
    if (!any_pattern(names_, network.name) || !labels_match(filters_, network.labels)) return false;
    for (TimeNs time : until_)
      if (network.created >= time) return false;
    for (bool unused : dangling_)
      if ((used.contains(network.name) || network.name == default_name) == unused) return false;
    return any_value(filters_, "driver",
                     [&](std::string_view value) { return network.driver == value; }) &&
           any_value(filters_, "id",
                     [&](std::string_view value) { return network.id.starts_with(value); });
  }

 private:
  std::vector<Filter> filters_;
  std::vector<Pattern> names_;
  std::vector<TimeNs> until_;
  std::vector<bool> dangling_;
};

Result<std::set<std::string>> used_networks(engine::Engine& engine) {
  std::set<std::string> used;
  for (const engine::ContainerSummary& container : TRY(engine.list_containers()))
    used.insert(container.networks.begin(), container.networks.end());
  return used;
}

// ---- ls ----

struct LsOptions {
  std::vector<std::string> filter;
  std::string format;
  bool no_trunc = false, no_heading = false, quiet = false;
};
constexpr Option<LsOptions> kLsOptions[] = {
    {"filter", 'f', &LsOptions::filter, "Provide filter values (e.g. 'name=podman')"},
    {"format", 0, &LsOptions::format, "Pretty-print networks to JSON or using a Go template"},
    {"no-trunc", 0, &LsOptions::no_trunc, "Do not truncate the network ID"},
    {"noheading", 'n', &LsOptions::no_heading, "Do not print headers"},
    {"quiet", 'q', &LsOptions::quiet, "display only names"},
};
constexpr OptionTable kLsTables[] = {option_table<LsOptions>(kLsOptions)};

constexpr Column kColumns[] = {
    {"ID", "NETWORK ID"}, {"Name", "NAME"},      {"Driver", "DRIVER"},
    {"Created"},          {"NetworkInterface"},  {"Subnets"},
    {"Routes"},           {"IPv6Enabled"},       {"Internal"},
    {"DNSEnabled"},       {"NetworkDNSServers"}, {"Labels"},
    {"Options"},          {"IPAMOptions"},
};
constexpr std::string_view kDefaultFormat = "table {{.ID}}\t{{.Name}}\t{{.Driver}}";

Result<int> ls(Invocation& call, LsOptions& options) {
  NetworkFilters filters = TRY(NetworkFilters::read(
      options.filter, {"name", "driver", "id", "label", "label!", "until", "dangling"}));
  engine::Engine* engine = TRY(call.engine());
  const net::NetworkStore* store = TRY(engine->networks());
  std::set<std::string> used;
  if (filters.needs_users()) used = TRY(used_networks(*engine));
  std::vector<net::Network> found = TRY(store->list());
  std::erase_if(found, [&](const net::Network& network) {
    return !filters.match(network, used, store->default_name());
  });
  if (options.quiet && options.format.empty()) {
    for (const net::Network& network : found) call.out.line(network.name);
    return 0;
  }
  json::Array rows, json_rows;
  for (const net::Network& network : found) {
    rows.emplace_back(view::network_row(network, !options.no_trunc));
    json_rows.emplace_back(json::to_value(network));
  }
  Listing listing{"ls", kColumns, kDefaultFormat, view::kNetworkShape};
  TRY(write_rows(call.out, listing, {options.format, options.no_heading}, rows, &json_rows));
  return 0;
}

// ---- inspect ----

struct InspectOptions {
  std::string format;
};
constexpr Option<InspectOptions> kInspectOptions[] = {
    {"format", 'f', &InspectOptions::format, "Pretty-print network to JSON or using a Go template"},
};
constexpr OptionTable kInspectTables[] = {option_table<InspectOptions>(kInspectOptions)};

Result<int> inspect(Invocation& call, InspectOptions& options) {
  engine::Engine* engine = TRY(call.engine());
  const net::NetworkStore* store = TRY(engine->networks());
  const bool as_json = options.format.empty() || is_json_format(options.format);
  json::Array items;
  ErrorList errors;
  for (const std::string& name : call.args) {
    auto network = store->find(name);
    if (!network) {
      errors.add(std::move(network.error()).wrap(concat("inspecting object: network ", name)));
      continue;
    }
    items.emplace_back(as_json ? TRY(view::inspect_network(*engine, *network))
                               : TRY(view::network_inspect_row(*engine, *network)));
  }
  TRY(write_inspect(call.out, as_json ? std::string_view() : std::string_view(options.format),
                    items, view::kNetworkShape));
  return finish(std::move(errors));
}

// ---- prune ----

struct PruneOptions {
  std::vector<std::string> filter;
  bool force = false;
};
constexpr Option<PruneOptions> kPruneOptions[] = {
    {"filter", 0, &PruneOptions::filter, "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', &PruneOptions::force, "do not prompt for confirmation"},
};
constexpr OptionTable kPruneTables[] = {option_table<PruneOptions>(kPruneOptions)};

Result<int> prune(Invocation& call, PruneOptions& options) {
  NetworkFilters filters = TRY(NetworkFilters::read(options.filter, {"label", "label!", "until"}));
  if (!options.force &&
      !TRY(confirm(call.out,
                   "WARNING! This will remove all networks not used by at least one container.")))
    return 0;
  engine::Engine* engine = TRY(call.engine());
  ErrorList errors;
  for (const engine::Pruned& network : TRY(engine::prune_networks(
           *engine, [&](const net::Network& n) { return filters.match(n, {}, ""); }, &errors)))
    call.out.line(network.name);
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kNetworkLsCommand =
    make_command<LsOptions, ls>({.summary = "List networks",
                                 .usage = "[options]",
                                 .description = "List networks",
                                 .examples = "",
                                 .args = ArgRule::none()},
                                kLsTables);

const constinit Command kNetworkInspectCommand = make_command<InspectOptions, inspect>(
    {.summary = "Inspect network",
     .usage = "[options] NETWORK [NETWORK...]",
     .description = "Displays the network configuration for one or more networks.",
     .examples = "podman",
     .args = ArgRule::at_least(1)},
    kInspectTables);

const constinit Command kNetworkPruneCommand =
    make_command<PruneOptions, prune>({.summary = "Prune unused networks",
                                       .usage = "[options]",
                                       .description = "Prune unused networks",
                                       .examples = "",
                                       .args = ArgRule::none()},
                                      kPruneTables);

}  // namespace minke::cli
