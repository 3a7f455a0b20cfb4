#include "netd/route_choice.h"

#include <gtest/gtest.h>

namespace minke::netd {
namespace {

net::IpAddress ip(const char* text) { return *net::IpAddress::parse(text); }
net::IpPrefix prefix(const char* text) { return *net::IpPrefix::parse(text); }

net::Attachment attachment(const char* network, std::vector<const char*> addresses,
                           std::vector<const char*> gateways) {
  net::Attachment a;
  a.network = network;
  a.driver = "bridge";
  for (const char* p : addresses) a.addresses.push_back(prefix(p));
  for (const char* g : gateways) a.gateways.push_back(ip(g));
  return a;
}

Target simple() {
  net::AttachmentRecord record;
  record.networks = {
      attachment("web", {"10.89.0.2/24", "fd00:89::2/64"}, {"10.89.0.1", "fd00:89::1"})};
  return make_target(record, {});
}

const net::IpAddress kServer = ip("198.51.100.10");

Route route(const Target& target, const char* client, bool transparent = true) {
  auto r = choose_route(target, ip(client), kServer, transparent);
  EXPECT_TRUE(r.has_value());
  return r.value_or(Route{{}, Disguise::none});
}

TEST(RouteChoice, WithinAContainerItsGatewayStandsIn) {
  net::AttachmentRecord record;
  record.networks = {
      attachment("slirp4netns", {"10.0.2.100/24", "fd00::100/64"}, {"10.0.2.2", "fd00::2"})};
  record.networks[0].driver = "slirp4netns";
  const Target target = make_target(record, {});
  EXPECT_EQ(route(target, "203.0.113.7").disguise, Disguise::none);
  EXPECT_FALSE(route(target, "203.0.113.7").source);
  EXPECT_EQ(route(target, "2001:db8::7").address, ip("fd00::100"));
  EXPECT_EQ(route(target, "127.0.0.1").disguise, Disguise::host_itself);
  EXPECT_EQ(route(target, "127.0.0.1").source, ip("10.0.2.2"));
  EXPECT_EQ(route(target, "::1").source, ip("fd00::2"));
  // Where the container's answers cannot be led: as it connects to itself.
  record.networks[0].gateways.clear();
  EXPECT_EQ(route(make_target(record, {}), "203.0.113.7").disguise, Disguise::no_way_back);
  EXPECT_FALSE(route(make_target(record, {}), "203.0.113.7").source);
  EXPECT_FALSE(route(target, "127.0.0.1", false).source);
}

TEST(RouteChoice, ForeignClientsAreSeenAsTheyAre) {
  EXPECT_EQ(route(simple(), "203.0.113.7").disguise, Disguise::none);
  EXPECT_EQ(route(simple(), "203.0.113.7").address, ip("10.89.0.2"));
  EXPECT_EQ(route(simple(), "2001:db8::7").disguise, Disguise::none);
  EXPECT_EQ(route(simple(), "2001:db8::7").address, ip("fd00:89::2"));
}

TEST(RouteChoice, TheHostItselfIsTheGateway) {
  EXPECT_EQ(route(simple(), "127.0.0.1").disguise, Disguise::host_itself);
  EXPECT_EQ(route(simple(), "::1").disguise, Disguise::host_itself);
  EXPECT_EQ(route(simple(), "198.51.100.10").disguise, Disguise::host_itself);
}

TEST(RouteChoice, AddressesThatNoAnswerWouldReach) {
  EXPECT_EQ(route(simple(), "fe80::1").disguise, Disguise::link_local);
  EXPECT_EQ(route(simple(), "10.89.0.77").disguise, Disguise::in_subnet);
  EXPECT_EQ(route(simple(), "10.89.0.2").disguise, Disguise::in_subnet);  // never its own
  EXPECT_EQ(route(simple(), "203.0.113.7", false).disguise, Disguise::not_transparent);
}

TEST(RouteChoice, InternalNetworkHasNoWayBack) {
  net::AttachmentRecord record;
  record.networks = {attachment("in", {"10.89.1.2/24"}, {"10.89.1.1"})};
  record.networks[0].internal = true;
  const Target target = make_target(record, {});
  EXPECT_EQ(route(target, "203.0.113.7").disguise, Disguise::no_way_back);
  EXPECT_EQ(route(target, "203.0.113.7").address, ip("10.89.1.2"));
}

TEST(RouteChoice, OtherFamilyComesFromTheBridge) {
  net::AttachmentRecord record;
  record.networks = {attachment("v4", {"10.89.1.2/24"}, {"10.89.1.1"})};
  const Target target = make_target(record, {});
  EXPECT_FALSE(target.has_family(true));
  EXPECT_EQ(route(target, "2001:db8::7").disguise, Disguise::other_family);
  EXPECT_EQ(route(target, "2001:db8::7").address, ip("10.89.1.2"));
}

TEST(RouteChoice, OfSeveralNetworksTheOneWithTheDefaultRoute) {
  net::AttachmentRecord record;
  record.networks = {attachment("a", {"10.89.1.2/24"}, {"10.89.1.1"}),
                     attachment("b", {"10.89.2.2/24"}, {"10.89.2.1"})};
  EXPECT_EQ(route(make_target(record, {}), "203.0.113.7").address, ip("10.89.1.2"));

  net::Network b;
  b.name = "b";
  b.options = {{"metric", "50"}};
  EXPECT_EQ(route(make_target(record, {b}), "203.0.113.7").address, ip("10.89.2.2"));

  net::Network a;
  a.name = "a";
  a.options = {{"no_default_route", "true"}};
  EXPECT_EQ(route(make_target(record, {a}), "203.0.113.7").address, ip("10.89.2.2"));

  record.networks[0].internal = true;
  EXPECT_EQ(route(make_target(record, {}), "203.0.113.7").address, ip("10.89.2.2"));
  // on-link by the other network: it would not answer through the default route
  EXPECT_EQ(route(make_target(record, {}), "10.89.1.9").disguise, Disguise::in_subnet);
}

TEST(RouteChoice, RoutesOfItsOwnLeadElsewhere) {
  net::AttachmentRecord record;
  record.networks = {attachment("a", {"10.89.1.2/24"}, {"10.89.1.1"})};
  net::Network a;
  a.name = "a";
  a.routes = {{prefix("203.0.113.0/24"), ip("10.89.1.9"), {}}};
  EXPECT_EQ(route(make_target(record, {a}), "203.0.113.7").disguise, Disguise::in_subnet);
  EXPECT_EQ(route(make_target(record, {a}), "192.0.2.7").disguise, Disguise::none);
}

TEST(RouteChoice, NoAddressNoRoute) {
  EXPECT_FALSE(choose_route(Target{}, ip("203.0.113.7"), kServer, true));
}

}  // namespace
}  // namespace minke::netd
