#include "monitor/detach_keys.h"

#include <gtest/gtest.h>

namespace minke::monitor {
namespace {

struct Fed {
  std::string out;
  bool detached;
};
Fed feed(DetachKeys& keys, std::string_view typed) {
  Fed fed;
  fed.detached = keys.feed(typed, &fed.out);
  return fed;
}

TEST(DetachKeys, Default) {
  DetachKeys keys = *DetachKeys::parse("ctrl-p,ctrl-q");
  Fed fed = feed(keys, "ls\x10\x11rest");
  EXPECT_TRUE(fed.detached);
  EXPECT_EQ(fed.out, "ls");
}

TEST(DetachKeys, HeldBackKeysArePassedOnWhenTheSequenceBreaks) {
  DetachKeys keys = *DetachKeys::parse("ctrl-p,ctrl-q");
  EXPECT_EQ(feed(keys, "\x10").out, "");
  Fed fed = feed(keys, "a");
  EXPECT_FALSE(fed.detached);
  EXPECT_EQ(fed.out,
            "\x10"
            "a");
  EXPECT_EQ(feed(keys, "\x10").out, "");
  EXPECT_EQ(feed(keys, "\x10").out, "\x10");  // the second one may still begin the sequence
  EXPECT_TRUE(feed(keys, "\x11").detached);
}

TEST(DetachKeys, OverlappingSequence) {
  DetachKeys keys = *DetachKeys::parse("a,a,b");
  Fed fed = feed(keys, "aaab");
  EXPECT_TRUE(fed.detached);
  EXPECT_EQ(fed.out, "a");
}

TEST(DetachKeys, SyntaxOfDocker) {
  for (const char* good :
       {"a", "ctrl-a", "ctrl-@", "ctrl-[", "ctrl-\\", "ctrl-]", "ctrl-^", "ctrl-_", "a,b,c"})
    EXPECT_TRUE(DetachKeys::parse(good)) << good;
  for (const char* bad : {"ctrl", "ctrl-", "ctrl-1", "ab", "a,", "ctrl-ab", "CTRL-a,,b"})
    EXPECT_FALSE(DetachKeys::parse(bad)) << bad;
  auto error = DetachKeys::parse("ctrl-p,foo");
  EXPECT_NE(error.error().message().find("\"foo\""), std::string::npos);
}

TEST(DetachKeys, EmptyNeverDetaches) {
  DetachKeys keys = *DetachKeys::parse("");
  Fed fed = feed(keys, "\x10\x11");
  EXPECT_FALSE(fed.detached);
  EXPECT_EQ(fed.out, "\x10\x11");
}

}  // namespace
}  // namespace minke::monitor
