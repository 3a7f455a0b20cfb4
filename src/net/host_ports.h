// Ports of the host's: which are free, and who has one. RUNROOT/ports/PROTOCOL-FIRST-LAST-ADDRESS
// is a symbolic link whose text is the id of the container that has them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "net/port.h"

namespace minke::net {

// Gives every mapping without a port of the host's free ones, that no other program listens on now.
Status choose_ports(std::vector<PortMapping>* ports);

// Reserves them for the container: the caller holds the networks' lock. What the container has
// already is replaced. With `probe` each is bound for a moment, to see that no program of this
// network namespace has it. Errors name the port and who has it, and leave nothing reserved.
Status lease_ports(const std::string& runroot, const std::string& id,
                   const std::vector<PortMapping>& ports, bool probe);
Status release_ports(const std::string& runroot, const std::string& id);
// The containers that have one of these ports reserved.
Result<std::vector<std::string>> port_owners(const std::string& runroot,
                                             const std::vector<PortMapping>& ports);

// Who listens there: `process 4711 (nginx)`; empty when it cannot be told.
std::string port_holder(const PortMapping& port);

}  // namespace minke::net
