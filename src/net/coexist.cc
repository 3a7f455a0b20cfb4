// Other firewalls of the host. An accept in our table ends only our chain: theirs decide as well.
// What we accept bears a mark; they get one rule each that accepts the mark, so what is accepted
// stays one decision, made in one place, and a change of networks does not touch them.
#include <linux/netlink.h>

#include "base/str.h"
#include "net/setup_parts.h"

namespace minke::net {

namespace {

constexpr std::string_view kComment = "minke: what table inet minke accepts";

enum class Kind { ours_to_change, always_rejects, leave };

struct Firewall {
  const char* table;
  const char* forward;
  const char* input;
  Kind kind;
  const char* name;
};
// firewalld's chains accept by policy and reject by their last rule.
constexpr Firewall kFirewalls[] = {
    {"filter", "FORWARD", "INPUT", Kind::ours_to_change, "iptables (ufw, Docker)"},
    {"firewalld", "filter_FORWARD", "filter_INPUT", Kind::always_rejects, "firewalld"},
};

const char* family_name(std::uint8_t family) {
  switch (family) {
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_INET:
      return "inet";
    default:
      return "";
  }
}

const Firewall* known_firewall(const nft::ForeignChain& chain) {
  for (const auto& row : kFirewalls)
    if (chain.table == row.table && (chain.name == row.forward || chain.name == row.input))
      return &row;
  return nullptr;
}

bool concerns_us(const nft::ForeignChain& chain) {
  return chain.type == "filter" && *family_name(chain.family) != '\0' &&
         (chain.hook == NF_INET_FORWARD || chain.hook == NF_INET_LOCAL_IN) &&
         !(chain.family == NFPROTO_INET && chain.table == kTable);
}

std::string place_of(const nft::ForeignChain& chain) {
  return concat("table ", family_name(chain.family), " ", chain.table, ", chain ", chain.name);
}

Status insert_rule(sys::NetlinkSocket& socket, const nft::ForeignChain& chain) {
  nft::Rule rule;
  rule.load_meta(NFT_META_MARK).masked_u32(kMark, kMark).counter().verdict(NF_ACCEPT);
  nft::Transaction transaction(chain.family, chain.table);
  transaction.add_rule(chain.name, rule, true, kComment);
  return transaction.commit(socket, concat("add a rule to ", place_of(chain)));
}

// One line about a chain that would drop; empty when it would not or has its rule.
Result<std::string> allow_in(sys::NetlinkSocket& socket, const nft::ForeignChain& chain) {
  const Firewall* firewall = known_firewall(chain);
  const bool drops = chain.drops || (firewall && firewall->kind == Kind::always_rejects);
  if (!drops) return std::string();
  if (!firewall)
    return concat(place_of(chain),
                  " drops what it does not know: for containers it needs the rule ",
                  "meta mark and ", format("0x%x == 0x%x accept", kMark, kMark));
  auto rules = TRY(nft::find_rules(socket, chain.family, chain.table, chain.name, kComment));
  if (!rules.empty()) return std::string();
  auto status = insert_rule(socket, chain);
  if (status)
    return concat(firewall->name, ": ", place_of(chain), " drops: a rule that accepts containers' ",
                  "packets was put first in it");
  // firewalld may own its table (NftablesTableOwner=yes, the default from 2.2 on): nobody else
  // changes it.
  if (status.error().sys() == EPERM || status.error().sys() == EOPNOTSUPP)
    return concat(firewall->name, ": ", place_of(chain), " is closed to other programs: run ",
                  "firewall-cmd --permanent --zone=trusted --add-interface=NAME for each bridge");
  return std::move(status.error());
}

}  // namespace

Result<std::vector<std::string>> allow_forwarding(const Place& place) {
  std::vector<std::string> words;
  if (place.rootless) return words;
  auto socket = TRY(open_nftables(place));
  auto chains = TRY(nft::list_chains(socket));
  for (const auto& chain : chains) {
    if (!concerns_us(chain)) continue;
    auto line = TRY(allow_in(socket, chain));
    if (!line.empty()) words.push_back(std::move(line));
  }
  return words;
}

Status forget_forwarding(sys::NetlinkSocket& socket) {
  auto chains = TRY(nft::list_chains(socket));
  ErrorList errors;
  for (const auto& chain : chains) {
    if (!concerns_us(chain) || !known_firewall(chain)) continue;
    auto rules = TRY(nft::find_rules(socket, chain.family, chain.table, chain.name, kComment));
    nft::Transaction transaction(chain.family, chain.table);
    for (auto handle : rules) transaction.delete_rule(chain.name, handle);
    errors.add(transaction.commit(socket, concat("remove the rule from ", place_of(chain))));
  }
  return std::move(errors).to_status();
}

}  // namespace minke::net
