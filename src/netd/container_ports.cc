#include "netd/container_ports.h"

#include "base/str.h"

namespace minke::netd {

Status ContainerPorts::take(const std::string& container, std::vector<sys::UniqueFd> given,
                            const std::vector<ListenSpec>& wanted,
                            std::vector<std::string>* warnings) {
  for (sys::UniqueFd& fd : given) {
    TRY(sys::set_nonblocking(fd.get(), true));
    const ListenSpec* main = nullptr;
    for (const ListenSpec& spec : wanted) {
      if (!can_stand_for(fd.get(), spec)) continue;
      const ListenSpec* other = main;
      if (main == nullptr || spec.at.address.v6) main = &spec;
      if (other != nullptr) both_.insert(main == &spec ? *other : spec);
    }
    if (main == nullptr) continue;
    const ListenSpec there = TRY(describe_listener(fd.get()));
    if (there.at.address.v6 && !main->at.address.v6)
      warnings->push_back(concat("container ", container,
                                 " has no IPv6 address: clients of the socket ", there.text(),
                                 " that come by IPv6 are seen as its network's gateway"));
    given_[*main] = std::move(fd);
  }
  return {};
}

Result<ContainerPorts::Sockets> ContainerPorts::open(const std::vector<ListenSpec>& wanted,
                                                     const Bind& bind) {
  Sockets opened;
  for (const ListenSpec& spec : wanted) {
    if (listens_.count(spec) > 0 || opened.count(spec) > 0) continue;
    if (both_.count(spec) > 0) {  // one socket is one listener
      listens_.insert(spec);
      continue;
    }
    auto given = given_.find(spec);
    auto socket = given != given_.end() ? sys::duplicate(given->second.get()) : bind(spec);
    // A host without IPv6 is no fault of a port that named no address.
    if (!socket && socket.error().sys() == EAFNOSUPPORT && spec.at.address.is_unspecified())
      continue;
    if (!socket) return std::move(socket.error());
    opened[spec] = std::move(*socket);
  }
  return opened;
}

std::vector<sys::UniqueFd> ContainerPorts::close() {
  std::vector<sys::UniqueFd> given;
  for (auto& [spec, socket] : given_) given.push_back(std::move(socket));
  listens_.clear();
  given_.clear();
  both_.clear();
  return given;
}

}  // namespace minke::netd
