#include "net/helper_mode.h"

#include <net/if.h>

#include <algorithm>

#include "base/str.h"
#include "codec/json.h"

namespace minke::net {
namespace {

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

Status set_bool(std::string_view key, std::string_view value, bool* out) {
  auto parsed = parse_bool(value);
  if (!parsed) return invalid(concat("invalid value of ", key, " for slirp4netns: ", quote(value)));
  *out = *parsed;
  return {};
}

bool is_source(const std::string& value, bool v6) {
  auto address = IpAddress::parse(value);
  if (address) return address->v6 == v6;
  return ::if_nametoindex(value.c_str()) != 0;
}

Status set_option(std::string_view key, std::string_view value, SlirpOptions* options) {
  constexpr std::uint64_t kSmallestMtu = 68, kLargestMtu = 65521;
  if (key == "cidr") {
    auto cidr = IpPrefix::parse(value);
    // Its own addresses are the second, the third and the hundredth of the range.
    if (!cidr || cidr->address.v6 || cidr->length > 25)
      return invalid(concat("invalid cidr ", quote(value)));
    options->cidr = cidr->masked();
  } else if (key == "port_handler") {
    if (value != "slirp4netns" && value != "rootlesskit")
      return invalid(concat("unknown port_handler for slirp4netns: ", quote(value)));
    options->port_handler = value;
  } else if (key == "allow_host_loopback") {
    return set_bool(key, value, &options->host_loopback);
  } else if (key == "enable_ipv6") {
    return set_bool(key, value, &options->ipv6);
  } else if (key == "outbound_addr") {
    options->outbound = value;
    if (!is_source(options->outbound, false))
      return invalid(concat("invalid outbound_addr ", quote(value)));
  } else if (key == "outbound_addr6") {
    options->outbound6 = value;
    if (!is_source(options->outbound6, true))
      return invalid(concat("invalid outbound_addr6: ", quote(value)));
  } else if (key == "mtu") {
    auto mtu = parse_uint(value);
    if (!mtu || *mtu < kSmallestMtu || *mtu > kLargestMtu)
      return invalid(concat("invalid mtu ", quote(value)));
    options->mtu = static_cast<std::uint32_t>(*mtu);
  } else {
    return invalid(concat("unknown option for slirp4netns: ", quote(concat(key, "=", value))));
  }
  return {};
}

// ADDRESS/PORTS:PORTS of pasta's -t and -u.
std::string pasta_port(const PortMapping& port) {
  auto range = [&](std::uint16_t first) {
    return port.range > 1 ? concat(first, "-", first + port.range - 1) : concat(first);
  };
  std::string out = port.host_ip ? concat(port.host_ip->text(), "/") : std::string();
  return concat(out, range(port.host_port), ":", range(port.container_port));
}

}  // namespace

Result<SlirpOptions> parse_slirp_options(std::string_view text) {
  SlirpOptions options;
  if (text.empty()) return options;
  for (std::string_view word : split(text, ',')) {
    auto pair = split_once(word, '=');
    if (!pair) return invalid(concat("unknown option for slirp4netns: ", quote(word)));
    TRY(set_option(pair->first, pair->second, &options));
  }
  if (!options.outbound6.empty() && !options.ipv6)
    return invalid("outbound_addr6 requires enable_ipv6=true");
  return options;
}

IpAddress slirp_address(const SlirpOptions& options) { return options.cidr.network().plus(100); }
IpAddress slirp_gateway(const SlirpOptions& options) { return options.cidr.network().plus(2); }
IpAddress slirp_resolver(const SlirpOptions& options) { return options.cidr.network().plus(3); }

Attachment slirp_device(const SlirpOptions& options) {
  // slirp4netns' own range and gateway of IPv6, which cannot be chosen.
  const IpAddress range6 = *IpAddress::parse("fd00::");
  constexpr std::uint64_t kOwn6 = 0x100, kGateway6 = 2;
  Attachment device;
  device.network = device.driver = "slirp4netns";  // a word that no network may be called
  device.interface = kHelperInterface;
  device.addresses.push_back({slirp_address(options), options.cidr.length});
  device.gateways.push_back(slirp_gateway(options));
  if (options.ipv6) {
    device.addresses.push_back({range6.plus(kOwn6), 64});
    device.gateways.push_back(range6.plus(kGateway6));
  }
  return device;
}

Result<std::vector<std::string>> slirp_argv(const std::string& program, const std::string& help,
                                            const SlirpOptions& options,
                                            const std::string& api_socket) {
  std::vector<std::string> argv = {program, "--configure", concat("--mtu=", options.mtu)};
  auto knows = [&](std::string_view option) { return help.find(option) != std::string::npos; };
  Status asked;
  auto want = [&](const char* option, const std::string& value, bool needed) {
    if (knows(option))
      argv.push_back(value.empty() ? std::string(option) : concat(option, "=", value));
    else if (needed && asked)
      asked = Error(Errc::unsupported, concat(program, " is too old: it has no ", option));
  };
  if (!options.host_loopback) want("--disable-host-loopback", "", true);
  want("--enable-seccomp", "", false);
  if (options.ipv6) want("--enable-ipv6", "", false);
  SlirpOptions usual;
  if (options.cidr != usual.cidr) want("--cidr", options.cidr.text(), true);
  if (!options.outbound.empty()) want("--outbound-addr", options.outbound, true);
  if (!options.outbound6.empty()) want("--outbound-addr6", options.outbound6, true);
  if (!api_socket.empty()) want("--api-socket", api_socket, true);
  want("--netns-type", "path", true);
  want("--ready-fd", "4", true);
  want("--exit-fd", "5", true);
  TRY(std::move(asked));
  argv.emplace_back("/proc/self/fd/3");
  argv.emplace_back(kHelperInterface);
  return argv;
}

Result<std::string> slirp_forward_request(const PortMapping& port, std::uint16_t index,
                                          const SlirpOptions& options) {
  if (port.protocol == Protocol::sctp)
    return Error(Errc::unsupported, "slirp4netns does not forward SCTP");
  if (port.host_ip && port.host_ip->v6)
    return Error(Errc::unsupported, concat("slirp4netns does not listen on IPv6 addresses (",
                                           port.host_ip->text(), "): use a bridge network"));
  json::Object arguments, request;
  arguments.set("proto", protocol_name(port.protocol));
  arguments.set("host_addr", port.host_ip ? port.host_ip->text() : std::string("0.0.0.0"));
  arguments.set("host_port", port.host_port + index);
  arguments.set("guest_addr", slirp_address(options).text());
  arguments.set("guest_port", port.container_port + index);
  request.set("execute", "add_hostfwd");
  request.set("arguments", std::move(arguments));
  return json::dump(json::Value(std::move(request)));
}

Status check_slirp_answer(std::string_view answer) {
  json::Value parsed = TRY_CTX(json::parse(answer), "slirp4netns");
  const json::Value* error = parsed.find("error");
  if (error == nullptr) return {};
  const json::Value* words = error->find("desc");
  return Error(Errc::unavailable,
               concat("slirp4netns: ", words != nullptr ? words->string_or("refused") : "refused"));
}

Result<std::vector<std::string>> pasta_argv(const std::string& program, const std::string& help,
                                            std::string_view options,
                                            const std::vector<PortMapping>& ports,
                                            const std::string& pid_file) {
  std::vector<std::string> argv = {program, "--config-net", "--pid", pid_file}, extra;
  if (!options.empty())
    for (std::string_view word : split(options, ',')) extra.emplace_back(word);
  bool has[2] = {};
  for (const PortMapping& port : ports) {
    if (port.protocol == Protocol::sctp)
      return Error(Errc::unsupported, "pasta does not forward SCTP");
    bool udp = port.protocol == Protocol::udp;
    has[udp] = true;
    argv.emplace_back(udp ? "-u" : "-t");
    argv.push_back(pasta_port(port));
  }
  auto said = [&](std::initializer_list<std::string_view> names) {
    return std::any_of(extra.begin(), extra.end(), [&](const std::string& word) {
      return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return word == name || word.starts_with(concat(name, "="));
      });
    });
  };
  // Nothing is open that nobody has asked for.
  if (!has[0] && !said({"-t", "--tcp-ports"})) argv.insert(argv.end(), {"-t", "none"});
  if (!has[1] && !said({"-u", "--udp-ports"})) argv.insert(argv.end(), {"-u", "none"});
  if (!said({"-T", "--tcp-ns"})) argv.insert(argv.end(), {"-T", "none"});
  if (!said({"-U", "--udp-ns"})) argv.insert(argv.end(), {"-U", "none"});
  // Not one of pasta's: Podman's way to undo its default.
  bool map = std::find(extra.begin(), extra.end(), "--map-gw") != extra.end();
  std::erase(extra, "--map-gw");
  auto knows = [&](std::string_view option) { return help.find(option) != std::string::npos; };
  if (!map && !said({"--no-map-gw"}) && knows("--no-map-gw")) argv.emplace_back("--no-map-gw");
  if (!said({"--dns-forward"}) && knows("--dns-forward"))
    argv.insert(argv.end(), {"--dns-forward", kPastaResolver});
  if (!said({"--map-guest-addr"}) && knows("--map-guest-addr"))
    argv.insert(argv.end(), {"--map-guest-addr", kPastaHost});
  argv.insert(argv.end(), extra.begin(), extra.end());
  for (const char* word : {"--quiet", "--netns", "/proc/self/fd/3"}) argv.emplace_back(word);
  return argv;
}

bool has_word(const std::vector<std::string>& argv, std::string_view option) {
  return std::find(argv.begin(), argv.end(), option) != argv.end();
}

}  // namespace minke::net
