// network create, rm, update, connect, disconnect and reload.
#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/pairs.h"
#include "cli/select.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

// ---- create ----

struct CreateOptions {
  bool disable_dns = false, ignore = false, internal = false;
  std::optional<bool> ipv6;
  std::string driver = "bridge", ipam_driver, interface_name;
  std::vector<std::string> dns, gateway, ip_range, label, opt, route, subnet;
};
using O = CreateOptions;
constexpr Option<O> kCreateOptions[] = {
    {"disable-dns", 0, &O::disable_dns, "Disable dns plugin"},
    {"dns", 0, &O::dns, "DNS servers this network will use", {.csv = true}},
    {"driver", 'd', &O::driver, "driver to manage the network"},
    {"gateway", 0, &O::gateway, "IPv4 or IPv6 gateway for the subnet", {.csv = true}},
    {"ignore", 0, &O::ignore, "Don't fail if network already exists"},
    {"interface-name", 0, &O::interface_name, "interface name which is used by the driver"},
    {"internal", 0, &O::internal, "restrict external access from this network"},
    {"ip-range", 0, &O::ip_range, "allocate container IP from range"},
    {"ipam-driver", 0, &O::ipam_driver, "IP Address Management Driver"},
    {"ipv6", 0, &O::ipv6,
     "enable IPv6 networking (the default where no subnet is given and the host has IPv6)"},
    {"label", 0, &O::label, "set metadata on a network"},
    {"opt", 'o', &O::opt, "Set driver specific options (default [])"},
    {"route", 0, &O::route, "static routes"},
    {"subnet", 0, &O::subnet, "subnets in CIDR format"},
};
constexpr OptionTable kCreateTables[] = {option_table<O>(kCreateOptions)};

Status add_subnets(const CreateOptions& options, net::NetworkRequest* request) {
  if (options.subnet.empty() && !(options.gateway.empty() && options.ip_range.empty()))
    return invalid("cannot set gateway or range without subnet");
  if (options.gateway.size() > options.subnet.size())
    return invalid("cannot set more gateways than subnets");
  if (options.ip_range.size() > options.subnet.size())
    return invalid("cannot set more ranges than subnets");
  for (std::size_t i = 0; i < options.subnet.size(); ++i) {
    net::Subnet subnet;
    auto prefix = net::IpPrefix::parse(options.subnet[i]);
    if (!prefix) return invalid(concat("invalid CIDR address: ", options.subnet[i]));
    subnet.subnet = *prefix;
    if (i < options.gateway.size()) {
      auto gateway = net::IpAddress::parse(options.gateway[i]);
      if (!gateway)
        return invalid(
            concat("invalid gateway: ", quote(options.gateway[i]), " is not an IP address"));
      subnet.gateway = *gateway;
    }
    if (i < options.ip_range.size())
      subnet.lease_range = TRY(net::parse_range(options.ip_range[i]));
    request->subnets.push_back(subnet);
  }
  return {};
}

Result<int> create(Invocation& call, CreateOptions& options) {
  net::NetworkRequest request;
  if (!call.args.empty()) {
    request.name = call.args[0];
    TRY(net::check_network_name(request.name));
  }
  request.driver = options.driver;
  request.ipv6 = options.ipv6;
  request.internal = options.internal;
  request.disable_dns = options.disable_dns;
  request.dns_servers = options.dns;
  request.ipam_driver = options.ipam_driver;
  request.interface = options.interface_name;
  request.labels = TRY(key_values(options.label, "label"));
  request.options = TRY(key_values(options.opt, "option"));
  TRY(add_subnets(options, &request));
  for (const std::string& text : options.route)
    request.routes.push_back(TRY(net::parse_route(text)));
  engine::Engine* engine = TRY(call.engine());
  auto network = engine->create_network(request);
  if (!network && options.ignore && network.error().code() == Errc::already_exists &&
      !request.name.empty() && TRY(engine->networks())->load(request.name)) {
    call.out.line(request.name);
    return 0;
  }
  if (!network) return std::move(network.error());
  call.out.line(network->name);
  return 0;
}

// ---- rm ----

struct RmOptions {
  bool force = false;
  std::optional<std::int64_t> time;
};
constexpr Option<RmOptions> kRmOptions[] = {
    {"force", 'f', &RmOptions::force, "remove any containers using network"},
    {"time",
     't',
     &RmOptions::time,
     "`Seconds` to wait for running containers to stop before killing the container",
     {.alias = "timeout", .shown_default = "10"}},
};
constexpr OptionTable kRmTables[] = {option_table<RmOptions>(kRmOptions)};

Result<int> rm(Invocation& call, RmOptions& options) {
  if (options.time && !options.force)
    return invalid("--force option must be specified to use the --time option");
  engine::Engine* engine = TRY(call.engine());
  ErrorList errors;
  int code = kExitFault;
  for (const std::string& name : call.args) {
    Status removed = engine->remove_network(name, options.force, options.time);
    if (removed) {
      call.out.line(name);
    } else if (removed.error().code() != Errc::not_found) {
      if (removed.error().code() == Errc::in_use) code = 2;
      errors.add(std::move(removed));
    } else if (!options.force) {
      if (code == kExitFault) code = 1;
      errors.add(std::move(removed));
    }
  }
  auto done = finish(std::move(errors));
  if (done) return done;
  return std::move(done.error()).with_exit(code);
}

// ---- update ----

struct UpdateOptions {
  std::vector<std::string> dns_add, dns_drop;
};
constexpr Option<UpdateOptions> kUpdateOptions[] = {
    {"dns-add", 0, &UpdateOptions::dns_add, "add network level nameservers", {.csv = true}},
    {"dns-drop", 0, &UpdateOptions::dns_drop, "remove network level nameservers", {.csv = true}},
};
constexpr OptionTable kUpdateTables[] = {option_table<UpdateOptions>(kUpdateOptions)};

Result<int> update(Invocation& call, UpdateOptions& options) {
  engine::Engine* engine = TRY(call.engine());
  TRY(engine->update_network(call.args[0], options.dns_add, options.dns_drop));
  call.out.line(call.args[0]);
  return 0;
}

// ---- connect and disconnect ----

struct ConnectOptions {
  std::vector<std::string> alias;
  std::string ip, ip6, mac_address;
};
constexpr Option<ConnectOptions> kConnectOptions[] = {
    {"alias", 0, &ConnectOptions::alias, "network scoped alias for container", {.csv = true}},
    {"ip",
     0,
     &ConnectOptions::ip,
     "set a static ipv4 address for this container network",
     {.value_name = "ip"}},
    {"ip6",
     0,
     &ConnectOptions::ip6,
     "set a static ipv6 address for this container network",
     {.value_name = "ip"}},
    {"mac-address", 0, &ConnectOptions::mac_address,
     "set a static mac address for this container network"},
};
constexpr OptionTable kConnectTables[] = {option_table<ConnectOptions>(kConnectOptions)};

Status read_address(const char* option, const std::string& text, bool v6,
                    std::optional<net::IpAddress>* out) {
  if (text.empty()) return {};
  auto address = net::IpAddress::parse(text);
  if (!address || address->v6 != v6)
    return invalid(concat("invalid argument ", quote(text), " for ", quote(option),
                          " flag: failed to parse IP: ", quote(text)));
  *out = *address;
  return {};
}

Result<int> connect(Invocation& call, ConnectOptions& options) {
  engine::NetworkChoice choice;
  choice.network = call.args[0];
  choice.aliases = options.alias;
  TRY(read_address("--ip", options.ip, false, &choice.ip));
  TRY(read_address("--ip6", options.ip6, true, &choice.ip6));
  if (!options.mac_address.empty()) {
    auto mac = net::MacAddress::parse(options.mac_address);
    if (!mac) return invalid(concat("address ", options.mac_address, ": invalid MAC address"));
    choice.mac = *mac;
  }
  engine::Engine* engine = TRY(call.engine());
  std::string id = TRY(engine->resolve_id(call.args[1]));
  TRY(engine->connect_network(id, choice));
  return 0;
}

struct DisconnectOptions {
  bool force = false;
};
constexpr Option<DisconnectOptions> kDisconnectOptions[] = {
    {"force", 'f', &DisconnectOptions::force, "force removal of container from network"},
};
constexpr OptionTable kDisconnectTables[] = {option_table<DisconnectOptions>(kDisconnectOptions)};

Result<int> disconnect(Invocation& call, DisconnectOptions& options) {
  engine::Engine* engine = TRY(call.engine());
  std::string id = TRY(engine->resolve_id(call.args[1]));
  TRY(engine->disconnect_network(id, call.args[0], options.force));
  return 0;
}

// ---- reload ----

struct ReloadOptions {
  bool all = false, latest = false;
};
constexpr Option<ReloadOptions> kReloadOptions[] = {
    {"all", 'a', &ReloadOptions::all, "Reload network configuration of all containers"},
    {"latest", 'l', &ReloadOptions::latest, "Act on the latest container"},
};
constexpr OptionTable kReloadTables[] = {option_table<ReloadOptions>(kReloadOptions)};

Result<int> reload(Invocation& call, ReloadOptions& options) {
  SelectFlags flags;
  flags.latest = options.latest;
  flags.all = options.all;
  TRY(check_selection(flags, call.args.size()));
  engine::Engine* engine = TRY(call.engine());
  Selection selection;
  if (options.all) {
    // Those that have something to reload.
    for (const engine::ContainerSummary& container : TRY(engine->list_containers()))
      if (container.pid > 0 && !container.networks.empty())
        selection.containers.push_back({container.id, container.id});
  } else {
    selection = TRY(select(*engine, flags, call.args));
  }
  for (Selected& one : selection.containers) one.typed = one.id;  // as Podman prints it
  return for_each_selected(call, std::move(selection), [engine](const Selected& one) {
    return engine->reload_network(one.id);
  });
}

// ---- exists ----

struct NoOptions {};
Result<int> exists(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  auto found = TRY(engine->networks())->find(call.args[0]);
  if (found) return 0;
  if (found.error().code() == Errc::not_found) return 1;
  return std::move(found.error());
}

}  // namespace

const constinit Command kNetworkCreateCommand =
    make_command<CreateOptions, create>({.summary = "Create networks for containers and pods",
                                         .usage = "[options] [NAME]",
                                         .description = "create networks for containers and pods",
                                         .examples = "podman1",
                                         .args = ArgRule::at_most(1)},
                                        kCreateTables);

const constinit Command kNetworkRmCommand =
    make_command<RmOptions, rm>({.summary = "Remove networks",
                                 .usage = "[options] NETWORK [NETWORK...]",
                                 .description = "Remove networks",
                                 .examples = "podman",
                                 .args = ArgRule::at_least(1)},
                                kRmTables);

const constinit Command kNetworkUpdateCommand = make_command<UpdateOptions, update>(
    {.summary = "Update an existing network",
     .usage = "[options] NETWORK",
     .description = "Add and remove the DNS servers that a network asks",
     .examples = "--dns-add 9.9.9.9 net1\n--dns-drop 9.9.9.9 net1",
     .args = ArgRule::exactly(1)},
    kUpdateTables);

const constinit Command kNetworkConnectCommand =
    make_command<ConnectOptions, connect>({.summary = "Add container to a network",
                                           .usage = "[options] NETWORK CONTAINER",
                                           .description = "Add container to a network",
                                           .examples = "web secondary",
                                           .args = ArgRule::exactly(2)},
                                          kConnectTables);

const constinit Command kNetworkDisconnectCommand =
    make_command<DisconnectOptions, disconnect>({.summary = "Disconnect a container from a network",
                                                 .usage = "[options] NETWORK CONTAINER",
                                                 .description = "Remove container from a network",
                                                 .examples = "web secondary",
                                                 .args = ArgRule::exactly(2)},
                                                kDisconnectTables);

const constinit Command kNetworkReloadCommand = make_command<ReloadOptions, reload>(
    {.summary = "Reload firewall rules for one or more containers",
     .usage = "[options] [CONTAINER...]",
     .description = "reload container networks, recreating firewall rules",
     .examples = "--latest\n3c13ef6dd843\ntest1 test2"},
    kReloadTables);

const constinit Command kNetworkExistsCommand = make_command<NoOptions, exists>(
    {.summary = "Check if network exists",
     .usage = "NETWORK",
     .description = "If the named network exists, the command exits with 0, otherwise the exit "
                    "code will be 1.",
     .examples = "net1",
     .args = ArgRule::exactly(1)});

}  // namespace minke::cli
