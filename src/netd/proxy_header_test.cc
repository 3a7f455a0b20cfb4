#include "netd/proxy_header.h"

#include <gtest/gtest.h>

namespace minke::netd {
namespace {

using namespace std::string_literals;

Endpoint at(const char* address, std::uint16_t port) {
  auto parsed = net::IpAddress::parse(address);
  EXPECT_TRUE(parsed) << address;
  return {*parsed, port};
}

TEST(ProxyHeader, NoneIsEmpty) {
  EXPECT_EQ(make_proxy_header(net::ProxyHeader::none, at("192.0.2.1", 1), at("192.0.2.2", 2)), "");
}

// The specification's own lines (section 2.1), the longest ones among them.
TEST(ProxyHeader, Version1IsTheSpecificationsText) {
  EXPECT_EQ(
      make_proxy_header(net::ProxyHeader::v1, at("192.168.0.1", 56324), at("192.168.0.11", 443)),
      "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
  const std::string longest4 = make_proxy_header(net::ProxyHeader::v1, at("255.255.255.255", 65535),
                                                 at("255.255.255.255", 65535));
  EXPECT_EQ(longest4, "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n");
  EXPECT_EQ(longest4.size(), 56u);
  const std::string all = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  const std::string longest6 =
      make_proxy_header(net::ProxyHeader::v1, at(all.c_str(), 65535), at(all.c_str(), 65535));
  EXPECT_EQ(longest6, "PROXY TCP6 " + all + " " + all + " 65535 65535\r\n");
  EXPECT_EQ(longest6.size(), 104u);
}

TEST(ProxyHeader, Version2OfTcp4) {
  EXPECT_EQ(make_proxy_header(net::ProxyHeader::v2, at("203.0.113.7", 0x1234), at("10.0.0.2", 25)),
            "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\x0a\0\0\x02\x12\x34\0\x19"s);
}

TEST(ProxyHeader, Version2OfTcp6) {
  const std::string header =
      make_proxy_header(net::ProxyHeader::v2, at("2001:db8::7", 80), at("::1", 443));
  ASSERT_EQ(header.size(), 16u + 36u);
  EXPECT_EQ(header.substr(12, 4), "\x21\x21\0\x24"s);
  EXPECT_EQ(header.substr(16, 4), "\x20\x01\x0d\xb8"s);
  EXPECT_EQ(header.substr(48), "\0\x50\x01\xbb"s);
}

TEST(ProxyHeader, TwoFamiliesBecomeV6) {
  EXPECT_EQ(make_proxy_header(net::ProxyHeader::v1, at("192.0.2.1", 1), at("2001:db8::1", 2)),
            "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n");
}

}  // namespace
}  // namespace minke::netd
