// N, the namespace that holds a user's bridges: its settings and the chains that hand packets to
// netd.
#include <cerrno>

#include "base/str.h"
#include "net/link.h"
#include "net/setup_parts.h"

namespace minke::net {

namespace {

struct Setting {
  const char* name;
  const char* value;
};
// N's owner may write all of them. What this kernel does not have is passed over.
constexpr Setting kSettings[] = {
    // With 1 (set wherever the bridge's netfilter module is loaded) the hooks run within the bridge
    // and the socket that tproxy chose is lost.
    {"bridge/bridge-nf-call-iptables", "0"},
    {"bridge/bridge-nf-call-ip6tables", "0"},
    {"bridge/bridge-nf-call-arptables", "0"},
    // A refused connection is told by ICMP, each of them.
    {"ipv4/icmp_ratelimit", "0"},
    {"ipv6/icmp/ratelimit", "0"},
    {"ipv4/ip_forward", "1"},
    {"ipv6/conf/all/forwarding", "1"},
    // Sockets with foreign addresses: answers come by another way than a route back would take.
    {"ipv4/conf/all/rp_filter", "0"},
    {"ipv4/conf/default/rp_filter", "0"},
    {"ipv6/conf/all/accept_dad", "0"},
    {"ipv6/conf/default/accept_dad", "0"},
};

Status settle(int netns) {
  auto settings = TRY(Settings::of(netns));
  for (const auto& setting : kSettings) TRY(settings.set_if_there(setting.name, setting.value));
  return {};
}

Status lay(sys::NetlinkSocket& socket, const InsidePorts& ports, const Inside& inside) {
  nft::Transaction transaction(NFPROTO_INET, kTable);
  add_base(transaction, true);
  add_inside(transaction, ports, inside.queue, inside.transparent);
  return transaction.commit(socket, "table inet minke");
}

}  // namespace

const char* queue_name(Queue queue) {
  switch (queue) {
    case Queue::none:
      return "none";
    case Queue::nft:
      return "nft";
    case Queue::xtables:
      return "xtables";
  }
  return "";
}

Result<Inside> prepare_inside(const Place& n, const InsidePorts& ports) {
  auto links = TRY(Links::open(n.netns));
  LinkBatch up;
  TRY(links.run(up.set_up(1, "lo")));
  TRY(settle(n.netns));
  TRY(lay_local_table(links));
  auto socket = TRY(open_nftables(n));
  const bool wanted = ports.tcp4 != 0 || ports.tcp6 != 0;
  // From the best to what every kernel with nf_tables has. Carrying needs the queue and the
  // sockets' rule: without it the packets behind the SYN would not find their connection.
  const Inside choices[] = {{Queue::nft, true, true},
                            {Queue::xtables, true, true},
                            {Queue::none, true, false},
                            {Queue::none, false, false}};
  Status status;
  for (const auto& choice : choices) {
    if (choice.carries && !wanted) continue;
    status = lay(socket, ports, choice);
    if (status) return choice;
    if (!is_not_known(status.error())) return std::move(status.error());
  }
  return std::move(status.error());
}

}  // namespace minke::net
