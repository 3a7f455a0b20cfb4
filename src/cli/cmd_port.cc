#include "base/str.h"
#include "cli/commands.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct PortFlags {
  bool all = false, latest = false;
};
using F = PortFlags;
constexpr Option<F> kOptions[] = {
    {"all", 'a', &F::all, "Display port information for all containers"},
    {"latest", 'l', &F::latest, "Act on the latest container"},
};
constexpr OptionTable kTables[] = {option_table<F>(kOptions)};

struct Wanted {
  std::uint16_t port = 0;
  net::Protocol protocol = net::Protocol::tcp;
};
// PORT or PORT/PROTOCOL, as Podman reads it.
Result<Wanted> read_port(std::string_view text) {
  auto parts = split_once(text, '/');
  std::string_view number = parts ? parts->first : text;
  Wanted wanted;
  auto port = parse_uint(number);
  if (!port)
    return Error(Errc::invalid_argument,
                 concat("strconv.ParseUint: parsing ", quote(number), ": invalid syntax"));
  if (*port > 65535)
    return Error(Errc::invalid_argument,
                 concat("strconv.ParseUint: parsing ", quote(number), ": value out of range"));
  wanted.port = static_cast<std::uint16_t>(*port);
  if (!parts) return wanted;
  auto protocol = net::parse_protocol(parts->second);
  if (!protocol)
    return Error(Errc::not_found, concat("failed to find published port ", quote(text)));
  wanted.protocol = *protocol;
  return wanted;
}

std::string host_text(const net::PortMapping& port, int offset) {
  std::string ip = port.host_ip ? port.host_ip->text() : "0.0.0.0";
  if (port.host_ip && port.host_ip->v6) ip = concat("[", ip, "]");
  return concat(ip, ":", port.host_port + offset);
}

// Ports of a container that shares another's network are those of the other.
Result<engine::ContainerSummary> port_owner(engine::Engine& engine, const std::string& id) {
  engine::ContainerSummary container = TRY(engine.summary(id));
  constexpr std::string_view kShared = "container:";
  if (!container.network_mode.starts_with(kShared)) return container;
  auto other = engine.summary(container.network_mode.substr(kShared.size()));
  return other ? std::move(*other) : std::move(container);
}

// With --all each line begins with the container.
Status print_ports(Invocation& call, const engine::ContainerSummary& container,
                   const std::string& before, const std::optional<std::string>& asked) {
  std::optional<Wanted> wanted;
  if (asked) wanted = TRY(read_port(*asked));
  bool found = false;
  if (container.pid > 0)
    for (const net::PortMapping& port : container.ports)
      for (int i = 0; i < port.range; ++i) {
        const int number = port.container_port + i;
        if (wanted && (wanted->port != number || wanted->protocol != port.protocol)) continue;
        found = true;
        if (wanted)
          call.out.line(host_text(port, i));
        else
          call.out.line(concat(before, number, "/", net::protocol_name(port.protocol), " -> ",
                               host_text(port, i)));
      }
  // As Podman: a container that publishes nothing is no fault.
  if (wanted && !found && container.pid > 0 && !container.ports.empty())
    return Error(Errc::not_found, concat("failed to find published port ", quote(*asked)));
  return {};
}

Result<int> port(Invocation& call, PortFlags& flags) {
  auto invalid = [](const char* text) { return Error(Errc::invalid_argument, text); };
  std::vector<std::string> words = call.args;
  if (flags.all && flags.latest) return invalid("--all and --latest cannot be used together");
  if (flags.all && !words.empty()) return invalid("no arguments are needed with --all");
  if (!flags.all && !flags.latest && words.empty())
    return invalid("you must supply a running container name or id");
  engine::Engine* engine = TRY(call.engine());
  if (flags.all) {
    for (const engine::ContainerSummary& container : TRY(engine->list_containers()))
      TRY(print_ports(call, container, container.id.substr(0, 12) + "\t", std::nullopt));
    return 0;
  }
  std::string id;
  if (flags.latest) {
    id = TRY(engine->latest_id());
  } else {
    id = TRY(engine->resolve_id(words[0]));
    words.erase(words.begin());
  }
  engine::ContainerSummary container = TRY(port_owner(*engine, id));
  TRY(print_ports(call, container, "",
                  words.empty() ? std::nullopt : std::optional<std::string>(words[0])));
  return 0;
}

}  // namespace

const constinit Command kPortCommand = make_command<PortFlags, port>(
    {.summary = "List port mappings or a specific mapping for the container",
     .usage = "[options] CONTAINER [PORT]",
     .description = "List port mappings for the CONTAINER, or look up the public-facing port that "
                    "is NAT-ed to the PRIVATE_PORT",
     .examples = "--all\nctrID 80/tcp\n--latest 80",
     .args = ArgRule::at_most(2)},
    kTables);

}  // namespace minke::cli
