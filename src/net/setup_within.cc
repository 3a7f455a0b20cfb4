// A container whose only device is a helper program's (slirp4netns): no bridge leads to it, so
// netd makes the sockets that speak for clients within its namespace, bound to the clients'
// addresses. What the container answers is routed out by the device, unless it is told otherwise:
// the connection remembers whose socket began it, and its answers are routed again, to here.
#include <arpa/inet.h>  // before the kernel's own: they agree in this order
#include <linux/netfilter/nf_conntrack_tuple_common.h>

#include <algorithm>
#include <cerrno>

#include "base/str.h"
#include "net/link.h"
#include "net/setup_parts.h"

namespace minke::net {
namespace {

constexpr std::int32_t kMangle = -150;
constexpr std::uint32_t kLateMetric = 2048;  // the helper's own route, once it has come, is better
constexpr const char* kChain = "answers";

nft::Rule& add_bit(nft::Rule& rule) {
  return rule.bitwise(nft::u32_bytes(~kMark), nft::u32_bytes(kMark));
}

Status lay_answers(int netns) {
  auto socket = TRY(open_nftables({netns, true, {}}));
  nft::Transaction t(NFPROTO_INET, kTable);
  t.add_table();
  t.add_chain({kChain, "route", NF_INET_LOCAL_OUT, kMangle}).flush_chain(kChain);
  nft::Rule ours, answer;
  ours.load_meta(NFT_META_MARK).masked_u32(kMark, kMark);
  t.add_rule(kChain, add_bit(ours.load_ct(NFT_CT_MARK)).set_connection_mark());
  const std::string reply(1, static_cast<char>(IP_CT_DIR_REPLY));
  answer.load_ct(NFT_CT_DIRECTION).cmp(NFT_CMP_EQ, reply);
  answer.load_ct(NFT_CT_MARK).masked_u32(kMark, kMark);
  t.add_rule(kChain, add_bit(answer.load_meta(NFT_META_MARK)).set_mark());
  return t.commit(socket, "table inet minke of the container");
}

bool has_no_v6(const Error& error) {
  // EACCES: switched off for the interface.
  return error.sys() == EAFNOSUPPORT || error.sys() == EOPNOTSUPP || error.sys() == EACCES;
}

Status keep_own_address(int netns, const std::string& interface) {
  auto settings = TRY(Settings::of(netns));
  return settings.set_if_there(concat("ipv6/conf/", interface, "/autoconf"), "0");
}

// Addresses of IPv6 and a default route by the gateway, at once: the helper's own route comes with
// its first advertisement. No address does: it would be the source of what a server answers to a
// datagram that came to ours (the newest one is, among equals).
Status add_v6(Links& links, Attachment* device, int container_netns) {
  const Link link = TRY(links.get(device->interface));
  LinkBatch batch;
  bool any = false;
  for (const IpPrefix& address : device->addresses) {
    if (!address.address.v6) continue;
    any = true;
    batch.add_address(link.index, link.name, address);
  }
  if (!any) return {};
  TRY(keep_own_address(container_netns, device->interface));
  Status added = links.run(batch);
  if (!added && has_no_v6(added.error())) {
    std::erase_if(device->addresses, [](const IpPrefix& p) { return p.address.v6; });
    std::erase_if(device->gateways, [](const IpAddress& g) { return g.v6; });
    return {};
  }
  TRY(std::move(added));
  for (const IpAddress& gateway : device->gateways) {
    if (!gateway.v6) continue;
    RouteSpec route;
    route.destination = {IpAddress::any(true), 0};
    route.gateway = gateway;
    route.index = link.index;
    route.metric = kLateMetric;
    LinkBatch routes;
    Status routed = links.run(routes.add_route(route));
    if (!routed && routed.error().sys() != EEXIST) return routed;
  }
  return {};
}

}  // namespace

Status prepare_within(Attachment* device, int container_netns) {
  auto links = TRY(Links::open(container_netns));
  TRY(add_v6(links, device, container_netns));
  TRY(lay_local_table(links));
  Status laid = lay_answers(container_netns);
  if (laid || !is_not_known(laid.error())) return laid;
  device->gateways.clear();
  return {};
}

}  // namespace minke::net
