#include "net/port_grant.h"

#include <gtest/gtest.h>

namespace minke::net {
namespace {

bool allowed(std::string_view text, const std::vector<std::string>& user, std::string_view wish) {
  auto all = parse_port_grants(text);
  auto wanted = parse_port_wish(wish);
  EXPECT_TRUE(all) << text;
  EXPECT_TRUE(wanted) << wish;
  for (const PortGrant& grant : *all)
    if (grants(grant, user, *wanted)) return true;
  return false;
}

TEST(PortGrant, SaysWhoMayBindWhat) {
  const char* text =
      "# mail\nalice * 25,465,587 tcp\n1001 192.0.2.1 80-90 *   # web\n\n bob\t::1 53 udp\n";
  EXPECT_TRUE(allowed(text, {"1000", "alice"}, "tcp 0.0.0.0 25"));
  EXPECT_TRUE(allowed(text, {"1000", "alice"}, "tcp :: 587"));
  EXPECT_FALSE(allowed(text, {"1000", "alice"}, "udp 0.0.0.0 25"));
  EXPECT_FALSE(allowed(text, {"1000", "alice"}, "tcp 0.0.0.0 26"));
  EXPECT_FALSE(allowed(text, {"1002", "carol"}, "tcp 0.0.0.0 25"));
  EXPECT_TRUE(allowed(text, {"1001"}, "udp 192.0.2.1 90"));
  EXPECT_FALSE(allowed(text, {"1001"}, "udp 0.0.0.0 90"));  // more than was granted
  EXPECT_FALSE(allowed(text, {"1001"}, "tcp 192.0.2.1 91"));
  EXPECT_TRUE(allowed(text, {"bob"}, "udp ::1 53"));
  EXPECT_FALSE(allowed(text, {"bob"}, "tcp ::1 53"));
  EXPECT_FALSE(allowed("", {"bob"}, "tcp ::1 53"));
}

TEST(PortGrant, NamesTheLineThatIsWrong) {
  for (const char* line : {"alice", "alice * 25", "alice * 25 tcp more", "alice host 25 tcp",
                           "alice * 0 tcp", "alice * 70000 tcp", "alice * 30-20 tcp",
                           "alice * , tcp", "alice * 25 sctp", "alice * 25 TLS"}) {
    auto all = parse_port_grants(std::string("# first\n") + line);
    ASSERT_FALSE(all) << line;
    EXPECT_TRUE(all.error().message().starts_with("line 2: ")) << all.error().message();
  }
  for (const char* wish :
       {"", "tcp", "tcp 0.0.0.0", "tcp 0.0.0.0 0", "tcp x 1", "sctp 0.0.0.0 1", "tcp 0.0.0.0 1 1"})
    EXPECT_FALSE(parse_port_wish(wish)) << wish;
}

}  // namespace
}  // namespace minke::net
