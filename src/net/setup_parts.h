// What the files behind net/setup.h share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/nft.h"
#include "net/ruleset.h"
#include "net/setup.h"
#include "sys/netlink.h"

namespace minke::net {

// Settings below /proc/sys of one network namespace, which the thread is in while this lives.
class Settings {
 public:
  static Result<Settings> of(int netns);
  std::optional<std::string> get(const std::string& name) const;  // without the line's end
  // Nothing is written when it has that value; a setting that the kernel does not have is an error
  // of `set` alone.
  Status set(const std::string& name, std::string_view value) const;
  Status set_if_there(const std::string& name, std::string_view value) const;

 private:
  explicit Settings(sys::InNetns there) : there_(std::move(there)) {}
  sys::InNetns there_;
};

// An option that is a number; nothing when it is not there.
Result<std::optional<std::uint32_t>> option_number(const Network& network, const char* key,
                                                   std::uint32_t least, std::uint32_t most);

// An option that is on or off; `known`: what it may be, for the error.
Result<bool> option_flag(const Network& network, const char* key,
                         const char* known = "true or false");

class Links;
// Packets with the mark are for sockets of this namespace, whatever their destination.
Status lay_local_table(Links& links);
// The kernel's words for an expression, a target or a kind of chain that it does not have, or
// cannot use so.
bool is_not_known(const Error& error);

Result<sys::NetlinkSocket> open_nftables(const Place& place);

// Adds or replaces: what leads elsewhere goes in the same transaction.
Status put_elements(sys::NetlinkSocket& socket, const std::vector<SetElements>& all,
                    std::string_view what);
// Removes those that are there with the same data; data empty: with any.
Status drop_elements(sys::NetlinkSocket& socket, const std::vector<SetElements>& all,
                     std::string_view what);

// What allow_forwarding says: done, or for the host's administrator to do.
struct FirewallNote {
  std::string text;
  bool done = false;
};
Result<std::vector<FirewallNote>> settle_firewalls(const Place& place);
// Takes back what allow_forwarding has laid.
Status forget_forwarding(sys::NetlinkSocket& socket);

// Entries of the connection table whose client used one of these UDP ports of the host: they would
// lead on to where the port went before. Of an address, or (none) of any.
struct UdpPort {
  std::optional<IpAddress> address;
  std::uint16_t first = 0, count = 1;
};
Status forget_connections(sys::NetlinkSocket& socket, const Place& place,
                          const std::vector<UdpPort>& ports);

}  // namespace minke::net
