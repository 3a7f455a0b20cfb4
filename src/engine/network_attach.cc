// The networks of one run of a container: leased, attached, released. Each step can be done twice,
// and what a killed command has left is found by the record (net/attachment.h), which is there
// before the first lease.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/digest.h"
#include "config/containers_conf.h"
#include "engine/engine.h"
#include "engine/handed_sockets.h"
#include "engine/name_files.h"
#include "engine/network_helper.h"
#include "engine/network_place.h"
#include "engine/port_owners.h"
#include "engine/records.h"
#include "engine/userns.h"
#include "net/helper_mode.h"
#include "net/host_ports.h"
#include "net/host_use.h"
#include "net/ipam.h"
#include "net/setup.h"
#include "state/object_lock.h"
#include "sys/process.h"
#include "sys/program.h"

namespace minke::engine {
namespace {

std::string networks_dir(const Host& host) { return host.runroot + "/networks"; }

Result<sys::FileLock> lock_network(const Host& host, const std::string& name, sys::LockMode mode) {
  return state::lock_object(concat(networks_dir(host), "/", name), concat("network ", name), mode);
}

// The veth's end outside: follows from container and network, so that it is found again.
std::string host_interface(const std::string& id, const std::string& network) {
  return concat("veth", sha256_hex(concat(id, "/", network)).substr(0, 10));
}

bool is_none(const net::Network& network) {
  auto driver = network.ipam_options.find("driver");
  return driver != network.ipam_options.end() && driver->second == "none";
}

// Of a network without addresses: who is on it.
std::string member_path(const Host& host, const std::string& network, const std::string& id) {
  return concat(networks_dir(host), "/", network, "/leases/", id);
}

bool is_used(const Host& host, const std::string& network) {
  auto leases =
      sys::list_dir(sys::DirFd::cwd(), concat(networks_dir(host), "/", network, "/leases").c_str());
  return leases && !leases->empty();
}

// The same addresses as in the last run, while they are free.
Result<std::optional<net::AttachmentRecord>> load_last(const std::string& run_dir) {
  auto text = sys::read_small_file(run_dir + "/network.last", 1 << 20);
  if (!text) return std::optional<net::AttachmentRecord>();
  auto record = json::parse_struct<net::AttachmentRecord>(*text);
  if (!record) return std::optional<net::AttachmentRecord>();
  return std::optional(std::move(*record));
}

}  // namespace

Result<sys::UniqueFd> open_network_namespace(pid_t pid, std::uint64_t start_time) {
  const std::string path = concat("/proc/", pid, "/ns/net");
  sys::UniqueFd netns(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!netns) return Error::from_errno(errno, path);
  // Asked after the open: then the descriptor is of that very process.
  if (!sys::process_alive(pid, start_time))
    return Error(Errc::not_found, concat("process ", pid, " has ended"));
  return netns;
}

bool netd_serves(const Host&) { return sys::program_path("minke-netd").ok(); }

bool needs_netd(const Host& host, const net::AttachmentRecord& record) {
  for (const net::Attachment& network : record.networks)
    if (network.driver == "bridge" && (host.rootless || network.dns_enabled)) return true;
  return std::any_of(record.networks.begin(), record.networks.end(), net::is_slirp_device);
}

Status tell_networks(const Host& host, net::NetdVerb verb, const std::string& id, bool needed,
                     const std::vector<int>& listeners) {
  if (!needed) {
    auto netd = net::NetdClient::connect(host.runroot);
    if (netd) ignore(netd->call(verb, id), "one that ends reads the records when it comes again");
    return {};
  }
  auto told = tell_netd(host, verb, id, listeners);
  if (told) {
    for (std::string_view warning : split(*told, '\n'))
      if (!warning.empty()) log::warn(std::string(warning));
    return {};
  }
  if (host.rootless) return std::move(told.error());
  // Rootful it answers for names and no more.
  log::warn(concat("names of containers: ", told.error().message()));
  return {};
}

// The host as containers of these networks reach it. Rootless a gateway is N's, where nothing of
// the host listens: the host's own address is carried there.
static std::string host_address(const Host& host, const net::AttachmentRecord& record) {
  if (host.rootless) {
    bool bridged = std::any_of(record.networks.begin(), record.networks.end(),
                               [](const net::Attachment& a) { return a.driver == "bridge"; });
    auto own = bridged ? net::own_address() : std::nullopt;
    return own ? own->text() : std::string();
  }
  // Of v4 before v6; that of a parent's network is somebody else's.
  for (bool v6 : {false, true})
    for (const net::Attachment& network : record.networks)
      for (const net::IpAddress& gateway : network.gateways)
        if (network.driver == "bridge" && gateway.v6 == v6) return gateway.text();
  return {};
}

Status Engine::rewrite_names(const Container& container, const net::AttachmentRecord& record) {
  NameSources sources;
  sources.record = &record;
  sources.names_served = netd_serves(host_);
  sources.host_address = host_address(host_, record);
  return write_names(container.config, container.dir, std::move(sources));
}

namespace {

// Containers that ended without anybody to clean up after them give their addresses back.
Result<bool> tidy_dead_owners(Engine& engine, const net::Network& network, const std::string& id) {
  std::vector<std::string> dead = TRY(dead_address_owners(engine.host(), network, id));
  for (const std::string& other : dead)
    ignore(engine.cleanup(other), "then the address is told to be taken, and by whom");
  return !dead.empty();
}

// Addresses of one network into `out`; the rest of it follows from network and choice.
Status lease_one(Engine& engine, const net::Network& network, const NetworkChoice& choice,
                 const std::string& id, const net::Attachment* last, net::Attachment* out) {
  const Host& host = engine.host();
  out->network_id = network.id;
  out->driver = network.driver;
  out->bridge = network.interface;
  out->aliases = choice.aliases;
  out->internal = network.internal;
  out->dns_enabled = network.dns_enabled;
  if (network.driver == "bridge") out->host_interface = host_interface(id, network.name);
  // The kernel gives an ipvlan its parent's.
  if (choice.mac && network.driver == "ipvlan")
    return Error(Errc::invalid_argument, concat("network ", network.name,
                                                ": ipvlan interfaces have their parent's MAC "
                                                "address"));
  if (choice.mac)
    out->mac = *choice.mac;
  else if (last != nullptr && !last->mac.is_zero())
    out->mac = last->mac;
  else if (network.driver != "ipvlan")
    out->mac = net::MacAddress::random();
  if (is_none(network)) {
    if (choice.ip || choice.ip6)
      return Error(Errc::invalid_argument,
                   concat("network ", network.name, " gives no addresses (ipam driver none)"));
    const std::string path = member_path(host, network.name, id);
    TRY(sys::ensure_dirs(path.substr(0, path.rfind('/')), 0700));
    Status member = sys::symlink_at(id.c_str(), sys::DirFd::cwd(), path.c_str());
    return member || member.error().code() == Errc::already_exists ? Status() : std::move(member);
  }
  net::Ipam::Wish wish;
  if (choice.ip) wish.fixed.push_back(*choice.ip);
  if (choice.ip6) wish.fixed.push_back(*choice.ip6);
  if (last != nullptr)
    for (const net::IpPrefix& address : last->addresses) wish.preferred.push_back(address.address);
  wish.is_there = [&host](const std::string& other) {
    return sys::exists(ContainerPaths(host, other).dir);
  };
  net::Ipam ipam(networks_dir(host), network);
  auto leased = ipam.lease(id, wish);
  if (!leased && TRY(tidy_dead_owners(engine, network, id))) leased = ipam.lease(id, wish);
  out->addresses = TRY(std::move(leased));
  for (const net::Subnet& subnet : network.subnets)
    if (subnet.gateway) out->gateways.push_back(*subnet.gateway);
  return {};
}

}  // namespace

namespace {

// Of IPv4: a unique local subnet of IPv6 is nobody else's by chance.
bool collides(const net::Network& network, const net::HostUse& host) {
  for (const net::Subnet& subnet : network.subnets)
    for (const net::IpPrefix& taken : host.taken)
      if (!taken.address.v6 && taken.overlaps(subnet.subnet)) return true;
  return false;
}

// What the host uses besides the network's own bridge: its routes and addresses, once each.
Result<net::HostUse> read_use_of_others(const net::Network& network) {
  net::HostUse use = TRY(net::read_host_use());
  if (use.links.erase(network.interface) == 0) return use;
  auto leave_out = [&use](const net::IpPrefix& own) {
    auto found = std::find(use.taken.begin(), use.taken.end(), own);
    if (found != use.taken.end()) use.taken.erase(found);
  };
  for (const net::Subnet& subnet : network.subnets) {
    leave_out(subnet.subnet.masked());
    if (subnet.gateway) leave_out(net::IpPrefix::host(*subnet.gateway));
  }
  return use;
}

// The default network with other addresses, where the host's routes have come to lead to its own;
// nothing when they do not, or when no others are free.
Result<std::optional<net::Network>> default_elsewhere(const net::NetworkStore& store,
                                                      const config::ContainersConf& conf) {
  const net::Network now = TRY(store.load(store.default_name()));
  const net::HostUse use = TRY(read_use_of_others(now));
  if (!collides(now, use)) return std::optional<net::Network>();
  std::vector<net::Network> others = TRY(store.list());
  std::erase_if(others, [&now](const net::Network& other) { return other.name == now.name; });
  const net::NetworkDefaults defaults = TRY(network_defaults(conf));
  net::Network anew = net::detail::plan_default_network(defaults, others, use, false);
  if (collides(anew, use)) return std::optional<net::Network>();
  anew.dns_servers = now.dns_servers;
  return std::optional(std::move(anew));
}

// Another engine's bridge has its name, which it had not when it was written.
Result<bool> default_is_anothers(const Host& host, const net::NetworkStore& store) {
  net::Network network = TRY(store.load(store.default_name()));
  return net::bridge_is_anothers(network, {-1, false, host.runroot});
}

}  // namespace

// As long as nobody is on it, the default network makes way: for another engine's bridge of its
// name, and for the host's own routes.
Result<net::Network> Engine::network_for_use(const std::string& name, bool locked) {
  const net::NetworkStore* store = TRY(networks());
  if (name != store->default_name()) return store->load(name);
  const config::ContainersConf* known = TRY(conf());
  const bool idle = !host_.rootless && store->is_written(name) && !is_used(host_, name);
  if (!idle && store->is_written(name)) return store->load(name);
  if (idle && !TRY(default_is_anothers(host_, *store)) && !TRY(default_elsewhere(*store, *known)))
    return store->load(name);
  sys::FileLock lock;
  if (!locked) lock = TRY(state::lock_object(networks_dir(host_), "the networks"));
  // Somebody may have been faster.
  if (!idle || !store->is_written(name) || is_used(host_, name)) return store->ensure_default();
  if (TRY(default_is_anothers(host_, *store))) {
    TRY(store->remove(name));
    return store->ensure_default();
  }
  auto anew = TRY(default_elsewhere(*store, *known));
  if (!anew) return store->load(name);
  const net::Network now = TRY(store->load(name));
  TRY(drop_idle_bridge(host_, now, {-1, false, host_.runroot}));
  TRY(store->replace(*anew));
  log::warn(concat("the host's routes lead to the addresses of network ", name,
                   " by now: from here on it is ", anew->subnets[0].subnet.text()));
  return std::move(*anew);
}

Status Engine::lease_choice(const NetworkChoice& choice, const std::string& id,
                            net::Attachment* out) {
  net::Network network = TRY(network_for_use(choice.network));
  return lease_one(*this, network, choice, id, nullptr, out);
}

Result<std::optional<net::AttachmentRecord>> Engine::lease_networks(const Container& container) {
  const ContainerConfig& config = container.config;
  if (config.networks.empty()) return std::optional<net::AttachmentRecord>();
  net::AttachmentRecord record;
  record.id = config.id;
  record.name = config.name;
  record.hostname = config.hostname;
  record.ports = config.ports;
  for (const std::string& text : config.request.dns)
    if (auto server = net::IpAddress::parse(text)) record.dns.push_back(*server);
  for (const NetworkChoice& choice : config.networks) {
    net::Attachment& attachment = record.networks.emplace_back();
    attachment.network = choice.network;
    attachment.interface = choice.interface;
  }
  // Before the first lease: who finds it without addresses looks for all that are the container's.
  TRY(net::save_attachments(container.run_dir, record));
  failpoint("engine.network", 1);  // meant, nothing leased
  auto last = TRY(load_last(container.run_dir));
  for (std::size_t i = 0; i < config.networks.size(); ++i) {
    const NetworkChoice& choice = config.networks[i];
    net::Network network = TRY(network_for_use(choice.network));
    TRY(lease_one(*this, network, choice, config.id, last ? last->find(choice.network) : nullptr,
                  &record.networks[i]));
  }
  failpoint("engine.network", 2);  // leased, not recorded
  if (!config.ports.empty()) {
    sys::FileLock lock = TRY(state::lock_object(networks_dir(host_), "the networks"));
    TRY(net::lease_ports(host_.runroot, config.id, config.ports, !host_.rootless));
  }
  TRY(net::save_attachments(container.run_dir, record));
  failpoint("engine.network", 3);  // recorded
  TRY(rewrite_names(container, record));
  return std::optional(std::move(record));
}

Status Engine::attach_one(const net::Network& network, const net::Attachment& attachment,
                          const net::Place& place, int netns) {
  {
    // Whoever removes an empty bridge has it alone, and looks at the leases then: ours is there.
    sys::FileLock lock = TRY(lock_network(host_, network.name, sys::LockMode::shared));
    TRY(net::ensure_network(network, place));
  }
  return net::attach(network, attachment, place, netns);
}

Status Engine::attach_networks(const Container& container, net::AttachmentRecord* record, pid_t pid,
                               std::uint64_t start_time) {
  sys::UniqueFd netns = TRY(open_network_namespace(pid, start_time));
  std::vector<HandedSocket>* sockets = TRY(take_handed_sockets());
  SortedSockets handed = TRY(sort_handed_sockets(container.config, host_.rootless, sockets));
  std::vector<int> listeners;
  for (const HandedSocket* socket : handed.published) listeners.push_back(socket->fd);
  std::vector<net::Network> networks;
  const net::NetworkStore* store = TRY(this->networks());
  for (const net::Attachment& attachment : record->networks)
    networks.push_back(TRY(store->load(attachment.network)));
  record->pid = pid;
  record->start_time = start_time;
  Status attached = at_bridges(host_, [&](const net::Place& place) -> Status {
    int step = 3;
    for (std::size_t i = 0; i < networks.size(); ++i) {
      TRY(attach_one(networks[i], record->networks[i], place, netns.get()));
      failpoint("engine.network", ++step);  // 4, 5, ...: it is on one more
    }
    if (!record->ports.empty()) TRY(net::publish(*record, place));
    return {};
  });
  TRY(std::move(attached));
  failpoint("engine.network", 9);  // published
  TRY(net::save_attachments(container.run_dir, *record));
  return tell_networks(host_, net::NetdVerb::sync, record->id, needs_netd(host_, *record),
                       listeners);
}

// Leases, once the kernel has nothing of it any more.
Status Engine::release_leases(const std::string& id, const net::Attachment& attachment) {
  net::Network network;
  network.name = attachment.network;
  ErrorList errors;
  net::Ipam ipam(networks_dir(host_), network);
  if (attachment.addresses.empty())  // the command that leased was killed
    errors.add(ipam.release_all(id));
  else
    errors.add(ipam.release(id, attachment.addresses));
  ignore(sys::unlink_at(sys::DirFd::cwd(), member_path(host_, network.name, id).c_str()),
         "it is there only without addresses");
  return std::move(errors).to_status();
}

Status Engine::release_one(const std::string& id, const net::Attachment& attachment,
                           const net::Place& place, int netns) {
  ErrorList errors;
  errors.add(net::detach(attachment, place, netns));
  errors.add(release_leases(id, attachment));
  return std::move(errors).to_status();
}

Status drop_idle_bridge(const Host& host, const net::Network& network, const net::Place& place) {
  sys::FileLock lock = TRY(lock_network(host, network.name, sys::LockMode::exclusive));
  if (is_used(host, network.name)) return {};
  return net::remove_network(network, place);
}

Status Engine::drop_empty_bridge(const net::Network& network, const net::Place& place) {
  return drop_idle_bridge(host_, network, place);
}

Status Engine::release_networks(const std::string& id) {
  ContainerPaths paths(host_, id);
  TRY_CTX(stop_network_helper(host_, id), concat("container ", short_id(id)));
  auto record = net::load_attachments(paths.run_dir);
  if (record && !*record) return {};
  if (!record) {
    // What cannot be read is of no use to anybody; leases go when their container is gone.
    log::error(record.error().message());
    return sys::unlink_at(sys::DirFd::cwd(), (paths.run_dir + net::kAttachmentFile).c_str());
  }
  ErrorList errors;
  errors.add(tell_networks(host_, net::NetdVerb::drop, id, false));
  // Its interfaces go with its namespace; bridges stay for the next one, until their network goes.
  if (!host_.rootless && !(*record)->ports.empty())
    errors.add(net::unpublish(**record, {-1, false, host_.runroot}));
  failpoint("engine.network-release", 1);  // not published any more
  for (const net::Attachment& attachment : (*record)->networks) {
    errors.add(release_leases(id, attachment));
    failpoint("engine.network-release", 2);
  }
  if (!(*record)->ports.empty()) errors.add(net::release_ports(host_.runroot, id));
  Status released = std::move(errors).to_status();
  // The record stays for the next clean-up to try again.
  if (!released) return std::move(released.error()).wrap(concat("container ", short_id(id)));
  // Kept, so that the next run asks for the same addresses.
  return sys::rename_at(sys::DirFd::cwd(), (paths.run_dir + net::kAttachmentFile).c_str(),
                        sys::DirFd::cwd(), (paths.run_dir + "/network.last").c_str());
}

}  // namespace minke::engine
