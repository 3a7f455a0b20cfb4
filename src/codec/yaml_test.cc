#include "codec/yaml.h"

#include <gtest/gtest.h>

#include <string>

namespace minke::yaml {
namespace {

std::string read(std::string_view text) {
  auto value = parse(text);
  return value ? json::dump(*value) : "error: " + value.error().message();
}

TEST(Yaml, ScalarsListsAndMaps) {
  EXPECT_EQ(read("a: 1\nb: [x, 'true', true, ~, -3, +3, 1.5]\nc:\n  - d: e\n  - f\n"),
            R"({"a":1,"b":["x","true",true,null,-3,"+3","1.5"],"c":[{"d":"e"},"f"]})");
  EXPECT_EQ(read(""), "null");
  EXPECT_EQ(read("# nothing\n"), "null");
  EXPECT_EQ(read("a: |\n  two\n  lines\n"), R"({"a":"two\nlines\n"})");
}

TEST(Yaml, AliasesAreCounted) {
  EXPECT_EQ(read("a: &x [1, 2]\nb: *x\n"), R"({"a":[1,2],"b":[1,2]})");
  std::string bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 12; ++i) {
    std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += last + (k < 9 ? ", " : "]\n");
  }
  EXPECT_NE(read(bomb).find("too large"), std::string::npos);
}

TEST(Yaml, FaultsNameTheirLine) {
  EXPECT_EQ(read("a: 1\na: 2\n"), "error: line 2: the key \"a\" again");
  EXPECT_EQ(read("a: 1\n---\nb: 2\n"), "error: line 2: a second document");
  EXPECT_EQ(read("a: *x\n"), "error: line 1: an alias of nothing");
  EXPECT_TRUE(read("a: [1\nb: 2\n").starts_with("error: line 2: "));
  EXPECT_NE(read(std::string(100, '[')).find("too deeply"), std::string::npos);
}

}  // namespace
}  // namespace minke::yaml
