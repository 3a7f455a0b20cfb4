// doctor: whether containers reach others, and whose addresses they see.
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "engine/doctor_parts.h"
#include "engine/network_facts.h"

namespace minke::engine {
namespace {

using State = Fact::State;

Fact outbound(const Host& host, const NetworkFacts& facts) {
  if (!host.rootless) return {"outbound", State::good, "by the kernel", ""};
  if (facts.uplink.empty() && facts.uplink_trouble.empty())
    return {"outbound", State::limit,
            "neither slirp4netns nor pasta is installed: UDP, names of others and ping do not "
            "leave user networks",
            "sudo apt-get install slirp4netns"};
  if (::access("/dev/net/tun", R_OK | W_OK) < 0)
    return {"outbound", State::limit,
            concat("/dev/net/tun cannot be opened, which ", facts.uplink, " needs"),
            "sudo modprobe tun && sudo chmod 666 /dev/net/tun"};
  if (!facts.uplink_trouble.empty())
    return {"outbound", State::limit, concat("does not work now: ", facts.uplink_trouble), ""};
  if (facts.queue == "none")
    return {
        "outbound", State::limit,
        concat("all by ", facts.uplink, ", TCP too: this kernel has no netfilter queue for users"),
        "sudo modprobe -a nfnetlink_queue nft_queue nft_tproxy nft_socket"};
  return {"outbound", State::good,
          concat("TCP by minke-netd",
                 facts.queue.empty() ? std::string() : concat(" (", facts.queue, " queue)"),
                 ", all else by ", facts.uplink),
          ""};
}

// Of one network: where clients from elsewhere are not seen as they are; empty: nowhere.
std::string hidden_on(const net::Network& network) {
  if (network.driver != "bridge") return {};
  if (network.internal) return "internal: all clients are its gateway";
  const bool v6 = std::any_of(network.subnets.begin(), network.subnets.end(),
                              [](const net::Subnet& s) { return s.subnet.address.v6; });
  if (!v6) return "no IPv6: ports are not published there, but for [::] by name";
  return {};
}

std::string gateways_of(const std::vector<net::Network>& networks) {
  std::string out;
  for (const net::Network& network : networks)
    for (const net::Subnet& subnet : network.subnets)
      if (network.driver == "bridge" && subnet.gateway && !subnet.gateway->v6)
        out += concat(out.empty() ? "" : ", ", subnet.gateway->text(), " (", network.name, ")");
  return out;
}

// For logs, bans and relay policies: whom a container may take for local.
void clients(const NetworkFacts& facts, const std::vector<net::Network>& networks,
             std::vector<Fact>* out) {
  if (!facts.transparent)
    out->push_back(
        {"clients", State::limit,
         "this kernel has no transparent sockets: every client is seen as the gateway, so "
         "nothing may be trusted by address",
         "sudo modprobe -a nft_socket nft_tproxy"});
  else
    out->push_back({"clients", State::good, "are seen by their own addresses", ""});
  for (const net::Network& network : networks)
    if (std::string hidden = hidden_on(network); !hidden.empty())
      out->push_back({concat("network ", network.name), State::good, hidden, ""});
  std::string gateways = gateways_of(networks);
  if (gateways.empty()) return;
  out->push_back({"local clients", State::good,
                  concat("programs of this host are seen as the gateway: ", gateways,
                         "; leave it out of what may relay (mynetworks) unless all users of this "
                         "host may"),
                  ""});
}

// A container whose helper shows clients otherwise than a network does.
std::string helper_note(const ContainerSummary& container) {
  if (container.network_mode == "slirp4netns")
    return "slirp4netns: clients as they are, with port_handler=slirp4netns none of IPv6; this "
           "host as "
           "10.0.2.2";
  if (container.network_mode == "pasta")
    return "pasta: clients as they are; this host may look like the container itself";
  return {};
}

}  // namespace

void examine_networks(Engine& engine, std::vector<Fact>* out) {
  NetworkFacts facts = network_facts(engine.host());
  out->push_back(outbound(engine.host(), facts));
  auto store = engine.networks();
  auto networks = store ? (*store)->list() : Result<std::vector<net::Network>>(store.error());
  if (!networks) {
    out->push_back({"networks", State::bad, networks.error().message(), ""});
    return;
  }
  clients(facts, *networks, out);
  auto containers = engine.list_containers();
  if (!containers) return;
  for (const ContainerSummary& container : *containers)
    if (std::string note = helper_note(container); !note.empty())
      out->push_back({concat("container ", container.name), State::good, note, ""});
}

}  // namespace minke::engine
