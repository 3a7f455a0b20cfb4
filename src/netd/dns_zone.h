// The names of containers, and who may see which. A container that asks sees the names of all
// networks that it is on, and no others; nobody else's names ever leave for an upstream server.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/address.h"
#include "net/attachment.h"

namespace minke::netd {

class DnsZone {
 public:
  enum class Kind {
    foreign,  // not a name of ours: for the upstream servers
    absent,   // ours, and there is no such name (or not for this asker)
    found,    // there is; `addresses` has those of the asked family, perhaps none
  };
  struct Names {
    Kind kind = Kind::foreign;
    std::vector<net::IpAddress> addresses;
  };
  struct Pointer {
    Kind kind = Kind::foreign;
    std::string name;
  };

  // Replaces what is known of that container.
  void set(const net::AttachmentRecord& record);
  void remove(std::string_view id);

  // `network`: on whose gateway the question came; `asker`: its source address.
  Names look_up(std::string_view network, const net::IpAddress& asker, std::string_view name,
                bool v6) const;
  Pointer reverse(std::string_view network, const net::IpAddress& asker,
                  const net::IpAddress& address) const;
  // Whether every network of the asker is internal: then nothing is asked outside.
  bool is_internal(std::string_view network, const net::IpAddress& asker) const;
  // Of --dns of the asker's container: asked in place of the network's and the host's.
  std::vector<net::IpAddress> servers_of(std::string_view network,
                                         const net::IpAddress& asker) const;
  std::size_t names() const;
  std::size_t containers() const { return containers_.size(); }

 private:
  struct Address {
    net::IpAddress address;
    std::string id;
  };
  struct Network {
    std::unordered_map<std::string, std::vector<Address>> names;
    std::map<net::IpAddress, std::string> ids;  // whose an address is
    std::vector<net::IpPrefix> subnets;
    bool internal = false, dns = true;
    std::size_t members = 0;
  };
  struct Container {
    std::string name;
    std::vector<std::string> networks;
    std::vector<net::IpAddress> servers;
    // (network, name): what to take out again.
    std::vector<std::pair<std::string, std::string>> entries;
  };
  const Container* container_of(std::string_view network, const net::IpAddress& asker) const;
  // The networks whose names the asker sees: those of its container, or the one it asks on.
  std::vector<const Network*> visible(std::string_view network, const net::IpAddress& asker) const;

  std::map<std::string, Network, std::less<>> networks_;
  std::map<std::string, Container, std::less<>> containers_;
  std::unordered_map<std::string, std::size_t> all_names_;  // on any network, how often
};

}  // namespace minke::netd
