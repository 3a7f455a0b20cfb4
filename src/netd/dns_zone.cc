#include "netd/dns_zone.h"

#include <algorithm>

#include "base/str.h"

namespace minke::netd {
namespace {

constexpr std::size_t kShortId = 12, kMaxNames = 256;
// The domain that Podman's containers search, for files that were written for it.
constexpr std::string_view kDomain = ".dns.podman";

std::vector<std::string> names_of(const net::AttachmentRecord& record,
                                  const net::Attachment& attachment) {
  std::vector<std::string> names = {record.name, record.id.substr(0, kShortId)};
  names.insert(names.end(), attachment.aliases.begin(), attachment.aliases.end());
  for (std::string& name : names) {
    name = to_lower(name);
    if (name.ends_with('.')) name.pop_back();
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (!names.empty() && names.front().empty()) names.erase(names.begin());
  if (names.size() > kMaxNames) names.resize(kMaxNames);
  return names;
}

// A record without the member says nothing of servers.
template <typename Record>
std::vector<net::IpAddress> servers_in(const Record& record) {
  if constexpr (requires { record.dns; })
    return record.dns;
  else
    return {};
}

}  // namespace

void DnsZone::set(const net::AttachmentRecord& record) {
  remove(record.id);
  Container& container = containers_[record.id];
  container.name = record.name;
  container.servers = servers_in(record);
  for (const net::Attachment& attachment : record.networks) {
    Network& network = networks_[attachment.network];
    ++network.members;
    network.internal = attachment.internal;
    network.dns = attachment.dns_enabled;
    container.networks.push_back(attachment.network);
    for (const net::IpPrefix& address : attachment.addresses) {
      network.ids[address.address] = record.id;
      if (std::find(network.subnets.begin(), network.subnets.end(), address.masked()) ==
          network.subnets.end())
        network.subnets.push_back(address.masked());
    }
    if (!attachment.dns_enabled) continue;
    for (std::string& name : names_of(record, attachment)) {
      std::vector<Address>& addresses = network.names[name];
      for (const net::IpPrefix& address : attachment.addresses)
        addresses.push_back({address.address, record.id});
      ++all_names_[name];
      container.entries.emplace_back(attachment.network, std::move(name));
    }
  }
}

void DnsZone::remove(std::string_view id) {
  auto found = containers_.find(id);
  if (found == containers_.end()) return;
  for (const auto& [network, name] : found->second.entries) {
    if (auto count = all_names_.find(name); count != all_names_.end() && --count->second == 0)
      all_names_.erase(count);
    auto where = networks_.find(network);
    if (where == networks_.end()) continue;
    auto entry = where->second.names.find(name);
    if (entry == where->second.names.end()) continue;
    std::erase_if(entry->second, [&](const Address& address) { return address.id == id; });
    if (entry->second.empty()) where->second.names.erase(entry);
  }
  for (const std::string& network : found->second.networks) {
    auto where = networks_.find(network);
    if (where == networks_.end()) continue;
    std::erase_if(where->second.ids, [&](const auto& owner) { return owner.second == id; });
    if (--where->second.members == 0) networks_.erase(where);
  }
  containers_.erase(found);
}

const DnsZone::Container* DnsZone::container_of(std::string_view network,
                                                const net::IpAddress& asker) const {
  auto here = networks_.find(network);
  if (here == networks_.end()) return nullptr;
  auto owner = here->second.ids.find(asker);
  if (owner == here->second.ids.end()) return nullptr;
  auto container = containers_.find(owner->second);
  return container == containers_.end() ? nullptr : &container->second;
}

std::vector<net::IpAddress> DnsZone::servers_of(std::string_view network,
                                                const net::IpAddress& asker) const {
  const Container* container = container_of(network, asker);
  return container == nullptr ? std::vector<net::IpAddress>() : container->servers;
}

std::vector<const DnsZone::Network*> DnsZone::visible(std::string_view network,
                                                      const net::IpAddress& asker) const {
  std::vector<const Network*> seen;
  auto here = networks_.find(network);
  if (here == networks_.end()) return seen;
  seen.push_back(&here->second);
  const Container* container = container_of(network, asker);
  if (container == nullptr) return seen;
  for (const std::string& name : container->networks) {
    auto other = networks_.find(name);
    if (other != networks_.end() && &other->second != seen.front()) seen.push_back(&other->second);
  }
  return seen;
}

DnsZone::Names DnsZone::look_up(std::string_view network, const net::IpAddress& asker,
                                std::string_view name, bool v6) const {
  Names result;
  bool in_domain = name.ends_with(kDomain);
  std::string key(in_domain ? name.substr(0, name.size() - kDomain.size()) : name);
  for (const Network* seen : visible(network, asker)) {
    auto entry = seen->names.find(key);
    if (entry == seen->names.end()) continue;
    result.kind = Kind::found;
    for (const Address& address : entry->second)
      if (address.address.v6 == v6) result.addresses.push_back(address.address);
  }
  // A container's name that this asker may not see is nobody's business outside either. One with
  // dots is the world's too: an alias mail.example.org of one network does not hide the real one
  // from the others.
  const bool hidden = key.find('.') == std::string::npos && all_names_.count(key) > 0;
  if (result.kind == Kind::foreign && (in_domain || name == kDomain.substr(1) || hidden))
    result.kind = Kind::absent;
  return result;
}

DnsZone::Pointer DnsZone::reverse(std::string_view network, const net::IpAddress& asker,
                                  const net::IpAddress& address) const {
  for (const Network* seen : visible(network, asker)) {
    auto owner = seen->ids.find(address);
    if (owner == seen->ids.end() || !seen->dns) continue;
    auto container = containers_.find(owner->second);
    if (container != containers_.end()) return {Kind::found, container->second.name};
  }
  for (const auto& [name, other] : networks_)
    for (const net::IpPrefix& subnet : other.subnets)
      if (subnet.address.v6 == address.v6 && subnet.contains(address)) return {Kind::absent, {}};
  return {};
}

bool DnsZone::is_internal(std::string_view network, const net::IpAddress& asker) const {
  auto seen = visible(network, asker);
  return !seen.empty() &&
         std::all_of(seen.begin(), seen.end(), [](const Network* n) { return n->internal; });
}

std::size_t DnsZone::names() const { return all_names_.size(); }

}  // namespace minke::netd
