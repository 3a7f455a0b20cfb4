#include "codec/units.h"

#include <gtest/gtest.h>

namespace minke::units {
namespace {

TEST(Units, PrintsAsGoUnits) {
  EXPECT_EQ(human_size(0), "0B");
  EXPECT_EQ(human_size(999), "999B");
  EXPECT_EQ(human_size(1000), "1kB");
  EXPECT_EQ(human_size(1234567), "1.235MB");
  EXPECT_EQ(human_size(4261234, 3), "4.26MB");
  EXPECT_EQ(human_size_spaced(4261234), "4.26 MB");
  EXPECT_EQ(bytes_size(1024), "1KiB");
  EXPECT_EQ(bytes_size(64 << 20), "64MiB");
  EXPECT_EQ(bytes_size(1536), "1.5KiB");
}

TEST(Units, Parses) {
  struct Row {
    const char* text;
    std::int64_t bytes;
  };
  for (const Row& row : {Row{"10m", 10 << 20},
                         {"1g", 1 << 30},
                         {"512k", 512 << 10},
                         {"100b", 100},
                         {"100", 100},
                         {"1.5gb", 1610612736},
                         {"10 MiB", 10 << 20},
                         {"32.5kB", 33280},
                         {"0", 0},
                         {"1T", 1LL << 40}}) {
    auto size = parse_ram(row.text);
    ASSERT_TRUE(size.ok()) << row.text;
    EXPECT_EQ(*size, row.bytes) << row.text;
  }
  EXPECT_EQ(*parse_human_size("32kb"), 32000);
}

TEST(Units, Refuses) {
  EXPECT_EQ(parse_ram("hello").error().message(), "invalid size: 'hello'");
  EXPECT_EQ(parse_ram("-32").error().message(), "invalid size: '-32'");
  EXPECT_EQ(parse_ram("32x").error().message(), "invalid suffix: 'x'");
  EXPECT_EQ(parse_ram("32bb").error().message(), "invalid suffix: 'bb'");
  EXPECT_EQ(parse_ram(".m").error().message(), "strconv.ParseFloat: parsing \".\": invalid syntax");
  EXPECT_FALSE(parse_ram("").ok());
  EXPECT_FALSE(parse_ram("nan").ok());
  EXPECT_FALSE(parse_ram("99999999999p").ok());
}

}  // namespace
}  // namespace minke::units
