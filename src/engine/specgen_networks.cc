// --network and what goes with it: networks, addresses and published ports of a container.
#include <algorithm>

#include "base/log.h"
#include "base/str.h"
#include "engine/network_helper.h"
#include "engine/parse.h"
#include "engine/specgen_internal.h"

namespace minke::engine {
namespace {

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

constexpr std::string_view kModes[] = {"bridge",  "slirp4netns", "pasta", "pod",       "none",
                                       "default", "private",     "ns",    "container", "host"};

bool is_mode(std::string_view word) {
  return std::find(std::begin(kModes), std::end(kModes), word) != std::end(kModes);
}

// ip=,ip6=,mac=,alias=,interface_name= of one network.
Status parse_network_options(std::string_view text, NetworkChoice* choice) {
  for (std::string_view word : split(text, ',')) {
    auto pair = split_once(word, '=');
    std::string_view key = pair ? pair->first : word;
    std::string value(pair ? pair->second : std::string_view());
    if (key == "ip" || key == "ip6") {
      auto address = net::IpAddress::parse(value);
      if (!address) return invalid(concat("invalid ip address ", quote(value)));
      (address->v6 ? choice->ip6 : choice->ip) = *address;
    } else if (key == "mac") {
      auto mac = net::MacAddress::parse(value);
      if (!mac) return invalid(concat("address ", value, ": invalid MAC address"));
      choice->mac = *mac;
    } else if (key == "alias") {
      if (value.empty()) return invalid("alias cannot be empty");
      choice->aliases.push_back(std::move(value));
    } else if (key == "interface_name") {
      if (value.empty()) return invalid("interface_name cannot be empty");
      choice->interface = std::move(value);
    } else {
      return invalid(concat("unknown bridge network option: ", key));
    }
  }
  return {};
}

Result<NetworkChoice> parse_choice(std::string_view text) {
  NetworkChoice choice;
  auto parts = split_once(text, ':');
  choice.network = parts ? parts->first : text;
  if (choice.network.empty()) return invalid("network name cannot be empty");
  if (parts)
    TRY_CTX(parse_network_options(parts->second, &choice),
            concat("invalid option for network ", choice.network));
  return choice;
}

// Names that mean one network twice are one, with all that was said of it.
void add_choice(NetworkChoice choice, std::vector<NetworkChoice>* choices) {
  for (NetworkChoice& other : *choices) {
    if (other.network != choice.network) continue;
    if (choice.ip) other.ip = choice.ip;
    if (choice.ip6) other.ip6 = choice.ip6;
    if (choice.mac) other.mac = choice.mac;
    if (!choice.interface.empty()) other.interface = choice.interface;
    for (std::string& alias : choice.aliases)
      if (std::find(other.aliases.begin(), other.aliases.end(), alias) == other.aliases.end())
        other.aliases.push_back(std::move(alias));
    return;
  }
  choices->push_back(std::move(choice));
}

Status check_interfaces(std::vector<NetworkChoice>* choices) {
  auto taken = [choices](const std::string& name) {
    return std::count_if(choices->begin(), choices->end(),
                         [&](const NetworkChoice& c) { return c.interface == name; });
  };
  constexpr std::size_t kMax = 15;  // IFNAMSIZ less the NUL
  for (NetworkChoice& choice : *choices) {
    const std::string& name = choice.interface;
    if (name.empty()) continue;
    if (name.size() > kMax || name == "lo" || name == "." || name == ".." ||
        name.find_first_of("/: \t\n") != std::string::npos)
      return invalid(concat("interface_name ", quote(name), " is no name of an interface"));
    if (taken(name) > 1)
      return invalid(concat("interface_name ", quote(name), " is given to two networks"));
  }
  int number = 0;
  for (NetworkChoice& choice : *choices) {
    if (!choice.interface.empty()) continue;
    while (taken(concat("eth", number)) > 0) ++number;
    choice.interface = concat("eth", number);
  }
  return {};
}

// -P: what is exposed and not published yet gets a port of the host's choice.
Status publish_exposed(const std::vector<std::string>& expose,
                       std::vector<net::PortMapping>* ports) {
  const std::vector<net::PortMapping> asked = *ports;
  for (const std::string& text : expose) {
    net::PortMapping port = TRY(net::parse_exposed(text));
    bool there = std::any_of(asked.begin(), asked.end(), [&](const net::PortMapping& other) {
      return other.protocol == port.protocol && port.container_port >= other.container_port &&
             port.container_port < other.container_port + other.range;
    });
    if (!there) ports->push_back(port);
  }
  return {};
}

Status take_networks(const CreateRequest& request, const ResolveContext& context,
                     ContainerConfig* config) {
  std::vector<NetworkChoice> asked = request.networks;
  if (asked.empty()) asked.emplace_back();
  for (NetworkChoice& choice : asked) {
    std::string_view name = choice.network == "default" ? "" : std::string_view(choice.network);
    net::Network network = TRY(context.find_network(name));
    choice.network = network.name;
    add_choice(std::move(choice), &config->networks);
  }
  return check_interfaces(&config->networks);
}

}  // namespace

Status parse_networks(const std::vector<std::string>& texts, CreateRequest* request) {
  if (texts.empty()) return {};
  const std::string& first = texts[0];
  auto parts = split_once(first, ':');
  std::string_view word = parts ? parts->first : std::string_view(first);
  if (!is_mode(word) || word == "bridge") {
    request->network.mode = "bridge";
    if (word == "bridge") {
      NetworkChoice choice;
      choice.network = "default";
      if (parts) TRY(parse_network_options(parts->second, &choice));
      add_choice(std::move(choice), &request->networks);
    } else if (parts) {
      NetworkChoice choice = TRY(parse_choice(first));
      add_choice(std::move(choice), &request->networks);
    } else {
      for (std::string_view name : split(first, ',')) {
        NetworkChoice choice = TRY(parse_choice(name));
        add_choice(std::move(choice), &request->networks);
      }
    }
  } else {
    request->network = TRY(parse_namespace("network", first));
    if (request->network.mode == "private") request->network.mode.clear();
  }
  const bool bridge = request->network.mode == "bridge" || request->network.mode.empty();
  if (texts.size() > 1 && !bridge)
    return invalid(
        concat("cannot set multiple networks without bridge network mode, selected mode ",
               request->network.mode, ": invalid argument"));
  for (std::size_t i = 1; i < texts.size(); ++i) {
    NetworkChoice choice = TRY(parse_choice(texts[i]));
    if (is_mode(choice.network))
      return invalid(concat("can only set extra network names, selected mode ", choice.network,
                            " conflicts with bridge: invalid argument"));
    request->network.mode = "bridge";
    add_choice(std::move(choice), &request->networks);
  }
  return {};
}

Status resolve_networks(const CreateRequest& request, const ResolveContext& context,
                        ContainerConfig* config) {
  const bool helped = is_helper_mode(config->network_mode);
  if (config->network_mode != "bridge" && !helped) {
    // As Podman: neither a fault nor kept.
    if (!request.ports.empty() || request.publish_all)
      log::warn(
          "Port mappings have been discarded as one of the Host, Container, Pod, and None network "
          "modes are in use");
    return {};
  }
  if (!helped) TRY(take_networks(request, context, config));
  config->ports = request.ports;
  for (const net::PortMapping& port : config->ports)
    if (!helped && port.protocol == net::Protocol::sctp && context.host->rootless)
      return Error(Errc::unsupported, concat("published port ", port.container_port,
                                             "/sctp is not supported for users: tcp and udp are"));
  if (request.publish_all) TRY(publish_exposed(config->expose, &config->ports));
  config->ports = TRY(net::merge_ports(std::move(config->ports)));
  if (helped) return check_network_helper(*config, *context.host);
  return {};
}

}  // namespace minke::engine
