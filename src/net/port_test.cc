#include "net/port.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "net/host_ports.h"
#include "sys/fd.h"

namespace minke::net {
namespace {

std::string shown(std::string_view text) {
  auto port = parse_publish(text);
  return port ? ports_text({*port}) : port.error().message();
}

TEST(Publish, Forms) {
  EXPECT_EQ(shown("80"), "0.0.0.0:0->80/tcp");
  EXPECT_EQ(shown(":80"), "0.0.0.0:0->80/tcp");
  EXPECT_EQ(shown("8080:80"), "0.0.0.0:8080->80/tcp");
  EXPECT_EQ(shown("8000-8001:80-81/udp"), "0.0.0.0:8000-8001->80-81/udp");
  EXPECT_EQ(shown("127.0.0.1:8080:80"), "127.0.0.1:8080->80/tcp");
  EXPECT_EQ(shown("127.0.0.1::80"), "127.0.0.1:0->80/tcp");
  EXPECT_EQ(shown("0.0.0.0:8080:80"), "0.0.0.0:8080->80/tcp");
  EXPECT_EQ(shown("[::1]:8080:80/SCTP"), "[::1]:8080->80/sctp");
  EXPECT_EQ(parse_publish("25:25,proxy=v1")->proxy, ProxyHeader::v1);
  EXPECT_EQ(parse_publish("25:25/tcp,proxy=v2")->proxy, ProxyHeader::v2);
}

TEST(Publish, FaultsArePodmans) {
  const char* rows[][2] = {
      {"8000-8010:80", "host and container port ranges have different lengths: 11 vs 1"},
      {"1.2.3:80:80", "cannot parse \"1.2.3\" as an IP address"},
      {"1.2.3.4:80",
       "parsing host port: invalid port number: strconv.Atoi: parsing \"1.2.3.4\": invalid syntax"},
      {"[::1]80:80", "invalid port format - IPv6 address must be followed by a colon (':')"},
      {"::1:80:80", "invalid port format - format is [[hostIP:]hostPort:]containerPort"},
      {"0:80", "parsing host port: port numbers must be between 1 and 65535 (inclusive), got 0"},
      {"80:70000",
       "parsing container port: port numbers must be between 1 and 65535 (inclusive), got 70000"},
      {"80-70:80-70",
       "parsing container port: the end port of a range must be higher than the start port - 70 is "
       "not higher than 80"},
      {"80:80/foo", "unrecognized protocol \"foo\" in port mapping"},
      {"80:80/tcp/udp", "invalid port format - protocol can only be specified once"},
      {"80:", "must provide a non-empty container port to publish"},
      {"1-2-3:80",
       "parsing host port: invalid port format - port ranges are formatted as startPort-stopPort"},
      {"53:53/udp,proxy=v1", "published port \"53:53/udp,proxy=v1\": proxy= is for tcp"},
  };
  for (const auto& row : rows) EXPECT_EQ(shown(row[0]), row[1]);
}

std::vector<PortMapping> ports(std::initializer_list<const char*> texts) {
  std::vector<PortMapping> out;
  for (const char* text : texts) out.push_back(*parse_publish(text));
  return out;
}

TEST(Merge, NeighboursAndDoubles) {
  EXPECT_EQ(ports_text(*merge_ports(ports({"81:81", "80:80", "80:80", "82:82/udp"}))),
            "0.0.0.0:80-81->80-81/tcp, 0.0.0.0:82->82/udp");
  EXPECT_EQ(ports_text(*merge_ports(ports({"1000-1010:80-90", "1005-1020:85-100"}))),
            "0.0.0.0:1000-1020->80-100/tcp");
  EXPECT_EQ(ports_text(*merge_ports(ports({"127.0.0.1:80:80", "127.0.0.2:80:80"}))),
            "127.0.0.1:80->80/tcp, 127.0.0.2:80->80/tcp");
  auto twice = merge_ports(ports({"80:80", "80:81"}));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message(), "conflicting port mappings for host port 80 (protocol tcp)");
  EXPECT_FALSE(merge_ports(ports({"80:80", "127.0.0.1:80:81"})));
  EXPECT_FALSE(merge_ports(ports({"[::]:80:80", "[::1]:80:81"})));
  EXPECT_TRUE(merge_ports(ports({"[::]:80:80", "127.0.0.1:80:81"})));
  EXPECT_TRUE(merge_ports(ports({"80:80/udp", "80:81/tcp"})));
}

TEST(HostPorts, LeasedOnceAndFreed) {
  char dir[] = "/tmp/minke-ports-XXXXXX";
  ASSERT_NE(::mkdtemp(dir), nullptr);
  std::vector<PortMapping> first = ports({"80:80", "9000-9010:1-11/udp"});
  ASSERT_TRUE(lease_ports(dir, "a", first, false));
  ASSERT_TRUE(lease_ports(dir, "a", first, false));
  auto second = lease_ports(dir, "b", ports({"127.0.0.1:9005:5/udp"}), false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(),
            "cannot listen on the UDP port: listen udp4 127.0.0.1:9005: bind: address already in "
            "use (container a has it)");
  EXPECT_TRUE(lease_ports(dir, "b", ports({"9005:5/tcp"}), false));
  ASSERT_TRUE(release_ports(dir, "a"));
  EXPECT_TRUE(lease_ports(dir, "c", first, false));
  ASSERT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), dir));
}

TEST(HostPorts, ChosenOnesAreDifferent) {
  std::vector<PortMapping> some = ports({"80", "81", "127.0.0.1::82", "90-92"});
  Status chosen = choose_ports(&some);
  ASSERT_TRUE(chosen) << chosen.error().message();
  EXPECT_TRUE(merge_ports(some));
  for (const PortMapping& port : some) EXPECT_NE(port.host_port, 0);
}

}  // namespace
}  // namespace minke::net
