// --network and the options around it, as a request.
#include "base/str.h"
#include "cli/container_flags.h"
#include "engine/parse.h"

namespace minke::cli {
namespace {

using engine::CreateRequest;
using engine::NetworkChoice;

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

Status read_ip(const std::string& text, bool v6, std::optional<net::IpAddress>* out) {
  auto address = net::IpAddress::parse(text);
  if (!address) return invalid(concat(quote(text), " is not an ip address"));
  if (address->v6 != v6)
    return invalid(concat("address ", quote(text), " is not of IPv", v6 ? "6" : "4", ": use --ip",
                          v6 ? "" : "6"));
  *out = *address;
  return {};
}

// HOST[;HOST...]:IP. Podman's texts.
Status check_host_entry(std::string_view entry) {
  auto pair = split_once(entry, ':');
  if (!pair || pair->first.empty())
    return invalid(concat("bad format for add-host: ", quote(entry)));
  if (pair->second == "host-gateway" || net::IpAddress::parse(pair->second)) return {};
  return invalid(concat("invalid IP address in add-host: ", quote(pair->second)));
}

// What is said of the one network beside --network.
Status read_single(const ContainerFlags& f, NetworkChoice* choice) {
  if (!f.ip.empty()) TRY(read_ip(f.ip, false, &choice->ip));
  if (!f.ip6.empty()) TRY(read_ip(f.ip6, true, &choice->ip6));
  if (f.mac_address.empty()) return {};
  auto mac = net::MacAddress::parse(f.mac_address);
  if (!mac) return invalid(concat("address ", f.mac_address, ": invalid MAC address"));
  choice->mac = *mac;
  return {};
}

}  // namespace

Status set_networks(const ContainerFlags& f, CreateRequest* r) {
  TRY(engine::parse_networks(f.network, r));
  struct Row {
    const char* option;
    bool given;
    bool single;  // of one network alone
  };
  bool any = false;
  for (const Row& row : {Row{"--ip", !f.ip.empty(), true}, Row{"--ip6", !f.ip6.empty(), true},
                         Row{"--mac-address", !f.mac_address.empty(), true},
                         Row{"--network-alias", !f.network_alias.empty(), false}}) {
    if (!row.given) continue;
    any = true;
    if (!r->network.mode.empty() && r->network.mode != "bridge")
      return invalid(
          concat(row.option, " can only be set when the network mode is bridge: invalid argument"));
    if (row.single && r->networks.size() > 1)
      return invalid(concat(row.option, " can only be set for a single network: invalid argument"));
  }
  if (any) {
    r->network.mode = "bridge";
    if (r->networks.empty()) r->networks.emplace_back().network = "default";
    TRY(read_single(f, &r->networks[0]));
    for (NetworkChoice& choice : r->networks)
      choice.aliases.insert(choice.aliases.end(), f.network_alias.begin(), f.network_alias.end());
  }
  for (const std::string& text : f.publish) r->ports.push_back(TRY(net::parse_publish(text)));
  r->publish_all = f.publish_all;
  if (f.no_hosts && !f.add_host.empty())
    return invalid("--no-hosts and --add-host cannot be set together");
  if (!f.hosts_file.empty()) {
    if (f.no_hosts) return invalid("--no-hosts and --hosts-file cannot be set together");
    if (!f.hosts_file.starts_with('/') && f.hosts_file != "none" && f.hosts_file != "image")
      return invalid(concat("--hosts-file ", f.hosts_file, ": must be a path, none or image"));
    r->defaults.base_hosts_file = f.hosts_file;
  }
  for (const std::string& entry : f.add_host) TRY(check_host_entry(entry));
  r->no_hosts = f.no_hosts;
  r->no_hostname = f.no_hostname;
  r->add_hosts = f.add_host;
  r->dns = f.dns;
  r->dns_search = f.dns_search;
  r->dns_options = f.dns_option;
  r->expose = f.expose;
  return {};
}

}  // namespace minke::cli
