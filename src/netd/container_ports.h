// At which of the host's addresses and ports one container is listened for, and sockets of those
// that somebody else has bound (a service manager: LISTEN_FDS).
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "netd/listeners.h"

namespace minke::netd {

class ContainerPorts {
 public:
  using Sockets = std::map<ListenSpec, sys::UniqueFd>;
  using Bind = std::function<Result<sys::UniqueFd>(const ListenSpec&)>;

  // Keeps those of `given` that can stand for one of `wanted`. A socket of [::] for both families
  // serves [::] and 0.0.0.0; where nobody wants [::], its clients of IPv6 are warned of.
  Status take(const std::string& container, std::vector<sys::UniqueFd> given,
              const std::vector<ListenSpec>& wanted, std::vector<std::string>* warnings);
  // The sockets of `wanted` at which nobody listens yet: a copy of the given one, or a new one.
  Result<Sockets> open(const std::vector<ListenSpec>& wanted, const Bind& bind);
  // From now on it is listened there.
  void add(const ListenSpec& spec) { listens_.insert(spec); }
  // Nowhere any more; what was given stays, for other wishes.
  std::vector<sys::UniqueFd> close();
  const std::set<ListenSpec>& listens() const { return listens_; }

 private:
  std::set<ListenSpec> listens_;
  Sockets given_;
  std::set<ListenSpec> both_;  // served by the given one of the other family
};

}  // namespace minke::netd
