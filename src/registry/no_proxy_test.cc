#include "registry/no_proxy.h"

namespace minke::registry {
namespace {

struct Row {
  const char* host;
  std::uint16_t port;
  const char* list;
  bool directly;
};

TEST(NoProxy, AsGoHasIt) {
  const Row rows[] = {
      {"quay.io", 443, "", false},
      {"quay.io", 443, "quay.io", true},
      {"cdn.quay.io", 443, "quay.io", true},
      {"notquay.io", 443, "quay.io", false},
      {"QUAY.io", 443, " a.example , Quay.IO ", true},
      {"quay.io", 443, ".quay.io", false},
      {"cdn.quay.io", 443, ".quay.io", true},
      {"cdn.quay.io", 443, "*.quay.io", true},
      {"quay.io", 443, "*.quay.io", false},
      {"quay.io", 443, "quay.io:443", true},
      {"quay.io", 5000, "quay.io:443", false},
      {"quay.io", 443, "a.example,*", true},
      {"quay.io", 443, ",, ,:443,/8", false},
      {"192.0.2.7", 80, "192.0.2.0/24", true},
      {"192.0.3.7", 80, "192.0.2.0/24", false},
      {"192.0.2.7", 80, "192.0.2.0/99,::/0", false},
      {"192.0.2.7", 80, "0.0.0.0/0", true},
      {"192.0.2.7", 80, "192.0.2.7", true},
      {"192.0.2.7", 81, "192.0.2.7:80", false},
      {"[2001:db8::1]", 80, "2001:db8::/32", true},
      {"[2001:db9::1]", 80, "2001:db8::/32", false},
      {"[2001:db8::1]", 80, "2001:db8:0::1", true},
      {"[2001:db8::1]", 80, "[2001:db8::1]:80", true},
      {"[2001:db8::1]", 81, "[2001:db8::1]:80", false},
      {"quay.io", 80, "2001:db8::/32,192.0.2.7", false},
      {"localhost", 80, "", true},
      {"127.8.9.1", 80, "", true},
      {"[::1]", 80, "", true},
      {"registry.localhost", 80, "", true},
      {"127.example", 80, "", false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(is_asked_directly(row.host, row.port, row.list), row.directly)
        << row.host << ":" << row.port << " with " << row.list;
}

}  // namespace
}  // namespace minke::registry
