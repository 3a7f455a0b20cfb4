#include "view/network.h"

#include <algorithm>

#include "base/str.h"
#include "engine/network_helper.h"
#include "engine/records.h"
#include "view/json_make.h"

namespace minke::view {
namespace {

using gotemplate::FieldKind;
constexpr gotemplate::FieldShape kFields[] = {
    {"Created", FieldKind::time},    {"Options", FieldKind::map},
    {"IPAMOptions", FieldKind::map}, {"Subnets", FieldKind::list},
    {"Routes", FieldKind::list},     {"NetworkDNSServers", FieldKind::list},
    {"Containers", FieldKind::map},  {"Containers.Interfaces", FieldKind::map},
};

json::Array subnets_row(const net::Network& network) {
  json::Array subnets;
  for (const net::Subnet& subnet : network.subnets) {
    json::Object entry;
    entry.set("Subnet", subnet.subnet.text());
    entry.set("Gateway", subnet.gateway ? subnet.gateway->text() : "");
    json::Object range;
    if (subnet.lease_range) {
      range.set("StartIP", subnet.lease_range->first.text());
      range.set("EndIP", subnet.lease_range->last.text());
    }
    entry.set("LeaseRange", subnet.lease_range ? json::Value(std::move(range)) : json::Value());
    subnets.emplace_back(std::move(entry));
  }
  return subnets;
}

json::Array routes_row(const net::Network& network) {
  json::Array routes;
  for (const net::Route& route : network.routes) {
    json::Object entry;
    entry.set("Destination", route.destination.text());
    entry.set("Gateway", route.gateway.text());
    entry.set("Metric", route.metric ? json::Value(*route.metric) : json::Value());
    routes.emplace_back(std::move(entry));
  }
  return routes;
}

json::Object row(const net::Network& network) {
  json::Object out;
  out.set("Name", network.name);
  out.set("ID", network.id);
  out.set("Driver", network.driver);
  out.set("NetworkInterface", network.interface);
  out.set("Created", format_rfc3339(network.created));
  out.set("Subnets", subnets_row(network));
  out.set("Routes", routes_row(network));
  out.set("IPv6Enabled", network.ipv6_enabled);
  out.set("Internal", network.internal);
  out.set("DNSEnabled", network.dns_enabled);
  json::Array servers;
  for (const net::IpAddress& server : network.dns_servers) servers.emplace_back(server.text());
  out.set("NetworkDNSServers", std::move(servers));
  out.set("Options", to_object(network.options));
  out.set("IPAMOptions", to_object(network.ipam_options));
  return out;
}

// Those that run on it: their names, interfaces and addresses; keys as `json` or Go name them.
Result<json::Object> containers_on(engine::Engine& engine, const net::Network& network, bool go) {
  json::Object containers;
  for (const engine::ContainerSummary& container : TRY(engine.list_containers())) {
    if (container.pid == 0 || std::find(container.networks.begin(), container.networks.end(),
                                        network.name) == container.networks.end())
      continue;
    auto record =
        net::load_attachments(engine::ContainerPaths(engine.host(), container.id).run_dir);
    if (!record || !*record) continue;
    json::Object interfaces;
    for (const net::Attachment& attachment : (*record)->networks) {
      if (attachment.network != network.name) continue;
      json::Array subnets;
      for (const net::IpPrefix& address : attachment.addresses) {
        json::Object subnet;
        subnet.set(go ? "IPNet" : "ipnet", address.text());
        const net::Subnet* of = network.subnet_of(address.address);
        if (of != nullptr && of->gateway)
          subnet.set(go ? "Gateway" : "gateway", of->gateway->text());
        subnets.emplace_back(std::move(subnet));
      }
      json::Object entry;
      entry.set(go ? "Subnets" : "subnets", std::move(subnets));
      entry.set(go ? "MacAddress" : "mac_address", attachment.mac.text());
      interfaces.set(attachment.interface, std::move(entry));
    }
    json::Object entry;
    entry.set(go ? "Name" : "name", container.name);
    entry.set(go ? "Interfaces" : "interfaces", std::move(interfaces));
    containers.set(container.id, std::move(entry));
  }
  return containers;
}

// Addresses of one network as Docker's EndpointSettings.
void set_endpoint(const net::Attachment& attachment, json::Object* out) {
  const net::IpPrefix* v4 = nullptr;
  const net::IpPrefix* v6 = nullptr;
  for (const net::IpPrefix& address : attachment.addresses) {
    const net::IpPrefix*& first = address.address.v6 ? v6 : v4;
    if (first == nullptr) first = &address;
  }
  auto gateway = [&](bool family) {
    for (const net::IpAddress& address : attachment.gateways)
      if (address.v6 == family) return address.text();
    return std::string();
  };
  out->set("Gateway", v4 != nullptr ? gateway(false) : "");
  out->set("IPAddress", v4 != nullptr ? v4->address.text() : "");
  out->set("IPPrefixLen", v4 != nullptr ? v4->length : 0);
  out->set("IPv6Gateway", v6 != nullptr ? gateway(true) : "");
  out->set("GlobalIPv6Address", v6 != nullptr ? v6->address.text() : "");
  out->set("GlobalIPv6PrefixLen", v6 != nullptr ? v6->length : 0);
  out->set("MacAddress", attachment.mac.is_zero() ? "" : attachment.mac.text());
}

json::Object endpoint(const engine::ContainerConfig& config, const engine::NetworkChoice& choice,
                      const std::optional<net::AttachmentRecord>& record) {
  static const net::Attachment kNone;
  const net::Attachment* attachment = record ? record->find(choice.network) : nullptr;
  json::Object out;
  out.set("EndpointID", "");
  set_endpoint(attachment != nullptr ? *attachment : kNone, &out);
  out.set("NetworkID", choice.network);
  out.set("DriverOpts", nullptr);
  out.set("IPAMConfig", nullptr);
  out.set("Links", nullptr);
  std::vector<std::string> aliases = choice.aliases;
  aliases.push_back(engine::short_id(config.id));
  out.set("Aliases", to_array(aliases));
  return out;
}

}  // namespace

const gotemplate::Shape kNetworkShape = {"types.Network", kFields};

json::Object network_row(const net::Network& network, bool short_id) {
  json::Object out = row(network);
  if (short_id) out.set("ID", engine::short_id(network.id));
  std::vector<std::string> labels;
  for (const auto& [key, value] : network.labels) labels.push_back(concat(key, "=", value));
  out.set("Labels", join(labels, ","));
  return out;
}

Result<json::Value> network_inspect_row(engine::Engine& engine, const net::Network& network) {
  json::Object out = row(network);
  out.set("Labels", to_object(network.labels));
  out.set("Containers", TRY(containers_on(engine, network, true)));
  return json::Value(std::move(out));
}

Result<json::Value> inspect_network(engine::Engine& engine, const net::Network& network) {
  json::Value value = json::to_value(network);
  json::Object containers = TRY(containers_on(engine, network, false));
  value.as_object()->set("containers", std::move(containers));
  return value;
}

json::Object port_bindings(const std::vector<net::PortMapping>& ports) {
  json::Object out;
  for (const net::PortMapping& port : ports)
    for (int i = 0; i < port.range; ++i) {
      const std::string key =
          concat(port.container_port + i, "/", net::protocol_name(port.protocol));
      json::Object binding;
      binding.set("HostIp", port.host_ip ? port.host_ip->text() : "");
      binding.set("HostPort", concat(port.host_port + i));
      json::Value& list = out[key];
      if (list.is_null()) list = json::Array();
      list.as_array()->emplace_back(std::move(binding));
    }
  return out;
}

json::Object inspect_network_settings(const engine::ContainerConfig& config,
                                      const engine::Host& host,
                                      const std::optional<net::AttachmentRecord>& record,
                                      pid_t pid) {
  // Docker's fields at the top are those of the default network; with others they are empty.
  static const net::Attachment kNone;
  const net::Attachment* only =
      record && record->networks.size() == 1 && config.networks.size() == 1 ? &record->networks[0]
                                                                            : &kNone;
  json::Object first;
  set_endpoint(*only, &first);
  json::Object out;
  out.set("EndpointID", "");
  for (auto& [key, value] : first) out.set(key, std::move(value));
  out.set("Bridge", "");
  out.set("SandboxID", "");
  out.set("HairpinMode", false);
  out.set("LinkLocalIPv6Address", "");
  out.set("LinkLocalIPv6PrefixLen", 0);
  json::Object ports = port_bindings(config.ports);
  for (const std::string& port : config.expose)
    if (ports.find(port) == nullptr) ports.set(port, nullptr);
  out.set("Ports", std::move(ports));
  const bool helped = engine::is_helper_mode(config.network_mode);
  out.set("SandboxKey",
          pid > 0 && (helped || !config.networks.empty()) ? concat("/proc/", pid, "/ns/net") : "");
  // Whichever it is, it keeps clients' addresses.
  if (helped && !config.ports.empty()) out.set("PortHandler", engine::port_handler(config, host));
  if (config.networks.empty()) return out;
  json::Object networks;
  std::vector<const engine::NetworkChoice*> sorted;  // as Go prints a map
  for (const engine::NetworkChoice& choice : config.networks) sorted.push_back(&choice);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->network < b->network; });
  for (const engine::NetworkChoice* choice : sorted)
    networks.set(choice->network, endpoint(config, *choice, record));
  out.set("Networks", std::move(networks));
  return out;
}

}  // namespace minke::view
