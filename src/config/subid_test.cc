#include "config/subid.h"

namespace minke::config {

using Ranges = std::vector<SubidRange>;

TEST(Subid, FindsRangesByNameAndByNumber) {
  const char* text =
      "alice:100000:65536\nbob:165536:65536\n1000:300000:1000\n# alice:1:1\n\nalice:400000:10\n";
  EXPECT_EQ(parse_subids(text, "alice", 1000),
            (Ranges{{100000, 65536}, {300000, 1000}, {400000, 10}}));
  EXPECT_EQ(parse_subids(text, "carol", 5), Ranges());
}

TEST(Subid, PassesOverWhatCannotBeRead) {
  for (const char* text : {"a:1", "a:1:2:3", "a:x:2", "a:1:0", "a:-1:5", "a:4294967295:2",
                           "a:1:4294967296", "a::", ":::"})
    EXPECT_EQ(parse_subids(text, "a", 7), Ranges()) << text;
}

TEST(Subid, AMissingFileHasNoRanges) {
  auto ranges = find_subids("/nonexistent/subuid", "a", 7);
  ASSERT_TRUE(ranges);
  EXPECT_TRUE(ranges->empty());
}

}  // namespace minke::config
