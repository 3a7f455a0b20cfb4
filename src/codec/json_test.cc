#include "codec/json.h"

namespace minke::json {
namespace {

struct Inner {
  std::string name;
  std::int32_t count = 0;
};
void bind(Binder& b, Inner& i) {
  b.required("name", i.name);
  b("count", i.count);
}
struct Outer {
  std::vector<Inner> list;
  std::map<std::string, std::string> labels;
  std::optional<bool> flag;
  std::vector<std::uint32_t> ids;
  std::uint64_t big = 0;
};
void bind(Binder& b, Outer& o) {
  b("list", o.list);
  b("labels", o.labels);
  b("flag", o.flag);
  b("ids", o.ids);
  b("big", o.big);
}

TEST(Json, KeepsOrderAndNumbers) {
  std::string text =
      R"({"z":1,"a":[true,null,-5,18446744073709551615,1.5],"s":"\u00e4\n\"","o":{}})";
  auto value = parse(text);
  ASSERT_TRUE(value);
  EXPECT_EQ(
      dump(*value),
      "{\"z\":1,\"a\":[true,null,-5,18446744073709551615,1.5],\"s\":\"\xc3\xa4\\n\\\"\",\"o\":{}}");
  EXPECT_EQ(dump(*value->find("a"), 2),
            "[\n  true,\n  null,\n  -5,\n  18446744073709551615,\n  1.5\n]");
}

TEST(Json, FaultsNameLineAndColumn) {
  EXPECT_EQ(parse("{\n  \"a\": nope}").error().message().substr(0, 15), "line 2, column ");
  EXPECT_FALSE(parse("{} x"));
  EXPECT_FALSE(parse(""));
  EXPECT_FALSE(parse(std::string(1000, '[')));
  EXPECT_FALSE(parse("[1", {}));
  EXPECT_FALSE(parse("[1]", {.max_depth = 8, .max_size = 2}));
}

TEST(Json, BindsBothWays) {
  std::string text =
      R"({"list":[{"name":"x","count":2},{"name":""}],"labels":{"k":"v"},"flag":false,"ids":[1,2],"big":18446744073709551615})";
  auto outer = parse_struct<Outer>(text);
  ASSERT_TRUE(outer);
  EXPECT_EQ(outer->list[0].count, 2);
  EXPECT_EQ(outer->flag, false);
  EXPECT_EQ(dump_struct(*outer), text);
  EXPECT_EQ(dump_struct(Outer()), "{}");
}

TEST(Json, BindFaultsNameThePath) {
  auto fault = [](const char* text) { return parse_struct<Outer>(text).error().message(); };
  EXPECT_EQ(fault(R"({"list":[{"name":"x"},{"name":5}]})"),
            "list[1].name: expected a string, found a number");
  EXPECT_EQ(fault(R"({"list":[{"count":3000000000}]})"),
            "list[0].count: number 3000000000 out of range -2147483648 to 2147483647");
  EXPECT_EQ(fault(R"({"ids":[1,-2]})"), "ids[1]: number -2 out of range 0 to 4294967295");
  EXPECT_EQ(fault(R"({"labels":{"k":1}})"), "labels.k: expected a string, found a number");
  EXPECT_EQ(fault(R"({"list":{}})"), "list: expected an array, found an object");
  EXPECT_EQ(fault(R"({"flag":"x"})"), "flag: expected a boolean, found a string");
}

TEST(Json, DoubledKeyKeepsTheLast) { EXPECT_EQ(dump(*parse(R"({"a":1,"a":2})")), R"({"a":2})"); }

TEST(Json, ManyMembersTakeNoSquareOfTime) {
  std::string text = "{";
  for (int i = 0; i < 300'000; ++i)
    text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i % 200'000) + "\":" + std::to_string(i);
  auto value = parse(text + "}");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->as_object()->size(), 200'000U);
  EXPECT_EQ(value->as_object()->begin()->first, "k0");
  EXPECT_EQ(*value->as_object()->begin()->second.as_int(), 200'000);
}

}  // namespace
}  // namespace minke::json
