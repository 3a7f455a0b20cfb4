// Values of networks: text and back, arithmetic, JSON and back.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "net/address.h"
#include "net/attachment.h"
#include "net/network.h"
#include "net/port.h"
#include "sys/fd.h"

namespace minke::net {
namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
IpPrefix prefix(std::string_view text) { return *IpPrefix::parse(text); }

TEST(Address, TextAndBack) {
  for (const char* text : {"0.0.0.0", "10.88.0.1", "255.255.255.255", "::", "::1", "fd00::a:1"})
    EXPECT_EQ(ip(text).text(), text);
  EXPECT_EQ(ip("FD00:0:0::1").text(), "fd00::1");
  for (const char* text : {"", "10.0.0", "10.0.0.256", "1.2.3.4.5", "fe80::1%eth0", "g::", " ::1",
                           "00000000000000000000000000000000000000000000000000000:1"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(Address, Arithmetic) {
  EXPECT_EQ(ip("10.0.0.255").next(), ip("10.0.1.0"));
  EXPECT_EQ(ip("10.0.1.0").previous(), ip("10.0.0.255"));
  EXPECT_EQ(ip("255.255.255.255").next(), ip("0.0.0.0"));
  EXPECT_EQ(ip("::").previous().text(), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  EXPECT_EQ(ip("fd00::ffff:ffff").next(), ip("fd00::1:0:0"));
  EXPECT_EQ(ip("10.0.0.0").plus(65536 + 3), ip("10.1.0.3"));
  EXPECT_EQ(ip("10.0.0.5").distance_to(ip("10.1.0.4")), 65535u);
  EXPECT_EQ(ip("fd00::").distance_to(ip("fe00::")), UINT64_MAX);
  EXPECT_EQ(ip("fd00::").distance_to(ip("fd00::ffff:ffff:ffff:ffff")), UINT64_MAX);
  EXPECT_LT(ip("10.0.0.9"), ip("10.0.0.10"));
  EXPECT_LT(ip("255.0.0.0"), ip("::"));
  EXPECT_EQ(IpAddress::from_v4(0x0a580001).text(), "10.88.0.1");
  EXPECT_EQ(ip("10.88.0.1").v4_number(), 0x0a580001u);
}

TEST(Address, Kinds) {
  EXPECT_TRUE(ip("127.0.0.5").is_loopback() && ip("::1").is_loopback());
  EXPECT_FALSE(ip("128.0.0.1").is_loopback() || ip("::2").is_loopback());
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified() && ip("::").is_unspecified());
  EXPECT_TRUE(ip("169.254.1.1").is_link_local() && ip("fe90::1").is_link_local());
  EXPECT_FALSE(ip("fec0::1").is_link_local());
  EXPECT_TRUE(ip("224.0.0.1").is_multicast() && ip("ff02::1").is_multicast());
}

TEST(Prefix, Bounds) {
  IpPrefix net = prefix("10.89.5.77/20");
  EXPECT_EQ(net.text(), "10.89.5.77/20");
  EXPECT_EQ(net.masked().text(), "10.89.0.0/20");
  EXPECT_EQ(net.last().text(), "10.89.15.255");
  EXPECT_EQ(net.mask().text(), "255.255.240.0");
  EXPECT_EQ(prefix("0.0.0.0/0").last().text(), "255.255.255.255");
  EXPECT_EQ(prefix("fd00::1/63").last().text(), "fd00::1:ffff:ffff:ffff:ffff");
  for (const char* text : {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "/8", "10.0.0.0/-1", "::/129"})
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
}

TEST(Prefix, ContainsAndOverlaps) {
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(ip("10.255.1.2")));
  EXPECT_FALSE(prefix("10.0.0.0/8").contains(ip("11.0.0.0")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(ip("::1")));
  EXPECT_TRUE(prefix("10.0.0.0/8").overlaps(prefix("10.4.0.0/16")));
  EXPECT_TRUE(prefix("10.4.0.0/16").overlaps(prefix("10.0.0.0/8")));
  EXPECT_FALSE(prefix("10.4.0.0/16").overlaps(prefix("10.5.0.0/16")));
  EXPECT_FALSE(prefix("::/0").overlaps(prefix("10.5.0.0/16")));
}

TEST(Mac, TextAndBack) {
  EXPECT_EQ(MacAddress::parse("44:33:22:11:00:99")->text(), "44:33:22:11:00:99");
  EXPECT_EQ(MacAddress::parse("44-33-22-11-00-AA")->text(), "44:33:22:11:00:aa");
  EXPECT_EQ(MacAddress::parse("4433.2211.00aa")->text(), "44:33:22:11:00:aa");
  for (const char* text :
       {"", "44:33:22:11:00", "44:33:22:11:00:9g", "44:33-22:11:00:99", "44:33:22:11:00:99:88:77"})
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  EXPECT_FALSE(MacAddress::random().is_multicast());
  EXPECT_NE(MacAddress::random(), MacAddress::random());
}

TEST(Network, JsonAndBack) {
  const char* text =
      R"({"name":"n","id":"00ff","driver":"bridge","network_interface":"minke3",)"
      R"("created":"2024-05-06T07:08:09.123456789Z",)"
      R"("subnets":[{"subnet":"10.89.0.0/24","gateway":"10.89.0.1",)"
      R"("lease_range":{"start_ip":"10.89.0.10","end_ip":"10.89.0.20"}},{"subnet":"fd00::/64"}],)"
      R"("routes":[{"destination":"10.1.0.0/16","gateway":"10.89.0.9","metric":7}],)"
      R"("ipv6_enabled":true,"internal":false,"dns_enabled":true,)"
      R"("network_dns_servers":["1.1.1.1"],"labels":{"a":"b"},"options":{"mtu":"1400"},)"
      R"("ipam_options":{"driver":"host-local"}})";
  auto network = json::parse_struct<Network>(text);
  ASSERT_TRUE(network) << network.error().message();
  EXPECT_EQ(network->subnets[0].lease_range->last, ip("10.89.0.20"));
  EXPECT_EQ(network->routes[0].metric, 7u);
  EXPECT_EQ(*network->option("mtu"), "1400");
  EXPECT_EQ(network->option("vlan"), nullptr);
  EXPECT_EQ(network->subnet_of(ip("fd00::5")), &network->subnets[1]);
  ::setenv("TZ", "UTC", 1);
  EXPECT_EQ(json::dump_struct(*network), text);
  EXPECT_FALSE(json::parse_struct<Network>(R"({"name":"n","subnets":[{"subnet":"10.0.0.0"}]})"));
}

TEST(Attachments, SavedAndLoaded) {
  char dir[] = "/tmp/minke-attach-XXXXXX";
  ASSERT_NE(::mkdtemp(dir), nullptr);
  auto none = load_attachments(dir);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
  AttachmentRecord record;
  record.id = "abc";
  record.pid = 77;
  record.start_time = 1234567890123;
  Attachment one;
  one.network = "podman";
  one.mac = *MacAddress::parse("44:33:22:11:00:99");
  one.addresses = {prefix("10.88.0.2/16"), prefix("fd00::2/64")};
  one.gateways = {ip("10.88.0.1")};
  one.aliases = {"web"};
  record.networks = {one};
  record.ports = {{ip("127.0.0.1"), 8080, 80, 3, Protocol::udp, ProxyHeader::v2}, {}};
  ASSERT_TRUE(save_attachments(dir, record));
  auto loaded = load_attachments(dir);
  ASSERT_TRUE(loaded && loaded->has_value());
  EXPECT_EQ((*loaded)->networks[0].addresses, one.addresses);
  EXPECT_EQ((*loaded)->networks[0].mac, one.mac);
  EXPECT_EQ((*loaded)->ports, record.ports);
  EXPECT_EQ((*loaded)->start_time, record.start_time);
  ASSERT_TRUE(sys::write_file(std::string(dir) + "/network", "{", 0600));
  EXPECT_EQ(load_attachments(dir).error().code(), Errc::corrupt);
  ASSERT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), dir));
}

}  // namespace
}  // namespace minke::net
