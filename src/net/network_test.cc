// What a new network becomes, and who gets which address.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "net/host_use.h"
#include "net/ipam.h"
#include "net/network_store.h"
#include "sys/fd.h"

namespace minke::net {
namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
IpPrefix prefix(std::string_view text) { return *IpPrefix::parse(text); }

struct Planner {
  NetworkDefaults defaults = built_in_defaults();
  HostUse host;
  std::vector<Network> others;
  Result<Network> plan(NetworkRequest request) {
    return detail::plan_network(request, defaults, others, host, false);
  }
  std::string fault(NetworkRequest request) {
    auto made = plan(std::move(request));
    return made ? "made" : made.error().message();
  }
};

NetworkRequest with_subnet(std::string_view subnet, std::optional<IpAddress> gateway = {},
                           std::optional<IpRange> range = {}) {
  NetworkRequest request;
  request.name = "n";
  request.subnets.push_back({prefix(subnet), gateway, range});
  return request;
}

TEST(PlanNetwork, FirstOnesAndTheDefault) {
  Planner p;
  p.host.ipv6 = true;
  Network normal = detail::plan_default_network(p.defaults, {}, p.host, false);
  EXPECT_EQ(normal.name, "podman");
  EXPECT_EQ(normal.id, "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9");
  EXPECT_EQ(normal.interface, "minke0");
  EXPECT_EQ(normal.subnets[0].subnet.text(), "10.88.0.0/16");
  EXPECT_EQ(normal.subnets[0].gateway->text(), "10.88.0.1");
  p.others = {normal};
  auto first = p.plan({});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->name, "podman1");
  EXPECT_EQ(first->interface, "minke1");
  ASSERT_EQ(first->subnets.size(), 2u);
  EXPECT_EQ(first->subnets[0].subnet.text(), "10.89.0.0/24");
  EXPECT_EQ(first->subnets[1].subnet.address.bytes[0], 0xfd);
  EXPECT_EQ(first->subnets[1].subnet.length, 64);
  EXPECT_TRUE(first->dns_enabled && first->ipv6_enabled);
  p.others.push_back(*first);
  NetworkRequest v4;
  v4.ipv6 = false;
  auto second = p.plan(v4);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->subnets.size(), 1u);
  EXPECT_EQ(second->subnets[0].subnet.text(), "10.89.1.0/24");
}

TEST(PlanNetwork, KeepsClearOfTheHost) {
  Planner p;
  p.host.taken = {prefix("10.88.3.4/32"), prefix("10.89.0.0/16"), prefix("10.90.0.0/23")};
  p.host.links = {"minke0", "minke1"};
  Network normal = detail::plan_default_network(p.defaults, {}, p.host, false);
  EXPECT_EQ(normal.subnets[0].subnet.text(), "10.90.2.0/24");
  EXPECT_EQ(normal.interface, "minke2");
  EXPECT_EQ(detail::plan_default_network(p.defaults, {}, p.host, true).interface, "minke0");
  EXPECT_EQ(p.fault(with_subnet("10.89.7.0/24")),
            "subnet 10.89.7.0/24 is already used on the host or by another config");
}

TEST(PlanNetwork, Faults) {
  Planner p;
  EXPECT_EQ(p.fault(with_subnet("10.98.0.0/24", ip("10.97.0.1"))),
            "gateway 10.97.0.1 not in subnet 10.98.0.0/24");
  EXPECT_EQ(p.fault(with_subnet("10.98.0.0/24", {}, IpRange{ip("10.98.0.9"), ip("10.98.1.9")})),
            "lease range end ip 10.98.1.9 not in subnet 10.98.0.0/24");
  EXPECT_NE(p.fault(with_subnet("fd00::/64")).find("this host has none"), std::string::npos);
  EXPECT_NE(p.fault(with_subnet("10.98.0.0/31")).find("too small"), std::string::npos);
  NetworkRequest request;
  request.driver = "foo";
  EXPECT_EQ(p.fault(request), "unsupported driver foo: invalid argument");
  request = {};
  request.options["foo"] = "bar";
  EXPECT_EQ(p.fault(request), "unsupported bridge network option foo");
  request.options = {{"mtu", "x"}};
  EXPECT_NE(p.fault(request).find("mtu=x: expected a number"), std::string::npos);
  request.options.clear();
  request.ipam_driver = "foo";
  EXPECT_EQ(p.fault(request), "unsupported ipam driver \"foo\"");
  request.ipam_driver = "dhcp";
  EXPECT_NE(p.fault(request).find("dhcp ipam driver is not supported yet"), std::string::npos);
  request.ipam_driver = "";
  request.name = "host";
  EXPECT_NE(p.fault(request).find("conflicts with a valid network mode"), std::string::npos);
  request.name = "n";
  request.disable_dns = true;
  request.dns_servers = {"1.1.1.1"};
  EXPECT_NE(p.fault(request).find("cannot set NetworkDNSServers"), std::string::npos);
  request = {};
  request.driver = "macvlan";
  EXPECT_NE(p.fault(request).find("needs a parent"), std::string::npos);
  p.host.default_link = "eth7";
  p.host.links.insert("eth7");
  EXPECT_NE(p.fault(request).find("needs at least one subnet"), std::string::npos);
  request.interface = "nosuch";
  EXPECT_EQ(p.fault(request), "parent interface nosuch does not exist");
}

TEST(PlanNetwork, OptionsAndTheirDockerNames) {
  Planner p;
  NetworkRequest request;
  request.options = {{"com.docker.network.driver.mtu", "1400"},
                     {"com.docker.network.bridge.name", "br-x"},
                     {"isolate", "strict"}};
  auto network = p.plan(request);
  ASSERT_TRUE(network) << network.error().message();
  EXPECT_EQ(network->interface, "br-x");
  EXPECT_EQ(*network->option("mtu"), "1400");
  EXPECT_EQ(*network->option("isolate"), "strict");
  request = with_subnet("10.98.0.0/24");
  request.internal = request.disable_dns = true;
  network = p.plan(request);
  ASSERT_TRUE(network);
  EXPECT_FALSE(network->subnets[0].gateway);
}

TEST(HostUse, RouteTables) {
  auto v4 = parse_route_table(
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
  ASSERT_EQ(v4.size(), 1u);
  EXPECT_EQ(v4[0].text(), "192.0.2.0/24");
  auto v6 = parse_route6_table(
      "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0\n"
      "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0\n");
  ASSERT_EQ(v6.size(), 1u);
  EXPECT_EQ(v6[0].text(), "fd00::/64");
}

class InFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/minke-net-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    dir_ = path;
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), dir_.c_str())); }
  std::string dir_;
};
using Leases = InFolder;
using Store = InFolder;

Network two_subnets() {
  Network network;
  network.name = "n";
  network.subnets.push_back({prefix("10.98.0.0/29"), ip("10.98.0.1"), {}});
  network.subnets.push_back({prefix("fd00::/64"), ip("fd00::1"), {}});
  return network;
}

TEST_F(Leases, NextFreeAfterTheLast) {
  Network network = two_subnets();
  Ipam ipam(dir_, network);
  auto a = ipam.lease("a", {});
  ASSERT_TRUE(a) << a.error().message();
  EXPECT_EQ((*a)[0].text(), "10.98.0.2/29");
  EXPECT_EQ((*a)[1].text(), "fd00::2/64");
  ASSERT_TRUE(ipam.release("a", *a));
  EXPECT_EQ((*ipam.lease("b", {}))[0].text(), "10.98.0.3/29");
  EXPECT_EQ((*ipam.lease("c", {{}, {ip("10.98.0.2"), ip("fd00::3")}, {}}))[0].text(),
            "10.98.0.2/29");
}

TEST_F(Leases, FixedOnes) {
  Network network = two_subnets();
  Ipam ipam(dir_, network);
  Ipam::Wish wish{{ip("10.98.0.5")}, {}, {}};
  ASSERT_TRUE(ipam.lease("a", wish));
  ASSERT_TRUE(ipam.lease("a", wish));  // its own
  auto b = ipam.lease("b", wish);
  ASSERT_FALSE(b);
  EXPECT_EQ(b.error().message(),
            "IPAM error: requested ip address 10.98.0.5 is already allocated to container ID a");
  EXPECT_EQ(ipam.lease("b", {{ip("1.2.3.4")}, {}, {}}).error().message(),
            "requested static ip 1.2.3.4 not in any subnet on network n");
  EXPECT_FALSE(ipam.lease("b", {{ip("10.98.0.1")}, {}, {}}));
  EXPECT_FALSE(ipam.lease("b", {{ip("10.98.0.7")}, {}, {}}));
  auto leases = ipam.list();
  ASSERT_TRUE(leases);
  for (const auto& [address, owner] : *leases) EXPECT_EQ(owner, "a") << address.text();
}

TEST_F(Leases, AllTakenAndThoseOfTheGone) {
  Network network = two_subnets();
  network.subnets.pop_back();
  Ipam ipam(dir_, network);
  for (const char* id : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(ipam.lease(id, {}));
  auto full = ipam.lease("f", {});
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().message().find("failed to find free IP in range: 10.98.0.1"),
            std::string::npos)
      << full.error().message();
  Ipam::Wish wish;
  wish.is_there = [](const std::string& id) { return id != "c"; };
  EXPECT_EQ((*ipam.lease("f", wish))[0].text(), "10.98.0.4/29");
  ASSERT_TRUE(ipam.release_all("f"));
  EXPECT_EQ(ipam.list()->size(), 4u);
}

TEST_F(Leases, FourThousand) {
  Network network;
  network.name = "big";
  network.subnets.push_back({prefix("10.99.0.0/20"), ip("10.99.0.1"), {}});
  Ipam ipam(dir_, network);
  std::set<IpAddress> seen;
  for (int i = 0; i < 4000; ++i) {
    auto lease = ipam.lease(std::to_string(i), {});
    ASSERT_TRUE(lease);
    EXPECT_TRUE(seen.insert((*lease)[0].address).second);
  }
  EXPECT_EQ(ipam.list()->size(), 4000u);
}

TEST_F(Store, CreatedFoundListedRemoved) {
  NetworkStore store(dir_, built_in_defaults(), true);
  EXPECT_EQ(store.list()->size(), 1u);
  EXPECT_EQ(store.find("2f259bab93aa")->name, "podman");
  EXPECT_EQ(store.find("bridge")->name, "podman");
  NetworkRequest request;
  request.name = "a";
  auto made = store.create(request);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(store.create(request).error().message(),
            "network name a already used: network already exists");
  EXPECT_EQ(store.find(made->id.substr(0, 5))->name, "a");
  auto listed = store.list();
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ((*listed)[0].name, "a");
  EXPECT_EQ((*listed)[0].subnets[0].subnet, made->subnets[0].subnet);
  ASSERT_TRUE(store.remove("a"));
  EXPECT_EQ(store.find("a").error().message(),
            "unable to find network with name or ID a: network not found");
  auto normal = store.ensure_default();
  ASSERT_TRUE(normal);
  EXPECT_TRUE(sys::exists(dir_ + "/networks/podman.json"));
  EXPECT_EQ(store.ensure_default()->subnets[0].subnet, normal->subnets[0].subnet);
}

}  // namespace
}  // namespace minke::net
