#include "netd/listeners.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/str.h"
#include "netd/control.h"

namespace minke::netd {
namespace {

net::AttachmentRecord record_with(std::vector<const char*> addresses) {
  net::AttachmentRecord record;
  record.name = "web";
  net::Attachment& attachment = record.networks.emplace_back();
  for (const char* address : addresses)
    attachment.addresses.push_back(*net::IpPrefix::parse(address));
  return record;
}

std::string listens(const net::AttachmentRecord& record, std::vector<std::string>* warnings) {
  std::string out;
  for (const ListenSpec& spec : listen_specs(record, warnings))
    out += concat(spec.text(), ">", spec.container_port, " ");
  return out;
}

TEST(Listeners, OnlyFamiliesThatTheContainerHas) {
  std::vector<std::string> warnings;
  net::PortMapping port;
  port.host_port = 8080, port.container_port = 80, port.range = 2;
  auto v4 = record_with({"10.77.0.2/24"}), both = record_with({"10.77.0.2/24", "fd77::2/64"});
  v4.ports = both.ports = {port};
  EXPECT_EQ(listens(v4, &warnings), "0.0.0.0:8080/tcp>80 0.0.0.0:8081/tcp>81 ");
  EXPECT_EQ(listens(both, &warnings),
            "0.0.0.0:8080/tcp>80 0.0.0.0:8081/tcp>81 [::]:8080/tcp>80 [::]:8081/tcp>81 ");
  EXPECT_TRUE(warnings.empty());
  v4.ports[0].host_ip = *net::IpAddress::parse("::1");
  EXPECT_EQ(listens(v4, &warnings), "[::1]:8080/tcp>80 [::1]:8081/tcp>81 ");
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("web has no IPv6 address"), std::string::npos);
}

TEST(Listeners, SocketsThatWereHandedOver) {
  ListenSpec spec;
  spec.at.address = net::IpAddress::loopback(false);
  auto bound = bind_only(spec);
  ASSERT_TRUE(bound);
  spec.at.port = local_endpoint(bound->get()).port;
  EXPECT_TRUE(can_stand_for(bound->get(), spec));
  ListenSpec other = spec;
  other.protocol = net::Protocol::udp;
  EXPECT_FALSE(can_stand_for(bound->get(), other));
  other = spec;
  other.at.address = net::IpAddress::any(false);
  EXPECT_FALSE(can_stand_for(bound->get(), other));
  // [::] for both families, as systemd makes them
  sys::UniqueFd dual(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int off = 0;
  ::setsockopt(dual.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  SocketAddress any(Endpoint{net::IpAddress::any(true), 0, 0});
  ASSERT_EQ(::bind(dual.get(), &any.any, any.length), 0);
  other.at.port = local_endpoint(dual.get()).port;
  EXPECT_TRUE(can_stand_for(dual.get(), other));
  EXPECT_FALSE(describe_listener(0) && can_stand_for(0, other));
}

TEST(Listeners, LowPortsTellTheThreeWays) {
  ListenSpec spec;
  spec.at = {net::IpAddress::any(false), 25, 0};
  Binder alice;
  alice.user = "alice";
  std::string help = low_port_help(spec, alice);
  for (const char* part : {"net.ipv4.ip_unprivileged_port_start=25", "'alice * 25 tcp'",
                           "/etc/minke/ports.d/alice.conf", "ListenStream=25\\nService="})
    EXPECT_NE(help.find(part), std::string::npos) << part;
  spec.protocol = net::Protocol::sctp;
  auto refused = bind_listener(spec, alice);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::unsupported);
}

TEST(Control, TakesOnlyWhatIsWellFormed) {
  std::string id(64, 'a');
  EXPECT_TRUE(parse_request("s" + id));
  EXPECT_TRUE(parse_request("w" + id));
  EXPECT_TRUE(parse_request("nfront-1.x"));
  EXPECT_TRUE(parse_request("?"));
  for (const std::string& text :
       {std::string(), std::string("s"), "s" + id + "a", "s" + std::string(64, 'A'),
        std::string("n../x"), std::string("n"), std::string("?x"), std::string("x"),
        std::string("n.hidden"), "n" + std::string(300, 'a')})
    EXPECT_FALSE(parse_request(text)) << text;
}

}  // namespace
}  // namespace minke::netd
