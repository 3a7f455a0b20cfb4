#include "net/ruleset.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "base/str.h"

namespace minke::net {

namespace {

using nft::Chain;
using nft::Fields;
using nft::Register;
using nft::Rule;
using nft::Transaction;
using nft::Type;

constexpr std::uint8_t kTcp = IPPROTO_TCP;
constexpr std::uint8_t kUdp = IPPROTO_UDP;
constexpr std::uint16_t kNamePort = 53;
constexpr std::string_view kAccepted = "accepted";

// Which sets there are, for each family where they hold addresses.
const std::vector<nft::Set>& table_sets() {
  static const std::vector<nft::Set> sets = {
      {"bridges", {Type::ifname}, {}},
      {"same", {Type::ifname, Type::ifname}, {}},  // each bridge with itself
      {"carried", {Type::ifname}, {}},             // those with a way out: not the internal ones
      {"internal", {Type::ifname}, {}},
      {"isolated", {Type::ifname}, {}},  // isolate=true and isolate=strict
      {"strict", {Type::ifname}, {}},
      {"subnets4", {Type::ipv4_addr}, {}, true},
      {"subnets6", {Type::ipv6_addr}, {}, true},
      {"names4", {Type::ifname, Type::ipv4_addr}, {Type::ipv4_addr, Type::inet_service}},
      {"names6", {Type::ifname, Type::ipv6_addr}, {Type::ipv6_addr, Type::inet_service}},
      {"ports4",
       {Type::inet_proto, Type::ipv4_addr, Type::inet_service},
       {Type::ipv4_addr, Type::inet_service}},
      {"ports6",
       {Type::inet_proto, Type::ipv6_addr, Type::inet_service},
       {Type::ipv6_addr, Type::inet_service}},
      {"anywhere4", {Type::inet_proto, Type::inet_service}, {Type::ipv4_addr, Type::inet_service}},
      {"anywhere6", {Type::inet_proto, Type::inet_service}, {Type::ipv6_addr, Type::inet_service}},
      {"loopback6", {Type::ipv6_addr}, {}},  // ::1, unless netd serves it
  };
  return sets;
}

// Chains of our own priorities: mangle (-150) is where tproxy must be, and the held SYN comes
// before it; the forward and input chains run before the other firewalls, which see the mark.
constexpr std::int32_t kRaw = -300, kHold = -160, kTake = -149, kDestination = -100, kFilter = -10,
                       kSource = 100;

const std::vector<Chain>& table_chains() {
  static const std::vector<Chain> chains = {
      {"accepted", "", 0, 0},
      {"martians", "filter", NF_INET_PRE_ROUTING, kRaw},
      {"hold", "filter", NF_INET_PRE_ROUTING, kHold},
      {"take", "filter", NF_INET_PRE_ROUTING, kTake},
      {"arriving", "nat", NF_INET_PRE_ROUTING, kDestination},
      {"starting", "nat", NF_INET_LOCAL_OUT, kDestination},
      {"leaving", "nat", NF_INET_POST_ROUTING, kSource},
      {"forward", "filter", NF_INET_FORWARD, kFilter},
      {"input", "filter", NF_INET_LOCAL_IN, kFilter},
  };
  return chains;
}

std::string u8_bytes(std::uint8_t number) { return std::string(1, static_cast<char>(number)); }
std::string bytes(std::initializer_list<unsigned> numbers) {
  std::string out;
  for (unsigned number : numbers) out += static_cast<char>(number);
  return out;
}

Rule& in_127(Rule& rule, bool source) {
  (source ? rule.source(false) : rule.destination(false));
  return rule.bitwise(bytes({255, 0, 0, 0}), bytes({0, 0, 0, 0}))
      .cmp(NFT_CMP_EQ, bytes({127, 0, 0, 0}));
}
std::string loopback_bytes() { return Fields().address(IpAddress::loopback(true)).bytes(); }

Rule& ct_status(Rule& rule, std::uint32_t bits) {
  return rule.load_ct(NFT_CT_STATUS).masked_u32(bits, 0, false);
}
Rule& established(Rule& rule) {
  constexpr std::uint32_t kEstablished = 1U << (IP_CT_ESTABLISHED + 1);
  constexpr std::uint32_t kRelated = 1U << (IP_CT_RELATED + 1);
  return rule.load_ct(NFT_CT_STATE).masked_u32(kEstablished | kRelated, 0, false);
}
// Within one bridge.
Rule& same_bridge(Rule& rule) {
  return rule.load_meta(NFT_META_IIFNAME).load_meta(NFT_META_OIFNAME, Register{4}).lookup("same");
}
Rule& put_mark(Rule& rule) {
  return rule.load_meta(NFT_META_MARK)
      .bitwise(nft::u32_bytes(~kMark), nft::u32_bytes(kMark))
      .set_mark();
}

// What was published with an address of its own, then what was published for all of the host's.
void add_published(Transaction& t, const char* chain, bool v6) {
  const unsigned words = v6 ? 4 : 1;
  Rule own;
  own.family(v6).load_meta(NFT_META_L4PROTO).destination(v6, Register{1});
  own.destination_port(Register{1 + words});
  own.lookup_data(v6 ? "ports6" : "ports4").dnat(v6, Register{0}, Register{words});
  t.add_rule(chain, own);
  Rule any;
  any.family(v6).load_destination_type().cmp(NFT_CMP_EQ, nft::u32_bytes(RTN_LOCAL));
  any.load_meta(NFT_META_L4PROTO).destination_port(Register{1});
  any.lookup_data(v6 ? "anywhere6" : "anywhere4").dnat(v6, Register{0}, Register{words});
  t.add_rule(chain, any);
}

void add_names(Transaction& t, bool v6, std::uint8_t protocol) {
  Rule rule;
  rule.family(v6).l4proto(protocol).destination_port();
  rule.cmp(NFT_CMP_EQ, bytes({0, kNamePort}));
  rule.load_meta(NFT_META_IIFNAME).destination(v6, Register{4});
  rule.lookup_data(v6 ? "names6" : "names4").dnat(v6, Register{0}, Register{v6 ? 4U : 1U});
  t.add_rule("arriving", rule);
}

void add_arriving(Transaction& t, bool rootless) {
  for (bool v6 : {false, true})
    for (std::uint8_t protocol : {kUdp, kTcp}) add_names(t, v6, protocol);
  if (rootless) return;
  // A neighbour on the host's link must not reach what was published for 127.0.0.1 alone.
  Rule martian;
  t.add_rule("arriving", in_127(martian.family(false), false).verdict(NFT_RETURN));
  for (bool v6 : {false, true}) add_published(t, "arriving", v6);
}

void add_starting(Transaction& t) {
  Rule proxied;
  proxied.family(true).destination(true).cmp(NFT_CMP_EQ, loopback_bytes());
  proxied.destination(true).lookup("loopback6", true).verdict(NFT_RETURN);
  t.add_rule("starting", proxied);
  for (bool v6 : {false, true}) add_published(t, "starting", v6);
}

void add_leaving(Transaction& t) {
  // A container that uses its own, or its neighbour's, published port: the answer must come back
  // here.
  Rule hairpin;
  t.add_rule("leaving", same_bridge(ct_status(hairpin, IPS_DST_NAT)).masquerade());
  // The same where the bridge itself calls netfilter: no incoming interface is named then.
  for (bool v6 : {false, true}) {
    Rule bridged;
    bridged.load_meta(NFT_META_IIFNAME).cmp(NFT_CMP_EQ, Fields().ifname("").bytes());
    ct_status(bridged.oifname("bridges"), IPS_DST_NAT).family(v6).source(v6);
    t.add_rule("leaving", bridged.lookup(v6 ? "subnets6" : "subnets4").masquerade());
  }
  // The host itself by its loopback addresses, which may not leave it.
  Rule four, six;
  t.add_rule("leaving", in_127(four.oifname("bridges").family(false), true).masquerade());
  six.oifname("bridges").family(true).source(true).cmp(NFT_CMP_EQ, loopback_bytes());
  t.add_rule("leaving", six.masquerade());
  // An internal network has no route back to a client of a published port.
  Rule internal;
  t.add_rule("leaving", ct_status(internal.oifname("internal"), IPS_DST_NAT).masquerade());
  // Out into the world. Between networks of ours and for multicast the address stays.
  for (bool v6 : {false, true}) {
    const char* subnets = v6 ? "subnets6" : "subnets4";
    Rule out;
    out.family(v6).source(v6).lookup(subnets).destination(v6).lookup(subnets, true);
    if (v6)
      out.destination(v6)
          .bitwise(bytes({0xff}) + std::string(15, '\0'), std::string(16, '\0'))
          .cmp(NFT_CMP_NEQ, bytes({0xff}) + std::string(15, '\0'));
    else
      out.destination(v6)
          .bitwise(bytes({0xf0, 0, 0, 0}), bytes({0, 0, 0, 0}))
          .cmp(NFT_CMP_NEQ, bytes({0xe0, 0, 0, 0}));
    t.add_rule("leaving", out.masquerade());
  }
}

void add_forward(Transaction& t) {
  Rule rules[10];
  int at = 0;
  auto next = [&]() -> Rule& { return rules[at++]; };
  t.add_rule("forward", same_bridge(next()).verdict(NFT_JUMP, kAccepted));
  t.add_rule("forward", next().iifname("isolated").oifname("isolated").verdict(NF_DROP));
  t.add_rule("forward", next().iifname("strict").oifname("bridges").verdict(NF_DROP));
  t.add_rule("forward", next().iifname("bridges").oifname("strict").verdict(NF_DROP));
  // In and out of an internal network: published ports for clients from outside, nothing else.
  t.add_rule("forward", next().iifname("bridges").oifname("internal").verdict(NF_DROP));
  t.add_rule("forward",
             ct_status(next().oifname("internal"), IPS_DST_NAT).verdict(NFT_JUMP, kAccepted));
  t.add_rule("forward", next().oifname("internal").verdict(NF_DROP));
  t.add_rule(
      "forward",
      established(ct_status(next().iifname("internal"), IPS_DST_NAT)).verdict(NFT_JUMP, kAccepted));
  t.add_rule("forward", next().iifname("internal").verdict(NF_DROP));
  t.add_rule("forward", next().iifname("bridges").verdict(NFT_JUMP, kAccepted));
  Rule answers, published;
  t.add_rule("forward", established(answers.oifname("bridges")).verdict(NFT_JUMP, kAccepted));
  t.add_rule("forward",
             ct_status(published.oifname("bridges"), IPS_DST_NAT).verdict(NFT_JUMP, kAccepted));
}

}  // namespace

void add_base(Transaction& t, bool rootless) {
  t.add_table();
  for (const auto& set : table_sets()) t.add_set(set);
  for (const auto& chain : table_chains()) {
    t.add_chain(chain);
    if (chain.name != "hold" && chain.name != "take") t.flush_chain(chain.name);
  }
  Rule mark;
  t.add_rule(kAccepted, put_mark(mark).verdict(NF_ACCEPT));
  // route_localnet lets the bridges' packets reach 127.0.0.0/8 (and N's transparent listeners are
  // there): nothing that a container sends to it may arrive.
  Rule martian;
  t.add_rule("martians", in_127(martian.iifname("bridges").family(false), false).verdict(NF_DROP));
  add_arriving(t, rootless);
  if (!rootless) add_starting(t);
  add_leaving(t);
  add_forward(t);
  // Questions for names, led to netd: the only packets from bridges to the host that are led.
  Rule names;
  t.add_rule("input",
             ct_status(names.iifname("bridges"), IPS_DST_NAT).verdict(NFT_JUMP, kAccepted));
  t.add_elements("bridges", {{Fields().ifname(kLayout).bytes(), {}, false}});
}

namespace {

void add_own_returns(Transaction& t, const char* chain) {
  Rule others;
  t.add_rule(chain, others.iifname("carried", true).verdict(NFT_RETURN));
  for (bool v6 : {false, true}) {
    Rule own;
    own.family(v6).destination(v6).lookup(v6 ? "subnets6" : "subnets4");
    t.add_rule(chain, own.verdict(NFT_RETURN));
  }
}

void add_hold(Transaction& t, const InsidePorts& ports, Queue queue) {
  constexpr unsigned kFinSynRstAck = 0x17, kSyn = 0x02, kFlagsAt = 13;
  add_own_returns(t, "hold");
  for (bool v6 : {false, true}) {
    if ((v6 ? ports.tcp6 : ports.tcp4) == 0) continue;
    Rule syn;
    syn.family(v6).l4proto(kTcp).load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, kFlagsAt, 1);
    syn.bitwise(bytes({kFinSynRstAck}), bytes({0})).cmp(NFT_CMP_EQ, bytes({kSyn}));
    if (queue == Queue::nft) {
      syn.queue(ports.queue);
    } else {
      // struct xt_NFQ_info_v2: number, how many queues, bypass; padded to eight bytes.
      std::uint16_t info[4] = {ports.queue, 1, 1, 0};
      syn.xtables_target("NFQUEUE", 2, {reinterpret_cast<const char*>(info), sizeof info});
    }
    t.add_rule("hold", syn);
  }
}

struct HeldRefusal {
  std::uint32_t mark;
  std::uint8_t code;  // of both families
};
constexpr HeldRefusal kHeldRefusals[] = {
    {kHeldNoRoute, NFT_REJECT_ICMPX_NO_ROUTE},
    {kHeldUnreachable, NFT_REJECT_ICMPX_HOST_UNREACH},
    {kHeldProhibited, NFT_REJECT_ICMPX_ADMIN_PROHIBITED},
};

void add_refusals(Transaction& t) {
  Rule reset;
  reset.load_meta(NFT_META_MARK).cmp(NFT_CMP_EQ, nft::u32_bytes(kHeldRefused)).l4proto(kTcp);
  t.add_rule("take", reset.reject(NFT_REJECT_TCP_RST, 0));
  for (const auto& row : kHeldRefusals) {
    Rule refusal;
    refusal.load_meta(NFT_META_MARK).cmp(NFT_CMP_EQ, nft::u32_bytes(row.mark));
    t.add_rule("take", refusal.reject(NFT_REJECT_ICMPX_UNREACH, row.code));
  }
}

void add_tproxy(Transaction& t, bool v6, std::uint16_t port) {
  Rule rule;
  rule.family(v6).l4proto(kTcp);
  rule.load_value(Fields().address(IpAddress::loopback(v6)).bytes());
  rule.load_value(Fields().service(port).bytes().substr(0, 2), Register{4});
  rule.tproxy(v6, Register{0}, Register{4});
  t.add_rule("take", put_mark(rule).verdict(NF_ACCEPT));
}

}  // namespace

void add_inside(Transaction& t, const InsidePorts& ports, Queue queue, bool transparent) {
  t.flush_chain("hold").flush_chain("take");
  bool carries = queue != Queue::none && (ports.tcp4 != 0 || ports.tcp6 != 0);
  if (carries) add_hold(t, ports, queue);
  Rule others;
  t.add_rule("take", others.iifname("bridges", true).verdict(NFT_RETURN));
  if (carries) add_refusals(t);
  if (transparent) {
    // Answers to a socket that bears a client's address, and packets of connections that netd has
    // taken: for both the socket lookup finds a transparent one.
    Rule sockets;
    sockets.load_socket(NFT_SOCKET_TRANSPARENT).cmp(NFT_CMP_EQ, u8_bytes(1));
    t.add_rule("take", put_mark(sockets).verdict(NF_ACCEPT));
  }
  if (!carries) return;
  add_own_returns(t, "take");
  if (ports.tcp4 != 0) add_tproxy(t, false, ports.tcp4);
  if (ports.tcp6 != 0) add_tproxy(t, true, ports.tcp6);
}

std::vector<SetElements> network_elements(const Network& network) {
  const std::string name = Fields().ifname(network.interface).bytes();
  std::vector<SetElements> out = {{"bridges", {{name, {}, false}}},
                                  {"same", {{name + name, {}, false}}}};
  out.push_back({network.internal ? "internal" : "carried", {{name, {}, false}}});
  if (const std::string* isolate = network.option("isolate")) {
    bool strict = *isolate == "strict";
    if (strict || parse_bool(*isolate).value_or(false))
      out.push_back({"isolated", {{name, {}, false}}});
    if (strict) out.push_back({"strict", {{name, {}, false}}});
  }
  for (const auto& subnet : network.subnets)
    out.push_back(
        {subnet.subnet.address.v6 ? "subnets6" : "subnets4", nft::prefix_elements(subnet.subnet)});
  return out;
}

std::vector<SetElements> name_elements(const Network& network, std::uint16_t port) {
  std::vector<SetElements> out;
  for (const auto& subnet : network.subnets) {
    if (!subnet.gateway) continue;
    const IpAddress& gateway = *subnet.gateway;
    out.push_back({gateway.v6 ? "names6" : "names4",
                   {{Fields().ifname(network.interface).address(gateway).bytes(),
                     Fields().address(gateway).service(port).bytes(), false}}});
  }
  return out;
}

SetElements loopback6_element() { return {"loopback6", {{loopback_bytes(), {}, false}}}; }

std::uint8_t protocol_number(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return IPPROTO_TCP;
    case Protocol::udp:
      return IPPROTO_UDP;
    case Protocol::sctp:
      return IPPROTO_SCTP;
  }
  return 0;
}

PublishTarget publish_target(const AttachmentRecord& record) {
  PublishTarget target;
  for (bool internal : {false, true}) {
    for (const auto& network : record.networks) {
      // Of a macvlan or ipvlan the host is no router: its containers are on the parent's link.
      if (network.internal != internal || (!network.driver.empty() && network.driver != "bridge"))
        continue;
      for (const auto& prefix : network.addresses) {
        auto& slot = prefix.address.v6 ? target.v6 : target.v4;
        if (!slot) slot = prefix.address;
      }
    }
  }
  return target;
}

std::vector<SetElements> port_elements(const AttachmentRecord& record) {
  SetElements own4{"ports4", {}}, own6{"ports6", {}}, any4{"anywhere4", {}}, any6{"anywhere6", {}};
  PublishTarget target = publish_target(record);
  for (const auto& mapping : record.ports) {
    const std::uint8_t protocol = protocol_number(mapping.protocol);
    const bool all = !mapping.host_ip || mapping.host_ip->is_unspecified();
    for (bool v6 : {false, true}) {
      const auto& to = v6 ? target.v6 : target.v4;
      if (!to || (mapping.host_ip && mapping.host_ip->v6 != v6)) continue;
      for (std::uint16_t i = 0; i < mapping.range; ++i) {
        Fields key, data;
        key.protocol(protocol);
        if (!all) key.address(*mapping.host_ip);
        key.service(static_cast<std::uint16_t>(mapping.host_port + i));
        data.address(*to).service(static_cast<std::uint16_t>(mapping.container_port + i));
        auto& set = all ? (v6 ? any6 : any4) : (v6 ? own6 : own4);
        set.elements.push_back({key.bytes(), data.bytes(), false});
      }
    }
  }
  std::vector<SetElements> out;
  for (auto* set : {&own4, &own6, &any4, &any6})
    if (!set->elements.empty()) out.push_back(std::move(*set));
  return out;
}

}  // namespace minke::net
