#include "base/str.h"

#include "base/rand.h"
#include "base/time.h"

namespace minke {
namespace {

TEST(Str, Pieces) {
  EXPECT_EQ(concat("a", 'b', 12, std::string("c")), "ab12c");
  EXPECT_EQ(split("a,,b", ',').size(), 3u);
  EXPECT_EQ(split("", ',').size(), 1u);
  EXPECT_EQ(split_once("k=v=w", '=')->second, "v=w");
  EXPECT_FALSE(split_once("k", '='));
  EXPECT_EQ(trim(" \t x y\r\n"), "x y");
  EXPECT_EQ(quote("a\"b\\\n\x01"), "\"a\\\"b\\\\\\n\\x01\"");
}

TEST(Str, NumbersAreWholeOrNothing) {
  EXPECT_EQ(parse_int("-7"), -7);
  EXPECT_FALSE(parse_int("7 "));
  EXPECT_FALSE(parse_int(""));
  EXPECT_FALSE(parse_int("9223372036854775808"));
  EXPECT_EQ(parse_uint("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(parse_uint("-1"));
  EXPECT_EQ(parse_bool("T"), true);
  EXPECT_FALSE(parse_bool("yes"));
}

TEST(Str, EditDistance) {
  EXPECT_EQ(edit_distance("start", "start"), 0u);
  EXPECT_EQ(edit_distance("strat", "start"), 2u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

TEST(Rand, HexOfTheAskedLength) {
  EXPECT_EQ(random_hex(32).size(), 64u);
  EXPECT_TRUE(is_hex(random_hex(32)));
  EXPECT_NE(random_hex(32), random_hex(32));
}

TEST(Time, Rfc3339RoundTrip) {
  auto t = parse_rfc3339("2024-02-29T23:59:58.123456789Z");
  ASSERT_TRUE(t);
  EXPECT_EQ(format_rfc3339(*t, -1, true), "2024-02-29T23:59:58.123456789Z");
  EXPECT_EQ(format_rfc3339(*t, 0, true), "2024-02-29T23:59:58Z");
  EXPECT_EQ(*parse_rfc3339("2024-03-01T01:59:58.123456789+02:00"), *t);
  EXPECT_EQ(format_rfc3339(kZeroTime), "0001-01-01T00:00:00Z");
  EXPECT_FALSE(parse_rfc3339("2024-13-01T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2024-01-01T00:00:00"));
}

TEST(Time, TimestampsOfSinceAndUntil) {
  TimeNs base = 1'000'000 * kSecond;
  EXPECT_EQ(*parse_timestamp("10m", base), base - 600 * kSecond);
  EXPECT_EQ(*parse_timestamp("5", base), 5 * kSecond);
  EXPECT_EQ(*parse_timestamp("5.25", base), 5 * kSecond + 250'000'000);
  EXPECT_EQ(*parse_timestamp("1970-01-02", base), 86400 * kSecond);
  EXPECT_FALSE(parse_timestamp("yesterday", base));
}

TEST(Time, GoDurations) {
  EXPECT_EQ(*parse_duration("1h2m3.5s"), (3600 + 120 + 3) * kSecond + kSecond / 2);
  EXPECT_EQ(*parse_duration("-1.5ms"), -1'500'000);
  EXPECT_FALSE(parse_duration("5"));
  EXPECT_FALSE(parse_duration("h"));
  for (const char* text : {"0s", "1h0m0s", "1m3.5s", "1.5ms", "12\xc2\xb5s", "7ns"})
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  EXPECT_EQ(human_duration(kSecond / 2), "Less than a second");
  EXPECT_EQ(human_duration(90 * kSecond), "About a minute");
  EXPECT_EQ(human_duration(49 * 3600 * kSecond), "2 days");
}

}  // namespace
}  // namespace minke
