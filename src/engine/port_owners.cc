#include "engine/port_owners.h"

#include "engine/engine.h"
#include "engine/records.h"
#include "net/host_ports.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

bool is_dead(const Host& host, const std::string& id) {
  // Who starts, stops or tidies it holds its lock.
  auto lock = state::try_lock_object(ContainerPaths(host, id).run_dir, "a port's owner");
  if (!lock) return false;
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

}  // namespace minke::engine
