// Other firewalls of the host. An accept in our table ends only our chain: theirs decide as well.
// What we accept bears a mark; they get one rule each that accepts the mark, so what is accepted
// stays one decision, made in one place, and a change of networks does not touch them.
#include <linux/netlink.h>

#include "base/str.h"
#include "net/legacy_tables.h"
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

// A note about a chain that would drop; an empty one when it would not or has its rule.
Result<FirewallNote> allow_in(sys::NetlinkSocket& socket, const nft::ForeignChain& chain) {
  const Firewall* firewall = known_firewall(chain);
  const bool drops = chain.drops || (firewall && firewall->kind == Kind::always_rejects);
  if (!drops) return FirewallNote();
  if (!firewall)
    return FirewallNote{
        concat(place_of(chain), " drops what it does not know: for containers it needs the rule ",
               "meta mark and ", format("0x%x == 0x%x accept", kMark, kMark)),
        false};
  auto rules = TRY(nft::find_rules(socket, chain.family, chain.table, chain.name, kComment));
  if (!rules.empty()) return FirewallNote();
  auto status = insert_rule(socket, chain);
  if (status)
    return FirewallNote{
        concat(firewall->name, ": ", place_of(chain), " drops: a rule that accepts containers' ",
               "packets was put first in it"),
        true};
  // firewalld may own its table (NftablesTableOwner=yes, the default from 2.2 on): nobody else
  // changes it.
  if (status.error().sys() == EPERM || status.error().sys() == EOPNOTSUPP)
    return FirewallNote{
        concat(firewall->name, ": ", place_of(chain), " is closed to other programs: run ",
               "firewall-cmd --permanent --zone=trusted --add-interface=NAME for each bridge"),
        false};
  return std::move(status.error());
}

// The tables of iptables-legacy can only be replaced as a whole, under whoever else does so.
Result<std::vector<std::string>> legacy_words(const Place& place) {
  auto there = TRY(sys::InNetns::enter(place.netns));
  auto chains = TRY(dropping_legacy_chains());
  for (auto& chain : chains) {
    auto [program, name] = *split_once(chain, ',');
    chain = concat(chain, " drops what it does not know: for containers it needs ", program, " -I ",
                   name.substr(name.rfind(' ') + 1), " -m mark --mark ",
                   format("0x%x/0x%x", kMark, kMark), " -j ACCEPT");
  }
  return chains;
}

}  // namespace

Result<std::vector<FirewallNote>> settle_firewalls(const Place& place) {
  std::vector<FirewallNote> notes;
  if (place.rootless) return notes;
  auto socket = TRY(open_nftables(place));
  auto chains = TRY(nft::list_chains(socket));
  for (const auto& chain : chains) {
    if (!concerns_us(chain)) continue;
    auto note = TRY(allow_in(socket, chain));
    if (!note.text.empty()) notes.push_back(std::move(note));
  }
  auto legacy = TRY(legacy_words(place));
  for (auto& text : legacy) notes.push_back({std::move(text), false});
  return notes;
}

Result<std::vector<std::string>> allow_forwarding(const Place& place) {
  auto notes = TRY(settle_firewalls(place));
  std::vector<std::string> words;
  for (auto& note : notes) words.push_back(std::move(note.text));
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
