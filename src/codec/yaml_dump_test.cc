#include "codec/yaml_dump.h"

#include <gtest/gtest.h>

namespace minke::yaml {
namespace {

std::string of(std::string_view text) {
  auto value = json::parse(text);
  return value ? yaml::dump(*value) : value.error().message();
}

TEST(YamlDump, CollectionsAndOrder) {
  EXPECT_EQ(of(R"({"b":{"y":1,"x":[1,"two"]},"a":true,"e":[],"f":{},"n":null})"),
            "a: true\nb:\n  x:\n  - 1\n  - two\n  \"y\": 1\ne: []\nf: {}\n\"n\": null\n");
  EXPECT_EQ(of(R"([{"k":1,"l":[[1],[2,3]]}])"), "- k: 1\n  l:\n  - - 1\n  - - 2\n    - 3\n");
}

TEST(YamlDump, TextsThatWouldBeOther) {
  EXPECT_EQ(
      of(R"(["","12","1.5","true","null","a: b","it's: x","- x","-x","x:","#c","a #c"])"),
      "- \"\"\n- \"12\"\n- \"1.5\"\n- \"true\"\n- \"null\"\n- 'a: b'\n- 'it''s: x'\n- '- x'\n- -x\n"
      "- 'x:'\n- '#c'\n- 'a #c'\n");
}

TEST(YamlDump, LinesAndControls) {
  EXPECT_EQ(of(R"({"v":"one\ntwo","w":"x\n"})"), "v: |-\n  one\n  two\nw: |\n  x\n");
  EXPECT_EQ(of(R"(["a\tb"])"), "- \"a\\tb\"\n");
}

}  // namespace
}  // namespace minke::yaml
