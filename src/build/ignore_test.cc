#include "build/ignore.h"

#include <gtest/gtest.h>

namespace minke::build {
namespace {

bool match(std::string_view pattern, std::string_view path) {
  auto parsed = PathPattern::parse(pattern);
  EXPECT_TRUE(parsed.ok()) << pattern;
  return parsed && parsed->matches(path);
}

TEST(PathPattern, Matches) {
  struct Case {
    const char *pattern, *path;
    bool expected;
  };
  const Case cases[] = {
      {"a", "a", true},
      {"a", "a/b", false},
      {"*", "a", true},
      {"*", "a/b", false},
      {"*.go", "x.go", true},
      {"*.go", "d/x.go", false},
      {"a/*/c", "a/b/c", true},
      {"a/*/c", "a/b/b/c", false},
      {"**", "a/b/c", true},
      {"**/*.go", "x.go", true},
      {"**/*.go", "a/b/x.go", true},
      {"**/foo", "foo", true},
      {"**/foo", "a/foo", true},
      {"**/foo", "afoo", false},
      {"**foo", "a/xfoo", true},
      {"a/**", "a/b", true},
      {"a/**", "a", false},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**/b", "axb", false},
      {"a**", "abc/d", true},
      {"a/**/*.txt", "a/x.txt", true},
      {"**/a/**/b", "x/a/y/b", true},
      {"?", "a", true},
      {"?", "/", false},
      {"??", "\xc3\xa9x", true},
      {"[a-c]x", "bx", true},
      {"[^a-c]x", "bx", false},
      {"[^a-c]x", "dx", true},
      {"[\\]]", "]", true},
      {"a\\*", "a*", true},
      {"a\\*", "ab", false},
      {"a.b+(c)", "a.b+(c)", true},
      {"a.b", "axb", false},
      {"", "", true},
  };
  for (const Case& c : cases)
    EXPECT_EQ(match(c.pattern, c.path), c.expected) << c.pattern << " " << c.path;
  for (const char* bad : {"[", "[a", "[]", "[a-]", "a\\", "[^]"})
    EXPECT_FALSE(PathPattern::parse(bad).ok()) << bad;
}

TEST(PathPattern, Below) {
  auto below = [](std::string_view pattern, std::string_view folder) {
    return PathPattern::parse(pattern)->may_match_below(folder);
  };
  EXPECT_TRUE(below("a/b/c", "a"));
  EXPECT_TRUE(below("a/b/c", "a/b"));
  EXPECT_FALSE(below("a/b/c", "a/b/c"));
  EXPECT_FALSE(below("a/b/c", "b"));
  EXPECT_TRUE(below("**/*.go", "vendor"));
  EXPECT_TRUE(below("*/x", "vendor"));
  EXPECT_FALSE(below("*", "vendor"));
}

TEST(IgnoreList, LastMatchWins) {
  auto list = IgnoreList::parse(
      "\xef\xbb\xbf# comment\n\n  *.md  \n!README*.md\nREADME-secret.md\n/build/\n!build/keep\r\n"
      "node_modules\n./x/../y\n",
      ".dockerignore");
  ASSERT_TRUE(list.ok());
  auto ignored = [&](std::string_view path) { return list->ignores(path); };
  EXPECT_TRUE(ignored("a.md"));
  EXPECT_FALSE(ignored("d/a.md"));
  EXPECT_FALSE(ignored("README.md"));
  EXPECT_TRUE(ignored("README-secret.md"));
  EXPECT_TRUE(ignored("build"));
  EXPECT_TRUE(ignored("build/deep/file"));
  EXPECT_FALSE(ignored("build/keep"));
  EXPECT_FALSE(ignored("build/keep/below"));
  EXPECT_TRUE(ignored("node_modules/a/b"));
  EXPECT_FALSE(ignored("src/node_modules"));
  EXPECT_TRUE(ignored("y"));
  EXPECT_TRUE(list->may_keep_below("build"));
  EXPECT_FALSE(list->may_keep_below("node_modules"));
  // Along a walk the answers are the same.
  IgnoreList::Above top, build, deep;
  EXPECT_FALSE(list->ignores("src", nullptr, &top));
  EXPECT_TRUE(list->ignores("build", nullptr, &build));
  EXPECT_TRUE(list->ignores("build/deep", &build, &deep));
  EXPECT_TRUE(list->ignores("build/deep/file", &deep));
  EXPECT_FALSE(list->ignores("build/keep", &build));
  EXPECT_EQ(IgnoreList::parse("a\n[\n", "F").error().message(),
            "F:2: bad pattern \"[\" (an open [ or a \\ at the end?)");
  EXPECT_FALSE(IgnoreList::parse("!\n", "F").ok());
}

TEST(IgnoreList, AllButSome) {
  auto list = IgnoreList::parse("*\n!src\n!**/*.go\nsrc/*.tmp\n", "F");
  EXPECT_TRUE(list->ignores("README"));
  EXPECT_FALSE(list->ignores("src/a/b"));
  EXPECT_TRUE(list->ignores("src/a.tmp"));
  EXPECT_FALSE(list->ignores("cmd/x/main.go"));
  EXPECT_TRUE(list->may_keep_below("cmd"));
}

TEST(CleanRelative, Forms) {
  EXPECT_EQ(clean_relative(""), ".");
  EXPECT_EQ(clean_relative("/"), ".");
  EXPECT_EQ(clean_relative("./a//b/../c/"), "a/c");
  EXPECT_EQ(clean_relative("../../x"), "x");
  EXPECT_EQ(clean_relative("/a/../../b"), "b");
}

}  // namespace
}  // namespace minke::build
