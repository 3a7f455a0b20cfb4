// Verbs on networks.
#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/network_place.h"
#include "engine/records.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

std::string place_of(const config::ContainersConf& conf, const char* key) {
  auto found = conf.where.find(key);
  return found == conf.where.end() ? std::string(key) : concat(found->second, ": ", key);
}

Error in_use(std::string_view typed) {
  return Error(Errc::in_use, concat(quote(typed),
                                    " has associated containers with it. Use -f to forcibly delete "
                                    "containers and pods: network is being used"))
      .with_exit(2);
}

void emit_network(const Host& host, std::string_view status, const net::Network& network) {
  monitor::Event event;
  event.type = "network";
  event.status = status;
  event.id = network.id;
  event.name = network.name;
  event.network = network.name;
  event.attributes = {{"driver", network.driver}};
  emit(host, event);
}

}  // namespace

Result<net::NetworkDefaults> network_defaults(const config::ContainersConf& conf) {
  net::NetworkDefaults defaults = net::built_in_defaults();
  if (!conf.default_network.empty()) {
    TRY_CTX(net::check_network_name(conf.default_network),
            place_of(conf, "network.default_network"));
    defaults.name = conf.default_network;
  }
  if (!conf.default_subnet.empty())
    defaults.subnet = TRY_CTX(net::IpPrefix::parse(conf.default_subnet),
                              place_of(conf, "network.default_subnet"));
  if (!conf.default_subnet_pools) return defaults;
  defaults.pools.clear();
  for (const auto& pool : *conf.default_subnet_pools) {
    const std::string at = place_of(conf, "network.default_subnet_pools");
    net::IpPrefix base = TRY_CTX(net::IpPrefix::parse(pool.base), at);
    if (base.address.v6 || pool.size < base.length || pool.size > 30)
      return Error(Errc::invalid_argument,
                   concat(at, ": size ", pool.size, " of base ", pool.base,
                          " must be from its length to 30, and the base of IPv4"));
    defaults.pools.push_back({base.masked(), static_cast<std::uint8_t>(pool.size)});
  }
  return defaults;
}

Result<const net::NetworkStore*> Engine::networks() {
  if (networks_) return &*networks_;
  const config::ContainersConf* known = TRY(conf());
  net::NetworkDefaults defaults = TRY(network_defaults(*known));
  return &networks_.emplace(host_.root, std::move(defaults), host_.rootless);
}

Result<net::Network> Engine::create_network(const net::NetworkRequest& request) {
  TRY(enter());
  const net::NetworkStore* store = TRY(networks());
  sys::FileLock lock = TRY(state::lock_object(host_.runroot + "/networks", "the networks"));
  net::Network network = TRY(store->create(request));
  emit_network(host_, "create", network);
  return network;
}

Result<std::vector<std::string>> Engine::network_users(const std::string& name) {
  // Heals nothing on the way: the caller may hold the networks' lock, which comes after those of
  // containers.
  std::vector<std::string> users;
  for (const std::string& id :
       TRY(sys::list_dir(sys::DirFd::cwd(), (host_.root + "/containers").c_str()))) {
    bool unused = false;
    auto container = load_summary(host_, id, &unused);
    if (container && std::find(container->networks.begin(), container->networks.end(), name) !=
                         container->networks.end())
      users.push_back(id);
  }
  return users;
}

Status Engine::remove_network(std::string_view name, bool force,
                              std::optional<std::int64_t> timeout) {
  TRY(enter());
  const net::NetworkStore* store = TRY(networks());
  net::Network network = TRY(store->find(name));
  if (network.name == store->default_name())
    return Error(Errc::invalid_argument,
                 concat("default network ", network.name, " cannot be removed"));
  std::vector<std::string> users = TRY(network_users(network.name));
  if (!users.empty() && !force) return in_use(name);
  for (const std::string& id : users) TRY(remove(id, {.force = true, .timeout = timeout}));
  failpoint("engine.network-rm", 1);  // nobody is on it
  sys::FileLock lock = TRY(state::lock_object(host_.runroot + "/networks", "the networks"));
  if (!TRY(network_users(network.name)).empty()) return in_use(name);
  ErrorList errors;
  // First the bridge: a network without one is whole, a bridge without a network would stay.
  if (network.driver == "bridge")
    errors.add(at_bridges(host_, [&](const net::Place& place) -> Status {
      return drop_empty_bridge(network, place);
    }));
  failpoint("engine.network-rm", 2);  // without a bridge
  Status removed = store->remove(network.name);
  if (!removed && removed.error().code() != Errc::not_found) return removed;
  failpoint("engine.network-rm", 3);  // gone, its leases' folder is left
  errors.add(sys::remove_tree_at(sys::DirFd::cwd(),
                                 concat(host_.runroot, "/networks/", network.name).c_str()));
  emit_network(host_, "remove", network);
  return std::move(errors).to_status();
}

Status Engine::update_network(std::string_view name, const std::vector<std::string>& dns_add,
                              const std::vector<std::string>& dns_drop) {
  TRY(enter());
  const net::NetworkStore* store = TRY(networks());
  net::Network network = TRY(store->find(name));
  if (!network.dns_enabled)
    return Error(Errc::invalid_argument,
                 concat("cannot update DNS servers of network ", network.name,
                        ": DNS is not enabled for the network: invalid argument"));
  sys::FileLock lock = TRY(state::lock_object(host_.runroot + "/networks", "the networks"));
  network = TRY(network_for_use(network.name, true));
  auto parse = [](const std::string& text) -> Result<net::IpAddress> {
    auto address = net::IpAddress::parse(text);
    if (address) return address;
    return Error(Errc::invalid_argument, concat("unable to parse ip ", text, ": invalid argument"));
  };
  for (const std::string& text : dns_drop) {
    net::IpAddress server = TRY(parse(text));
    if (std::erase(network.dns_servers, server) == 0)
      return Error(Errc::not_found,
                   concat("DNS server ", text, " is not one of network ", network.name));
  }
  for (const std::string& text : dns_add) {
    net::IpAddress server = TRY(parse(text));
    if (std::find(network.dns_servers.begin(), network.dns_servers.end(), server) ==
        network.dns_servers.end())
      network.dns_servers.push_back(server);
  }
  TRY(store->replace(network));
  if (auto netd = net::NetdClient::connect(host_.runroot))
    ignore(netd->call(net::NetdVerb::network, network.name), "one that ends reads it anew");
  emit_network(host_, "update", network);
  return {};
}

}  // namespace minke::engine
