// nf_tables spoken directly: tables, chains, sets, maps, elements and rules as small expressions,
// sent as one transaction. No library and no program beside it. What a rule says is built from the
// same expressions that nft(8) would send, so `nft list ruleset` shows it in nft's own words.
#pragma once

#include <arpa/inet.h>  // before the kernel's own: they agree in this order
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "sys/netlink.h"

namespace minke::net::nft {

// nft(8)'s numbers of data types, six bits each in a concatenation.
enum class Type : std::uint32_t {
  ipv4_addr = 7,
  ipv6_addr = 8,
  inet_proto = 12,
  inet_service = 13,
  ifname = 41,
};

struct Set {
  std::string name;
  std::vector<Type> key;
  std::vector<Type> data;  // none: a set; else a map
  bool interval = false;   // of one key field
};

// Fields one after the other, each padded to four bytes, as keys and data of concatenations are.
class Fields {
 public:
  Fields& address(const IpAddress& address);
  Fields& service(std::uint16_t port);
  Fields& protocol(std::uint8_t number);
  Fields& ifname(std::string_view name);
  const std::string& bytes() const { return bytes_; }

 private:
  Fields& add(const void* data, std::size_t size);
  std::string bytes_;
};

struct Element {
  std::string key;
  std::string data;           // of maps
  bool interval_end = false;  // the first key behind an interval
  auto operator<=>(const Element&) const = default;
};

// The two elements of an interval set that a prefix is; at the family's end there is no second one.
std::vector<Element> prefix_elements(const IpPrefix& prefix);

struct Chain {
  std::string name;
  std::string type;  // filter, nat, route; empty: no hook, reached by jump
  std::uint32_t hook = 0;
  std::int32_t priority = 0;
  bool drops = false;  // its policy
};

// A register by its number of four bytes; sixteen of them.
struct Register {
  unsigned number = 0;
};

// One rule: expressions in the order in which the kernel carries them out. `load_*` fill a
// register, `cmp`, `lookup` and the like end the rule for a packet that does not fit.
class Rule {
 public:
  Rule& load_meta(std::uint32_t key, Register to = {});
  Rule& load_ct(std::uint32_t key, Register to = {});
  Rule& load_payload(std::uint32_t base, std::uint32_t offset, std::uint32_t size,
                     Register to = {});
  Rule& load_socket(std::uint32_t key, Register to = {});
  // Whose address the packet's destination is: RTN_LOCAL, ...
  Rule& load_destination_type(Register to = {});
  Rule& load_value(std::string_view bytes, Register to = {});
  // register = (register & mask) ^ flip
  Rule& bitwise(std::string_view mask, std::string_view flip, Register at = {});
  Rule& cmp(std::uint32_t op, std::string_view bytes, Register of = {});
  Rule& lookup(std::string_view set, bool inverted = false, Register key = {});
  Rule& lookup_data(std::string_view map, Register key = {}, Register to = {});
  Rule& set_mark(Register from = {});
  Rule& set_connection_mark(Register from = {});
  Rule& dnat(bool v6, Register address, Register port);
  Rule& masquerade();
  Rule& reject(std::uint32_t type, std::uint8_t code);
  Rule& queue(std::uint16_t number);  // with bypass: nobody listens: go on
  // An extension of xtables, by nft's compat module.
  Rule& xtables_target(std::string_view name, std::uint32_t revision, std::string_view info);
  Rule& tproxy(bool v6, Register address, Register port);
  Rule& verdict(std::int32_t code, std::string_view chain = {});
  Rule& counter();

  // What nearly every rule begins with.
  Rule& iifname(std::string_view set, bool inverted = false);
  Rule& oifname(std::string_view set, bool inverted = false);
  Rule& family(bool v6);
  Rule& l4proto(std::uint8_t number);
  Rule& masked_u32(std::uint32_t mask, std::uint32_t value, bool equal = true);  // host order
  Rule& source(bool v6, Register to = {});
  Rule& destination(bool v6, Register to = {});
  Rule& destination_port(Register to = {});

 private:
  friend class Transaction;
  template <typename Fill>
  Rule& expression(std::string_view name, Fill fill);
  sys::NetlinkRequest list_;  // attributes alone
};

std::string u32_bytes(std::uint32_t host_order);

// Changes to one table, all or nothing.
class Transaction {
 public:
  Transaction(std::uint8_t family, std::string table);
  Transaction& add_table();                // also when it is there
  Transaction& delete_table();             // it must be there
  Transaction& add_set(const Set& set);    // also when it is there, just so
  Transaction& add_chain(const Chain& c);  // the same
  Transaction& flush_chain(std::string_view chain);
  // At the end of the chain, or at its beginning.
  Transaction& add_rule(std::string_view chain, const Rule& rule, bool first = false,
                        std::string_view comment = {});
  Transaction& delete_rule(std::string_view chain, std::uint64_t handle);
  // An element that is there already with other data makes EEXIST or EBUSY.
  Transaction& add_elements(std::string_view set, const std::vector<Element>& elements);
  Transaction& delete_elements(std::string_view set, const std::vector<Element>& elements);
  // Fails with EAGAIN or ERESTART when the ruleset is no more of that generation.
  Transaction& only_in_generation(std::uint32_t generation);

  bool empty() const { return request_.count() <= 1; }
  Status commit(sys::NetlinkSocket& socket, std::string_view what);

 private:
  sys::NetlinkRequest& message(std::uint16_t type, std::uint16_t flags);
  Transaction& elements(std::uint16_t type, std::uint16_t flags, std::string_view set,
                        const std::vector<Element>& elements);
  std::uint8_t family_;
  std::string table_;
  sys::NetlinkRequest request_;
  std::uint32_t generation_ = 0;
};

// The elements of `wanted` that are in the set, with the data they have there; the set or table
// missing is the same as no element.
Result<std::vector<Element>> find_elements(sys::NetlinkSocket& socket, std::uint8_t family,
                                           std::string_view table, std::string_view set,
                                           const std::vector<Element>& wanted);
Result<std::vector<Element>> list_elements(sys::NetlinkSocket& socket, std::uint8_t family,
                                           std::string_view table, std::string_view set);
Result<std::uint32_t> generation(sys::NetlinkSocket& socket);

// A base chain of any table.
struct ForeignChain {
  std::uint8_t family = 0;
  std::string table, name, type;
  std::uint32_t hook = 0;
  bool drops = false;  // its policy
};
Result<std::vector<ForeignChain>> list_chains(sys::NetlinkSocket& socket);

// Handles of the rules of a chain that bear this comment.
Result<std::vector<std::uint64_t>> find_rules(sys::NetlinkSocket& socket, std::uint8_t family,
                                              std::string_view table, std::string_view chain,
                                              std::string_view comment);

}  // namespace minke::net::nft
