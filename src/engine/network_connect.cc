// A container's networks change: for its next runs, and at once when it runs.
#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/network_place.h"
#include "engine/records.h"
#include "net/setup.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

void emit_connection(const Host& host, std::string_view status, const std::string& id,
                     const std::string& network) {
  monitor::Event event;
  event.type = "network";
  event.status = status;
  event.id = id;
  event.network = network;
  emit(host, event);
}

// ethN that no other has.
std::string free_interface(const std::vector<NetworkChoice>& choices) {
  for (int number = 0;; ++number) {
    std::string name = concat("eth", number);
    if (std::none_of(choices.begin(), choices.end(),
                     [&](const NetworkChoice& c) { return c.interface == name; }))
      return name;
  }
}

Error not_bridged(const ContainerConfig& config) {
  std::string mode = config.network_mode.substr(0, config.network_mode.find(':'));
  return Error(Errc::invalid_argument,
               concat(quote(mode), " is not supported: invalid network mode"));
}

// As it is, with nothing healed: under its lock.
Result<Container> load_container(const Host& host, const std::string& id) {
  ContainerPaths paths(host, id);
  Container container;
  container.dir = paths.dir;
  container.run_dir = paths.run_dir;
  container.config = TRY_CTX(load_config(paths.dir), concat("container ", short_id(id)));
  bool unused = false;
  container.live = TRY(load_summary(host, id, &unused));
  return container;
}

auto find_choice(std::vector<NetworkChoice>& choices, const std::string& network) {
  return std::find_if(choices.begin(), choices.end(),
                      [&](const NetworkChoice& c) { return c.network == network; });
}

}  // namespace

Status Engine::connect_network(const std::string& id, const NetworkChoice& asked) {
  TRY(enter());
  const net::NetworkStore* store = TRY(networks());
  net::Network network = TRY(store->find(asked.network));
  TRY(summary(id));  // what a crash left is healed before the lock is taken
  ContainerPaths paths(host_, id);
  sys::FileLock lock = TRY(state::lock_object(paths.run_dir, concat("container ", short_id(id))));
  Container container = TRY(load_container(host_, id));
  ContainerConfig& config = container.config;
  if (config.network_mode != "bridge") return not_bridged(config);
  const bool runs = container.live.pid > 0;
  if (find_choice(config.networks, network.name) != config.networks.end()) {
    if (!runs) return {};  // as Podman
    return Error(Errc::conflict, concat("container ", id, " is already connected to network ",
                                        quote(network.name), ": network is already connected"));
  }
  NetworkChoice choice = asked;
  choice.network = network.name;
  if (choice.interface.empty()) choice.interface = free_interface(config.networks);
  config.networks.push_back(choice);
  if (runs) TRY(connect_running(container, choice));
  failpoint("engine.connect", 4);  // connected, and forgotten with this run
  TRY(save_config(paths.dir, config, sys::Durability::data));
  emit_connection(host_, "connect", id, network.name);
  return {};
}

Status Engine::connect_running(const Container& container, const NetworkChoice& choice) {
  const std::string& id = container.config.id;
  auto state = TRY(load_state(container.run_dir));
  if (!state) return Error(Errc::conflict, concat("container ", id, " has just ended"));
  sys::UniqueFd netns = TRY(open_network_namespace(state->pid, state->start_time));
  auto found = TRY(net::load_attachments(container.run_dir));
  net::AttachmentRecord record = found ? std::move(*found) : net::AttachmentRecord();
  if (!found) {
    record.id = id;
    record.name = container.config.name;
    record.hostname = container.config.hostname;
    record.ports = container.config.ports;
  }
  record.pid = state->pid;
  record.start_time = state->start_time;
  // What a killed connect has left of it.
  Status cleared = at_bridges(host_, [&](const net::Place& place) -> Status {
    for (const net::Attachment& left : record.networks)
      if (left.network == choice.network) TRY(release_one(id, left, place, netns.get()));
    return {};
  });
  TRY(std::move(cleared));
  std::erase_if(record.networks,
                [&](const net::Attachment& a) { return a.network == choice.network; });
  net::Attachment& attachment = record.networks.emplace_back();
  attachment.network = choice.network;
  attachment.interface = choice.interface;
  TRY(net::save_attachments(container.run_dir, record));
  failpoint("engine.connect", 1);  // meant
  Status connected = [&]() -> Status {
    net::Network network = TRY(network_for_use(choice.network));
    TRY(lease_choice(choice, id, &attachment));
    TRY(net::save_attachments(container.run_dir, record));
    failpoint("engine.connect", 2);  // leased
    Status joined = at_bridges(host_, [&](const net::Place& place) -> Status {
      TRY(attach_one(network, attachment, place, netns.get()));
      failpoint("engine.connect", 3);  // its interface is there
      // Published ports lead to the first network that has addresses.
      if (!record.ports.empty()) TRY(net::publish(record, place));
      return {};
    });
    TRY(std::move(joined));
    TRY(tell_networks(host_, net::NetdVerb::sync, id, needs_netd(host_, record)));
    return rewrite_names(container, record);
  }();
  if (connected) return {};
  ErrorList undo;
  undo.add(at_bridges(host_, [&](const net::Place& place) -> Status {
    return release_one(id, attachment, place, netns.get());
  }));
  record.networks.pop_back();
  undo.add(net::save_attachments(container.run_dir, record));
  for (const Error& error : undo.errors()) log::warn(error.message());
  return connected;
}

Status Engine::disconnect_network(const std::string& id, std::string_view name, bool force) {
  TRY(enter());
  const net::NetworkStore* store = TRY(networks());
  auto network = store->find(name);
  // A network that is gone, and its remains in the container.
  if (!network && !(force && network.error().code() == Errc::not_found))
    return std::move(network.error());
  const std::string known = network ? network->name : std::string(name);
  TRY(summary(id));  // what a crash left is healed before the lock is taken
  ContainerPaths paths(host_, id);
  sys::FileLock lock = TRY(state::lock_object(paths.run_dir, concat("container ", short_id(id))));
  Container container = TRY(load_container(host_, id));
  ContainerConfig& config = container.config;
  if (config.network_mode != "bridge") return not_bridged(config);
  auto choice = find_choice(config.networks, known);
  auto record = TRY(net::load_attachments(container.run_dir));
  auto attached = [&] {
    return record && std::any_of(record->networks.begin(), record->networks.end(),
                                 [&](const net::Attachment& a) { return a.network == known; });
  };
  if (choice == config.networks.end() && !attached())
    return Error(Errc::not_found,
                 concat("container ", config.name, " is not connected to network ", name));
  failpoint("engine.disconnect", 1);  // nothing done
  if (choice != config.networks.end()) {
    config.networks.erase(choice);
    TRY(save_config(paths.dir, config, sys::Durability::data));
  }
  failpoint("engine.disconnect", 2);  // of the next runs no more
  if (container.live.pid > 0 && attached()) {
    auto state = TRY(load_state(container.run_dir));
    sys::UniqueFd netns;
    if (state) netns = TRY(open_network_namespace(state->pid, state->start_time));
    Status left = at_bridges(host_, [&](const net::Place& place) -> Status {
      if (!record->ports.empty()) TRY(net::unpublish(*record, place));
      for (const net::Attachment& attachment : record->networks)
        if (attachment.network == known) TRY(release_one(id, attachment, place, netns.get()));
      failpoint("engine.disconnect", 3);  // off, still recorded
      net::AttachmentRecord rest = *record;
      std::erase_if(rest.networks, [&](const net::Attachment& a) { return a.network == known; });
      if (!rest.ports.empty() && !rest.networks.empty()) TRY(net::publish(rest, place));
      return {};
    });
    TRY(std::move(left));
    std::erase_if(record->networks, [&](const net::Attachment& a) { return a.network == known; });
    TRY(net::save_attachments(container.run_dir, *record));
    TRY(tell_networks(host_, net::NetdVerb::sync, id, false));
    TRY(rewrite_names(container, *record));
  }
  emit_connection(host_, "disconnect", id, known);
  return {};
}

Status Engine::reload_network(const std::string& id) {
  TRY(enter());
  TRY(summary(id));  // what a crash left is healed before the lock is taken
  ContainerPaths paths(host_, id);
  sys::FileLock lock = TRY(state::lock_object(paths.run_dir, concat("container ", short_id(id))));
  Container container = TRY(load_container(host_, id));
  auto record = TRY(net::load_attachments(container.run_dir));
  if (container.live.pid == 0 || !record || record->networks.empty() ||
      container.config.network_mode != "bridge")
    return Error(Errc::conflict,
                 "cannot reload network unless container network has been configured: container "
                 "state improper");
  std::vector<net::Network> used;
  for (const net::Attachment& attachment : record->networks)
    used.push_back(TRY(network_for_use(attachment.network)));
  return at_bridges(host_, [&](const net::Place& place) -> Status {
    for (const net::Network& network : used) TRY(net::ensure_network(network, place));
    if (record->ports.empty()) return {};
    TRY(net::unpublish(*record, place));
    return net::publish(*record, place);
  });
}

}  // namespace minke::engine
