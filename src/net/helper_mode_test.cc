#include "net/helper_mode.h"

#include <gtest/gtest.h>

#include "base/str.h"

namespace minke::net {
namespace {

constexpr const char* kHelp =
    "--configure --mtu --disable-host-loopback --enable-seccomp --enable-ipv6 --cidr "
    "--outbound-addr "
    "--outbound-addr6 --api-socket --netns-type --ready-fd --exit-fd";

std::string slirp_words(std::string_view text, const char* help = kHelp) {
  auto options = parse_slirp_options(text);
  if (!options) return options.error().message();
  auto argv = slirp_argv("/usr/bin/slirp4netns", help, *options, "/run/api");
  return argv ? join(*argv, " ") : argv.error().message();
}

TEST(HelperMode, SlirpOptionsArePodmans) {
  EXPECT_EQ(slirp_words(""),
            "/usr/bin/slirp4netns --configure --mtu=65520 --disable-host-loopback --enable-seccomp "
            "--enable-ipv6 --api-socket=/run/api --netns-type=path --ready-fd=4 --exit-fd=5 "
            "/proc/self/fd/3 tap0");
  EXPECT_EQ(slirp_words("mtu=1500,cidr=10.9.0.0/24,allow_host_loopback=true,enable_ipv6=false,"
                        "outbound_addr=lo,port_handler=slirp4netns"),
            "/usr/bin/slirp4netns --configure --mtu=1500 --enable-seccomp --cidr=10.9.0.0/24 "
            "--outbound-addr=lo --api-socket=/run/api --netns-type=path --ready-fd=4 --exit-fd=5 "
            "/proc/self/fd/3 tap0");
  for (const char* text :
       {"mtu", "mtu=x", "mtu=1", "cidr=fd00::/64", "cidr=10.0.0.0/30", "port_handler=x",
        "enable_ipv6=2", "allow_host_loopback=", "outbound_addr=::1", "outbound_addr=nosuch",
        "outbound_addr6=1.2.3.4", "outbound_addr6=lo,enable_ipv6=false", "more=1"})
    EXPECT_FALSE(parse_slirp_options(text)) << text;
  EXPECT_EQ(slirp_words("more=1"), "unknown option for slirp4netns: \"more=1\"");
  EXPECT_EQ(slirp_words("outbound_addr=lo",
                        "--disable-host-loopback --api-socket --netns-type "
                        "--ready-fd --exit-fd"),
            "/usr/bin/slirp4netns is too old: it has no --outbound-addr");
  auto options = parse_slirp_options("cidr=10.9.0.0/24");
  EXPECT_EQ(slirp_address(*options).text(), "10.9.0.100");
  EXPECT_EQ(slirp_resolver(*options).text(), "10.9.0.3");
}

TEST(HelperMode, SlirpForwardsPorts) {
  PortMapping port;
  port.host_port = 8080;
  port.container_port = 80;
  port.range = 2;
  auto request = slirp_forward_request(port, 1, {});
  ASSERT_TRUE(request);
  EXPECT_EQ(*request,
            R"({"execute":"add_hostfwd","arguments":{"proto":"tcp","host_addr":"0.0.0.0",)"
            R"("host_port":8081,"guest_addr":"10.0.2.100","guest_port":81}})");
  port.host_ip = *IpAddress::parse("::1");
  EXPECT_FALSE(slirp_forward_request(port, 0, {}));
  EXPECT_TRUE(check_slirp_answer(R"({"return":{"id":1}})"));
  Status refused = check_slirp_answer(R"({"error":{"desc":"bad request: in use"}})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "slirp4netns: bad request: in use");
  EXPECT_FALSE(check_slirp_answer("nonsense"));
}

TEST(HelperMode, PastaTakesWhatIsSaidAfterOurs) {
  PortMapping web, dns;
  web.host_port = 8080, web.container_port = 80, web.range = 3;
  dns.host_port = dns.container_port = 53, dns.protocol = Protocol::udp;
  dns.host_ip = *IpAddress::parse("192.0.2.1");
  auto words = [](std::string_view options, const std::vector<PortMapping>& ports) {
    auto argv = pasta_argv("pasta", "--no-map-gw", options, ports, "/run/pid");
    return argv ? join(*argv, " ") : argv.error().message();
  };
  EXPECT_EQ(words("", {}),
            "pasta --config-net --pid /run/pid -t none -u none -T none -U none --no-map-gw --quiet "
            "--netns /proc/self/fd/3");
  EXPECT_EQ(
      words("", {web, dns}),
      "pasta --config-net --pid /run/pid -t 8080-8082:80-82 -u 192.0.2.1/53:53 -T none -U none "
      "--no-map-gw --quiet --netns /proc/self/fd/3");
  EXPECT_EQ(words("-T,5201,--map-gw,--mtu,1500,-u=auto", {}),
            "pasta --config-net --pid /run/pid -t none -U none -T 5201 --mtu 1500 -u=auto --quiet "
            "--netns /proc/self/fd/3");
  auto newer = pasta_argv("pasta", "--dns-forward --map-guest-addr", "", {}, "/run/pid");
  ASSERT_TRUE(newer);
  EXPECT_EQ(join(*newer, " "),
            "pasta --config-net --pid /run/pid -t none -u none -T none -U none --dns-forward "
            "169.254.1.1 --map-guest-addr 169.254.1.2 --quiet --netns /proc/self/fd/3");
}

}  // namespace
}  // namespace minke::net
