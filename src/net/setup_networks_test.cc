// Networks: what is laid, what is refused, who reaches whom, and that nothing stays behind.
#include <cstdlib>

#include "net/ruleset.h"
#include "net/testing_hosts.h"

namespace minke::net {

namespace {

using namespace testing;

constexpr const char* kRefused = "connect: Connection refused";
constexpr int kShort = 150;

bool has_link(int netns, const char* name) {
  auto links = Links::open(netns);
  if (!links) return false;
  auto link = links->find(name);
  return link && *link;
}

// One container on each of two networks; who reaches whom by TCP.
std::string reach(const Network& a, const Network& b, bool expected) {
  Place place;
  NEED(ensure_network(a, place));
  NEED(ensure_network(b, place));
  Attachment one = attachment(a, 2), other = attachment(b, 2);
  auto first = new_container(a, one, place);
  auto second = new_container(b, other, place);
  NEED(first);
  NEED(second);
  for (std::size_t i = 0; i < one.addresses.size(); ++i) {
    auto to = other.addresses[i].address;
    auto listening = listener(second->get(), to, 80, SOCK_STREAM);
    NEED(listening);
    auto seen =
        seen_from(first->get(), to, 80, listening->get(), SOCK_STREAM, expected ? 3000 : kShort);
    // Between networks the address stays what it is.
    bool reached = seen == one.addresses[i].address.text();
    if (reached != expected) return concat(a.name, " to ", b.name, ": ", seen);
  }
  return {};
}

Network isolated(Network n, const char* how) {
  n.options["isolate"] = how;
  return n;
}

}  // namespace

TEST(Setup, NetworksReachEachOtherUnlessIsolated) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Network plain = network("plain", "minke1", "10.89.1.0/24", "fd00:1::/64");
    Network other = network("other", "minke2", "10.89.2.0/24", "fd00:2::/64");
    Network one = isolated(network("true1", "minke3", "10.89.3.0/24", "fd00:3::/64"), "true");
    Network two = isolated(network("true2", "minke4", "10.89.4.0/24", "fd00:4::/64"), "true");
    Network strict = isolated(network("strict", "minke5", "10.89.5.0/24", "fd00:5::/64"), "strict");
    struct Row {
      const Network &from, &to;
      bool reaches;
    } rows[] = {{plain, other, true}, {plain, one, true},     {one, plain, true},
                {one, two, false},    {plain, strict, false}, {strict, plain, false},
                {strict, one, false}};
    for (const auto& row : rows)
      if (auto said = reach(row.from, row.to, row.reaches); !said.empty()) return said;
    return {};
  });
}

TEST(Setup, AnInternalNetworkHasPublishedPortsAndNothingElse) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    auto world = outside(-1);
    NEED(world);
    Network n = network("inner", "minke1", "10.89.1.0/24", "fd00:1::/64");
    n.internal = true;
    Network open = network("plain", "minke2", "10.89.2.0/24", nullptr);
    NEED(ensure_network(n, place));
    NEED(ensure_network(open, place));
    Attachment a = attachment(n, 2), b = attachment(n, 3), c = attachment(open, 2);
    auto container = new_container(n, a, place), neighbour = new_container(n, b, place);
    auto plain = new_container(open, c, place);
    NEED(container);
    NEED(neighbour);
    NEED(plain);
    auto server = listener(container->get(), IpAddress::any(false), 80, SOCK_STREAM);
    auto remote = listener(world->get(), IpAddress::any(false), 99, SOCK_STREAM);
    NEED(server);
    NEED(remote);
    SAME(seen_from(neighbour->get(), ip("10.89.1.2"), 80, server->get(), SOCK_STREAM), "10.89.1.3");
    SAME(seen_from(container->get(), ip("203.0.113.7"), 99, remote->get(), SOCK_STREAM, kShort),
         "connect: Network is unreachable");
    // Even with a route of its own making.
    auto inside = Links::open(container->get());
    NEED(inside);
    LinkBatch batch;
    RouteSpec route;
    route.destination = {IpAddress::any(false), 0};
    route.gateway = ip("10.89.1.1");
    NEED(inside->run(batch.add_route(route)));
    SAME(seen_from(container->get(), ip("203.0.113.7"), 99, remote->get(), SOCK_STREAM, kShort),
         "nothing arrived");
    SAME(seen_from(plain->get(), ip("10.89.1.2"), 80, server->get(), SOCK_STREAM, kShort),
         "nothing arrived");
    NEED(publish(record_of(b, {port(8081, 80)}), place));
    auto published = listener(neighbour->get(), IpAddress::any(false), 80, SOCK_STREAM);
    NEED(published);
    SAME(seen_from(world->get(), ip("203.0.113.1"), 8081, published->get(), SOCK_STREAM),
         "10.89.1.1");
    return {};
  });
}

TEST(Setup, InterfacesRoutesAndSettingsInside) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    Network first = network("one", "minke1", "10.89.1.0/24", "fd00:1::/64");
    first.options["mtu"] = "1400";
    first.routes.push_back({prefix("10.200.0.0/16"), ip("10.89.1.9"), std::nullopt});
    Network second = network("two", "minke2", "10.89.2.0/24", "fd00:2::/64");
    second.options["metric"] = "100";
    NEED(ensure_network(first, place));
    NEED(ensure_network(second, place));
    auto container = new_host();
    NEED(container);
    Attachment a = attachment(first, 2), b = attachment(second, 2, "eth1");
    NEED(attach(first, a, place, container->get()));
    NEED(attach(second, b, place, container->get()));
    auto inside = Links::open(container->get());
    NEED(inside);
    auto link = inside->get("eth0");
    NEED(link);
    if (link->mtu != 1400 || link->mac != a.mac || !link->up) return "eth0 is not as asked for";
    auto other = inside->get("eth1");
    NEED(other);
    if (other->mtu != 1500) return "eth1 has another MTU";
    auto lo = inside->get("lo");
    if (!lo || !lo->up) return "lo is down";
    auto addresses = inside->addresses(link->index);
    NEED(addresses);
    for (const auto& wanted : a.addresses)
      if (std::find(addresses->begin(), addresses->end(), wanted) == addresses->end())
        return wanted.text() + " is missing";
    auto there = sys::InNetns::enter(container->get());
    NEED(there);
    auto routes = sys::read_small_file("/proc/thread-self/net/route");
    NEED(routes);
    // Destination, gateway, ..., metric: the second network's default route is behind the first's.
    if (routes->find("eth0\t00000000\t0101590A\t0003\t0\t0\t100\t") == std::string::npos ||
        routes->find("eth1\t00000000\t0102590A\t0003\t0\t0\t101\t") == std::string::npos ||
        routes->find("eth0\t0000C80A\t0901590A\t0003\t0\t0\t100\t") == std::string::npos)
      return *routes;
    // Taken away again, one of them with its namespace still there, one without.
    NEED(detach(a, place, container->get()));
    if (has_link(container->get(), "eth0") || has_link(-1, "vone2")) return "eth0 is still there";
    NEED(detach(a, place, container->get()));
    NEED(detach(b, place, -1));
    return {};
  });
}

TEST(Setup, WhatFailsLeavesNothing) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    Network n = network("one", "minke1", "10.89.1.0/24", nullptr);
    auto container = new_host();
    NEED(container);
    Attachment a = attachment(n, 2);
    auto refused = attach(n, a, place, container->get());
    if (refused) return "attached to a bridge that is not there";
    SAME(refused.error().message(), "network one: no interface minke1");
    NEED(ensure_network(n, place));
    // A route that the kernel refuses, after the veth was made.
    Network bad = n;
    bad.routes.push_back({prefix("198.51.100.0/24"), ip("10.89.1.255"), std::nullopt});
    refused = attach(bad, a, place, container->get());
    if (refused) return "the route was taken";
    if (has_link(-1, "vone2") || has_link(container->get(), "eth0")) return "something was left";
    if (refused.error().message().find(
            "network one: add route to 198.51.100.0/24 via 10.89.1.255: ") != 0)
      return refused.error().message();
    NEED(attach(n, a, place, container->get()));
    // The same again: what is there stays.
    Attachment again = a;
    again.host_interface = "vother";
    refused = attach(n, again, place, container->get());
    if (refused || !has_link(container->get(), "eth0") || has_link(-1, "vother"))
      return "a second eth0";
    SAME(refused.error().message(), "network one: the container has an interface eth0 already");
    // The end of a container that was killed bears the name: it is replaced.
    auto next = new_host();
    NEED(next);
    NEED(attach(n, a, place, next->get()));
    if (has_link(container->get(), "eth0")) return "the old one is still there";
    for (auto [key, value, words] :
         {std::tuple{"mtu", "9x", "network two: option mtu=9x: not a number from 68 to 65535"},
          std::tuple{"vlan", "5000", "network two: option vlan=5000: not a number from 1 to 4094"},
          std::tuple{"isolate", "much",
                     "network two: option isolate=much: not true, false or strict"},
          std::tuple{"vrf", "red", "network two: option vrf: no interface red"},
          std::tuple{"vrf", "minke1", "network two: option vrf: minke1 is no VRF"}}) {
      Network wrong = network("two", "minke2", "10.89.2.0/24", nullptr);
      wrong.options[key] = value;
      auto status = ensure_network(wrong, place);
      if (status || has_link(-1, "minke2")) return concat(key, " was taken");
      SAME(status.error().message(), words);
    }
    Network lo = network("two", "lo", "10.89.2.0/24", nullptr);
    auto status = ensure_network(lo, place);
    if (status) return "lo as a bridge";
    SAME(status.error().message(), "network two: interface lo exists and is no bridge");
    return {};
  });
}

// A host that has its default route from router advertisements keeps it.
TEST(Setup, ForwardingDoesNotMakeTheHostDeafToItsRouter) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    auto world = outside(-1);
    NEED(world);
    NEED(ensure_network(network("four", "minke1", "10.89.1.0/24", nullptr), {}));
    auto settings = Settings::of(-1);
    NEED(settings);
    SAME(settings->get("ipv6/conf/up0/accept_ra").value_or(""), "1");
    SAME(settings->get("ipv6/conf/all/forwarding").value_or(""), "0");
    NEED(ensure_network(network("six", "minke2", "10.89.2.0/24", "fd00:2::/64"), {}));
    SAME(settings->get("ipv6/conf/up0/accept_ra").value_or(""), "2");
    SAME(settings->get("ipv6/conf/up0/forwarding").value_or(""), "1");
    return {};
  });
}

TEST(Setup, MacvlanAndIpvlanOnAParent) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    auto world = outside(-1);
    NEED(world);
    Network n;
    n.name = "lan";
    n.driver = "macvlan";
    n.interface = "up0";
    n.subnets.push_back({prefix("203.0.113.0/24"), ip("203.0.113.7"), std::nullopt});
    NEED(ensure_network(n, place));
    Attachment a;
    a.network = "lan";
    a.driver = "macvlan";
    a.interface = "eth0";
    a.mac = *MacAddress::parse("02:11:22:33:44:55");
    a.addresses = {prefix("203.0.113.50/24")};
    a.gateways = {ip("203.0.113.7")};
    auto container = new_host();
    NEED(container);
    NEED(attach(n, a, place, container->get()));
    auto server = listener(world->get(), IpAddress::any(false), 99, SOCK_STREAM);
    NEED(server);
    SAME(seen_from(container->get(), ip("203.0.113.7"), 99, server->get(), SOCK_STREAM),
         "203.0.113.50");
    NEED(detach(a, place, container->get()));
    if (has_link(container->get(), "eth0")) return "eth0 is still there";
    Network wrong = n;
    wrong.options["mode"] = "sideways";
    auto status = attach(wrong, a, place, container->get());
    if (status) return "mode sideways";
    SAME(status.error().message(),
         "network lan: unknown macvlan mode \"sideways\" (known: bridge, private, vepa, passthru)");
    wrong = n;
    wrong.interface = "eth77";
    status = attach(wrong, a, place, container->get());
    if (status) return "parent eth77";
    SAME(status.error().message(), "network lan: parent eth77 of macvlan is not there");
    Network flat = n;
    flat.driver = "ipvlan";
    status = attach(flat, a, place, container->get());
    if (!status) {
      SAME(status.error().message(), "network lan: this kernel has no ipvlan");
      return {};
    }
    SAME(seen_from(container->get(), ip("203.0.113.7"), 99, server->get(), SOCK_STREAM),
         "203.0.113.50");
    return {};
  });
}

TEST(Setup, AVlanKeepsPortsOfOneBridgeTogether) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    Network n = network("tagged", "minke1", "10.89.1.0/24", nullptr);
    n.options["vlan"] = "42";
    auto made = ensure_network(n, place);
    if (!made && made.error().code() == Errc::unsupported) {
      if (has_link(-1, "minke1")) return "a bridge without the VLAN was left";
      return concat(sys::testing::kSkipped, made.error().message());
    }
    NEED(made);
    Attachment a = attachment(n, 2);
    auto container = new_container(n, a, place);
    NEED(container);
    auto server = listener(container->get(), IpAddress::any(false), 80, SOCK_STREAM);
    NEED(server);
    SAME(seen_from(-1, ip("10.89.1.2"), 80, server->get(), SOCK_STREAM), "10.89.1.1");
    auto filtering = sys::read_small_file("/sys/class/net/minke1/bridge/vlan_filtering");
    auto pvid = sys::read_small_file("/sys/class/net/minke1/bridge/default_pvid");
    // sysfs may be of another namespace: traffic alone tells then.
    if (filtering && pvid && (*filtering != "1\n" || *pvid != "42\n")) return *filtering + *pvid;
    return {};
  });
}

TEST(Setup, TheLastNetworkTakesEverythingAway) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    Network a = network("one", "minke1", "10.89.1.0/24", "fd00:1::/64");
    Network b = network("two", "minke2", "10.89.2.0/24", nullptr);
    NEED(ensure_network(a, place));
    NEED(ensure_network(b, place));
    NEED(ensure_network(a, place));
    NEED(lead_names(a, place, 5300));
    NEED(remove_network(a, place));
    if (has_link(-1, "minke1")) return "minke1 is still there";
    auto there = table_is_there(place);
    if (!there || !*there) return "the table went with the first";
    NEED(remove_network(a, place));
    NEED(remove_network(b, place));
    there = table_is_there(place);
    if (!there || *there) return "the table is still there";
    NEED(remove_network(b, place));
    // Somebody's own bridge is used, not taken away.
    auto links = Links::open();
    NEED(links);
    BridgeSpec spec;
    spec.name = "br7";
    LinkBatch batch;
    NEED(links->run(batch.add_bridge(spec)));
    Network theirs = network("ours", "br7", "10.89.3.0/24", nullptr);
    NEED(ensure_network(theirs, place));
    NEED(remove_network(theirs, place));
    if (!has_link(-1, "br7")) return "br7 is gone";
    return {};
  });
}

// Killed after each step; the same command again, then everything away.
TEST(Setup, AKilledCommandIsHealedByTheNext) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    Network n = network("one", "minke1", "10.89.1.0/24", "fd00:1::/64");
    Attachment a = attachment(n, 2);
    for (const char* point : {"net.ensure:1", "net.ensure:2", "net.ensure:3", "net.attach:1"}) {
      auto container = new_host();
      NEED(container);
      pid_t child = ::fork();
      if (child == 0) {
        ::setenv("MINKE_FAILPOINT", point, 1);
        bool done = ensure_network(n, place) && attach(n, a, place, container->get());
        ::_exit(done ? 0 : 1);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      if (!WIFSIGNALED(status)) return concat(point, " was not reached");
      NEED(ensure_network(n, place));
      // The next run of the container has a namespace of its own.
      auto next = new_container(n, a, place);
      NEED(next);
      auto server = listener(next->get(), IpAddress::any(true), 80, SOCK_STREAM);
      NEED(server);
      SAME(seen_from(-1, ip("10.89.1.2"), 80, server->get(), SOCK_STREAM), "::ffff:10.89.1.1");
      SAME(seen_from(-1, ip("fd00:1::2"), 80, server->get(), SOCK_STREAM), "fd00:1::1");
      NEED(detach(a, place, next->get()));
      NEED(remove_network(n, place));
      auto there = table_is_there(place);
      if (has_link(-1, "minke1") || has_link(-1, "vone2") || !there || *there)
        return concat(point, " left something");
    }
    return {};
  });
}

// In nft's own words, where nft is installed.
TEST(Setup, TheRulesAreWhatNftShows) {
  std::string nft = "nft";
  if (const char* named = ::getenv("MINKE_TEST_NFT")) nft = named;
  if (::system((nft + " --version >/dev/null 2>&1").c_str()) != 0) GTEST_SKIP() << "no nft";
  MINKE_EXPECT_ALONE([&]() -> std::string {
    Place place;
    NEED(switch_bridge_calls("0"));
    Network n = network("one", "minke1", "10.89.1.0/24", "fd00:1::/64");
    n.options["isolate"] = "strict";
    NEED(ensure_network(n, place));
    NEED(lead_names(n, place, 5300));
    auto mapping = port(8080, 80, Protocol::udp, "127.0.0.1");
    mapping.range = 2;
    NEED(publish(record_of(attachment(n, 2), {mapping, port(25, 2525)}), place));
    FILE* pipe = ::popen((nft + " list table inet minke 2>&1").c_str(), "r");
    if (!pipe) return "popen";
    std::string shown;
    char piece[4096];
    for (std::size_t size; (size = ::fread(piece, 1, sizeof piece, pipe)) > 0;)
      for (std::size_t i = 0; i < size; ++i)
        if (piece[i] != '\t' && (piece[i] != ' ' || shown.empty() || shown.back() != ' '))
          shown += piece[i];
    ::pclose(pipe);
    for (const char* line : {
             "set isolated {\ntype ifname\nelements = { \"minke1\" }",
             "elements = { \"minke1\" . \"minke1\" }",
             "elements = { 10.89.1.0/24 }",
             "elements = { fd00:1::/64 }",
             "elements = { ::1 }",
             "\"minke1\" . fd00:1::1 : fd00:1::1 . 5300",
             " . 127.0.0.1 . 8080 : 10.89.1.2 . 80",
             " . 127.0.0.1 . 8081 : 10.89.1.2 . 81",
             " . 25 : 10.89.1.2 . 2525",
             " . 25 : fd00:1::2 . 2525",
             "iifname @bridges ip daddr 127.0.0.0/8 drop",
             "udp dport 53 dnat ip to iifname . ip daddr map @names4",
             "dnat ip6 to meta l4proto . ip6 daddr . th dport map @ports6",
             "meta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . th dport map "
             "@anywhere4",
             "ip6 daddr ::1 ip6 daddr != @loopback6 return",
             "ct status dnat iifname . oifname @same masquerade",
             "ip saddr @subnets4 ip daddr != @subnets4 ip daddr != 224.0.0.0/4 masquerade",
             "oifname @bridges ct state established,related jump accepted",
             "meta mark set meta mark | 0x00001000 accept",
         })
      if (shown.find(line) == std::string::npos) return concat("no \"", line, "\" in\n", shown);
    return {};
  });
}

TEST(Setup, AThrownAwayTableComesBackWhole) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    Network n = network("one", "minke1", "10.89.1.0/24", "fd00:1::/64");
    NEED(ensure_network(n, place));
    Attachment a = attachment(n, 2);
    auto container = new_container(n, a, place);
    NEED(container);
    auto record = record_of(a, {port(8080, 80)});
    NEED(publish(record, place));
    auto watch = RulesetWatch::open(place);
    NEED(watch);
    auto socket = open_nftables(place);
    NEED(socket);
    nft::Transaction flush(NFPROTO_INET, kTable);
    NEED(flush.delete_table().commit(*socket, "flush"));
    if (!wait_readable(watch->fd(), 5000)) return "the watch saw nothing";
    NEED(watch->drain());
    auto there = table_is_there(place);
    if (!there || *there) return "the table is still there";
    NEED(restore({n}, {{"one", 5300}}, {record}, place));
    auto server = listener(container->get(), IpAddress::any(false), 80, SOCK_STREAM);
    NEED(server);
    auto lo = Links::open();
    LinkBatch up;
    NEED(lo->run(up.set_up(1, "lo")));
    SAME(seen_from(-1, ip("127.0.0.1"), 8080, server->get(), SOCK_STREAM), "10.89.1.1");
    return {};
  });
}

TEST(Setup, QuestionsForNamesAreLedFromTheirOwnBridgeAlone) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    Network n = network("one", "minke1", "10.89.1.0/24", "fd00:1::/64");
    Network other = network("two", "minke2", "10.89.2.0/24", "fd00:2::/64");
    NEED(ensure_network(n, place));
    NEED(ensure_network(other, place));
    NEED(lead_names(n, place, 5300));
    NEED(lead_names(other, place, 5301));
    NEED(lead_names(n, place, 5302));  // netd has begun anew
    Attachment a = attachment(n, 2), b = attachment(other, 2);
    auto container = new_container(n, a, place), stranger = new_container(other, b, place);
    NEED(container);
    NEED(stranger);
    for (const char* gateway : {"10.89.1.1", "fd00:1::1"}) {
      auto udp = listener(-1, ip(gateway), 5302, SOCK_DGRAM);
      auto tcp = listener(-1, ip(gateway), 5302, SOCK_STREAM);
      NEED(udp);
      NEED(tcp);
      auto address = ip(gateway).v6 ? a.addresses[1].address.text() : a.addresses[0].address.text();
      SAME(seen_from(container->get(), ip(gateway), 53, udp->get(), SOCK_DGRAM), address);
      SAME(seen_from(container->get(), ip(gateway), 53, tcp->get(), SOCK_STREAM), address);
      SAME(seen_from(stranger->get(), ip(gateway), 53, tcp->get(), SOCK_STREAM), kRefused);
    }
    NEED(lead_names(n, place, 0));
    auto udp = listener(-1, ip("10.89.1.1"), 53, SOCK_DGRAM);
    NEED(udp);
    SAME(seen_from(container->get(), ip("10.89.1.1"), 53, udp->get(), SOCK_DGRAM), "10.89.1.2");
    return {};
  });
}

// Firewalls that drop by policy (iptables' chain as ufw and Docker leave it) and by a last rule
// (firewalld's): containers get out and published ports in, and what was put there goes again.
TEST(Setup, OtherFirewallsThatDropAreAskedToAcceptOurs) {
  MINKE_EXPECT_ALONE([]() -> std::string {
    Place place;
    auto world = outside(-1);
    NEED(world);
    auto socket = open_nftables(place);
    NEED(socket);
    nft::Transaction ufw(NFPROTO_IPV4, "filter"), firewalld(NFPROTO_INET, "firewalld"),
        own(NFPROTO_INET, "handmade");
    ufw.add_table().add_chain({"FORWARD", "filter", NF_INET_FORWARD, 0, true});
    NEED(ufw.add_chain({"INPUT", "filter", NF_INET_LOCAL_IN, 0, true}).commit(*socket, "ufw"));
    firewalld.add_table().add_chain({"filter_FORWARD", "filter", NF_INET_FORWARD, 10});
    nft::Rule reject;
    firewalld.add_rule("filter_FORWARD", reject.reject(NFT_REJECT_ICMPX_UNREACH, 3));
    NEED(firewalld.commit(*socket, "firewalld"));
    own.add_table().add_chain({"later", "filter", NF_INET_FORWARD, 20, true});
    Network n = network("one", "minke1", "10.89.1.0/24", "fd00:1::/64");
    NEED(ensure_network(n, place));
    auto words = allow_forwarding(place);
    NEED(words);
    if (!words->empty()) return "a second time something was needed: " + words->front();
    NEED(own.commit(*socket, "own"));
    words = allow_forwarding(place);
    NEED(words);
    if (words->size() != 1) return concat(words->size(), " lines");
    SAME(words->front(),
         "table inet handmade, chain later drops what it does not know: for containers it needs "
         "the rule meta mark and 0x1000 == 0x1000 accept");
    nft::Transaction away(NFPROTO_INET, "handmade");
    NEED(away.delete_table().commit(*socket, "away"));
    Attachment a = attachment(n, 2);
    auto container = new_container(n, a, place);
    NEED(container);
    NEED(publish(record_of(a, {port(8080, 80)}), place));
    NEED(lead_names(n, place, 5300));
    auto server = listener(container->get(), IpAddress::any(true), 80, SOCK_STREAM);
    auto remote = listener(world->get(), IpAddress::any(false), 99, SOCK_STREAM);
    auto names = listener(-1, ip("10.89.1.1"), 5300, SOCK_DGRAM);
    NEED(server);
    NEED(remote);
    NEED(names);
    SAME(seen_from(world->get(), ip("203.0.113.1"), 8080, server->get(), SOCK_STREAM),
         "::ffff:203.0.113.7");
    SAME(seen_from(world->get(), ip("2001:db8::1"), 8080, server->get(), SOCK_STREAM),
         "2001:db8::7");
    SAME(seen_from(container->get(), ip("203.0.113.7"), 99, remote->get(), SOCK_STREAM),
         "203.0.113.1");
    SAME(seen_from(container->get(), ip("10.89.1.1"), 53, names->get(), SOCK_DGRAM), "10.89.1.2");
    // Not more than that: a port of the host stays closed, and what was not published.
    auto host = listener(-1, ip("10.89.1.1"), 22, SOCK_STREAM);
    NEED(host);
    SAME(seen_from(container->get(), ip("10.89.1.1"), 22, host->get(), SOCK_STREAM, kShort),
         "nothing arrived");
    NEED(remove_network(n, place));
    auto rules = nft::find_rules(*socket, NFPROTO_IPV4, "filter", "FORWARD", "minke");
    NEED(rules);
    if (!rules->empty()) return "the rule is still in FORWARD";
    rules = nft::find_rules(*socket, NFPROTO_INET, "firewalld", "filter_FORWARD", "minke");
    NEED(rules);
    return rules->empty() ? "" : "the rule is still in firewalld's chain";
  });
}

TEST(Setup, AnOldFirewallThatDropsIsNamedWithWhatItNeeds) {
  // Its list of tables is for the machine's root, as the engine is where this counts.
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  if (::system("iptables-legacy --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "none here";
  MINKE_EXPECT_ALONE([]() -> std::string {
    ::setenv("XTABLES_LOCKFILE", "/dev/null", 1);
    auto words = allow_forwarding({});
    NEED(words);
    if (!words->empty()) return "without any: " + words->front();
    if (::system("iptables-legacy -A FORWARD -j ACCEPT && iptables-legacy -P FORWARD DROP") != 0)
      return concat(sys::testing::kSkipped, "iptables-legacy does not work here");
    words = allow_forwarding({});
    NEED(words);
    if (words->size() != 1) return concat(words->size(), " lines");
    SAME(words->front(),
         "iptables-legacy, chain FORWARD drops what it does not know: for containers it needs "
         "iptables-legacy -I FORWARD -m mark --mark 0x1000/0x1000 -j ACCEPT");
    return {};
  });
}

}  // namespace minke::net
