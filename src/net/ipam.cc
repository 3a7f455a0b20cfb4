#include "net/ipam.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/str.h"
#include "sys/fd.h"

namespace minke::net {
namespace {

// What may be leased: not the network's own address, not the broadcast address.
IpRange lease_bounds(const Subnet& subnet) {
  IpRange bounds{subnet.subnet.network().next(), subnet.subnet.last()};
  if (!subnet.subnet.address.v6) bounds.last = bounds.last.previous();
  if (subnet.lease_range) {
    bounds.first = std::max(bounds.first, subnet.lease_range->first);
    bounds.last = std::min(bounds.last, subnet.lease_range->last);
  }
  return bounds;
}

Error all_taken(const Network& network, const IpRange& bounds) {
  return Error(Errc::unavailable,
               concat("IPAM error: failed to find free IP in range: ", bounds.first.text(), " - ",
                      bounds.last.text(), " of network ", network.name));
}

}  // namespace

// Beside the folder, so that every name in it is an address.
std::string Ipam::last_path(const Subnet& subnet) const {
  return concat(dir_, "/../last-", subnet.subnet.network().text());
}

Result<Ipam::Take> Ipam::take(const std::string& id, const IpAddress& address) const {
  const std::string name = path(address);
  const auto cwd = sys::DirFd::cwd();
  Status made = sys::symlink_at(id.c_str(), cwd, name.c_str());
  if (!made && made.error().code() == Errc::not_found) {
    TRY(sys::ensure_dirs(dir_, 0700));
    made = sys::symlink_at(id.c_str(), cwd, name.c_str());
  }
  if (made) return Take::done;
  if (made.error().code() != Errc::already_exists) return std::move(made.error());
  return Take::taken;
}

Result<std::optional<IpAddress>> Ipam::next_free(const Subnet& subnet,
                                                 const std::string& id) const {
  const IpRange bounds = lease_bounds(subnet);
  if (bounds.last < bounds.first) return std::optional<IpAddress>();
  const std::uint64_t count = bounds.first.distance_to(bounds.last);
  IpAddress address = bounds.first;
  if (auto text = sys::read_small_file(last_path(subnet), 64))
    if (auto last = IpAddress::parse(trim(*text)); last && bounds.contains(*last))
      address = *last == bounds.last ? bounds.first : last->next();
  for (std::uint64_t i = 0;; ++i) {
    if (address != subnet.gateway && TRY(take(id, address)) == Take::done) {
      // Its loss only has an address given again sooner.
      ignore(sys::write_file(last_path(subnet), address.text() + "\n", 0600), "see above");
      return std::optional(address);
    }
    if (i == count) return std::optional<IpAddress>();
    address = address == bounds.last ? bounds.first : address.next();
  }
}

Result<IpAddress> Ipam::lease_in(const Subnet& subnet, const std::string& id,
                                 const Wish& wish) const {
  for (const IpAddress& fixed : wish.fixed) {
    if (!subnet.subnet.contains(fixed)) continue;
    if (fixed == subnet.gateway)
      return Error(Errc::invalid_argument, concat("IPAM error: requested static ip ", fixed.text(),
                                                  " is the gateway of network ", network_.name));
    if (fixed == subnet.subnet.network() || (!fixed.v6 && fixed == subnet.subnet.last()))
      return Error(Errc::invalid_argument,
                   concat("IPAM error: requested static ip ", fixed.text(),
                          " stands for all of subnet ", subnet.subnet.text()));
    for (int tries = 0;; ++tries) {
      if (TRY(take(id, fixed)) == Take::done) return fixed;
      auto owner = sys::read_link_at(sys::DirFd::cwd(), path(fixed).c_str());
      if (owner && *owner == id) return fixed;
      if (owner && tries < 2 && wish.is_there && !wish.is_there(*owner)) {
        TRY(release(*owner, {IpPrefix::host(fixed)}));
        continue;
      }
      if (!owner && tries < 2) continue;  // released meanwhile
      return Error(Errc::in_use, concat("IPAM error: requested ip address ", fixed.text(),
                                        " is already allocated to container ID ",
                                        std::move(owner).value_or("unknown")));
    }
  }
  for (const IpAddress& preferred : wish.preferred)
    if (lease_bounds(subnet).contains(preferred) && preferred != subnet.gateway &&
        TRY(take(id, preferred)) == Take::done)
      return preferred;
  auto found = TRY(next_free(subnet, id));
  // Before it is said that there is none: those of containers that are gone.
  if (!found && wish.is_there && TRY(release_stale(wish.is_there)) > 0)
    found = TRY(next_free(subnet, id));
  if (!found) return all_taken(network_, lease_bounds(subnet));
  return *found;
}

Result<std::vector<IpPrefix>> Ipam::lease(const std::string& id, const Wish& wish) const {
  for (const IpAddress& fixed : wish.fixed)
    if (network_.subnet_of(fixed) == nullptr)
      return Error(Errc::invalid_argument, concat("requested static ip ", fixed.text(),
                                                  " not in any subnet on network ", network_.name));
  std::vector<IpPrefix> leased;
  for (const Subnet& subnet : network_.subnets) {
    auto address = lease_in(subnet, id, wish);
    if (!address) {
      ignore(release(id, leased), "the reason comes first");
      return std::move(address.error());
    }
    leased.push_back({*address, subnet.subnet.length});
    failpoint("net.lease", static_cast<int>(leased.size()));
  }
  return leased;
}

Status Ipam::release(const std::string& id, const std::vector<IpPrefix>& addresses) const {
  ErrorList errors;
  for (const IpPrefix& prefix : addresses) {
    const std::string name = path(prefix.address);
    auto owner = sys::read_link_at(sys::DirFd::cwd(), name.c_str());
    if (owner && *owner == id) errors.add(sys::unlink_at(sys::DirFd::cwd(), name.c_str()));
  }
  return std::move(errors).to_status();
}

Result<std::map<IpAddress, std::string>> Ipam::list() const {
  std::map<IpAddress, std::string> leases;
  auto folder = sys::open_dir(dir_);
  if (!folder) {
    if (folder.error().code() == Errc::not_found) return leases;
    return std::move(folder.error());
  }
  for (const std::string& name : TRY(sys::list_dir(*folder))) {
    auto address = IpAddress::parse(name);
    auto owner = sys::read_link_at(*folder, name.c_str());
    if (address && owner) leases.emplace(*address, std::move(*owner));
  }
  return leases;
}

Status Ipam::release_all(const std::string& id) const {
  ErrorList errors;
  for (const auto& [address, owner] : TRY(list()))
    if (owner == id) errors.add(release(id, {IpPrefix::host(address)}));
  return std::move(errors).to_status();
}

Result<int> Ipam::release_stale(const std::function<bool(const std::string& id)>& is_there) const {
  int count = 0;
  std::map<std::string, bool> known;  // one has several addresses
  for (const auto& [address, owner] : TRY(list())) {
    auto [entry, fresh] = known.try_emplace(owner, true);
    if (fresh) entry->second = is_there(owner);
    if (entry->second) continue;
    TRY(release(owner, {IpPrefix::host(address)}));
    ++count;
  }
  return count;
}

}  // namespace minke::net
