#include "engine/port_owners.h"

#include <unistd.h>

#include <set>

#include "engine/engine.h"
#include "engine/network_place.h"
#include "engine/records.h"
#include "net/host_ports.h"
#include "net/ipam.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

// Who starts, stops or tidies it holds its lock, mostly for a moment. Not for long: he may wait for
// ours.
bool wait_until_idle(const Host& host, const std::string& id) {
  for (int tries = 0; tries < 100; ++tries) {
    if (state::try_lock_object(ContainerPaths(host, id).run_dir,
                               "the owner of a port or an address"))
      return true;
    ::usleep(10'000);
  }
  return false;
}

bool is_dead(const Host& host, const std::string& id) {
  if (!wait_until_idle(host, id)) return false;
  bool needs_healing = false;
  auto summary = load_summary(host, id, &needs_healing);
  if (!summary || summary->restarting) return false;
  return needs_healing || summary->state == ContainerState::exited ||
         summary->state == ContainerState::stopped || summary->state == ContainerState::created;
}

}  // namespace

Result<std::vector<std::string>> dead_port_owners(const Host& host, const ContainerConfig& config) {
  std::vector<std::string> dead;
  if (config.ports.empty()) return dead;
  for (std::string& id : TRY(net::port_owners(host.runroot, config.ports)))
    if (id != config.id && sys::exists(ContainerPaths(host, id).dir) && is_dead(host, id))
      dead.push_back(std::move(id));
  return dead;
}

Result<std::vector<std::string>> dead_address_owners(const Host& host, const net::Network& network,
                                                     const std::string& id) {
  std::set<std::string> owners;  // one has several addresses
  for (auto& [address, owner] : TRY(net::Ipam(host.runroot + "/networks", network).list()))
    if (owner != id) owners.insert(std::move(owner));
  std::vector<std::string> dead;
  for (const std::string& owner : owners)
    if (sys::exists(ContainerPaths(host, owner).dir) && is_dead(host, owner)) dead.push_back(owner);
  return dead;
}

}  // namespace minke::engine
