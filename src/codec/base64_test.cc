#include "codec/base64.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

TEST(Base64, RfcVectorsBothWays) {
  const char* rows[][2] = {{"", ""},
                           {"f", "Zg=="},
                           {"fo", "Zm8="},
                           {"foo", "Zm9v"},
                           {"foob", "Zm9vYg=="},
                           {"fooba", "Zm9vYmE="},
                           {"foobar", "Zm9vYmFy"}};
  for (auto& row : rows) {
    EXPECT_EQ(base64_encode(row[0]), row[1]);
    EXPECT_EQ(base64_decode(row[1]), row[0]);
  }
  EXPECT_EQ(base64_decode("Zm9v\r\nYmFy\n"), "foobar");
  EXPECT_EQ(base64_decode(base64_encode("\xff\xfe\0\x01")), "\xff\xfe");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Zm9v=", "Zg==Zg==", "Zm 9v", "Zm9_", "Zm8=a"})
    EXPECT_FALSE(base64_decode(text)) << text;
}

}  // namespace
}  // namespace minke
