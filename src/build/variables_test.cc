#include "build/variables.h"

#include <gtest/gtest.h>

#include "build/parse.h"
#include "build/pattern.h"
#include "build/platform_args.h"

namespace minke::build {
namespace {

const std::map<std::string, std::string> kSet = {
    {"foo", "bar"}, {"empty", ""},        {"path", "/usr/lib/x.tar.gz"},
    {"v", "1.2.3"}, {"words", "one two"}, {"utf", "h\xc3\xa9llo"},
};

std::optional<std::string> find(std::string_view name) {
  auto it = kSet.find(std::string(name));
  if (it == kSet.end()) return std::nullopt;
  return it->second;
}

std::string ok(std::string_view word, const ExpandOptions& options = {}) {
  auto out = expand_word(word, find, options);
  return out ? *out : "error: " + out.error().message();
}

struct Case {
  const char* word;
  const char* expected;
};

TEST(ExpandWord, Forms) {
  const Case cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"$foo", "bar"},
      {"${foo}", "bar"},
      {"a${foo}b", "abarb"},
      {"$foo-x", "bar-x"},
      {"$foox", ""},
      {"$", "$"},
      {"a$", "a$"},
      {"$ x", "$ x"},
      {"$unset", ""},
      {"${foo:-x}", "bar"},
      {"${empty:-x}", "x"},
      {"${empty-x}", ""},
      {"${unset:-x}", "x"},
      {"${unset-x}", "x"},
      {"${unset:-$foo}", "bar"},
      {"${unset:-${empty:-deep}}", "deep"},
      {"${unset:-a b}", "a b"},
      {"${unset:-\"a}b\"}", "a}b"},
      {"${foo:+x}", "x"},
      {"${empty:+x}", ""},
      {"${empty+x}", "x"},
      {"${unset:+x}", ""},
      {"${unset+x}", ""},
      {"${foo:?gone}", "bar"},
      {"${empty?gone}", ""},
      {"$1", ""},
      {"$12x", "x"},
      {"${foo}${foo}", "barbar"},
  };
  for (const Case& c : cases) EXPECT_EQ(ok(c.word), c.expected) << c.word;
}

TEST(ExpandWord, Patterns) {
  const Case cases[] = {
      {"${path#*/}", "usr/lib/x.tar.gz"},
      {"${path##*/}", "x.tar.gz"},
      {"${path%.*}", "/usr/lib/x.tar"},
      {"${path%%.*}", "/usr/lib/x"},
      {"${v#1.}", "2.3"},
      {"${v%.3}", "1.2"},
      {"${v#2}", "1.2.3"},
      {"${v%.?}", "1.2"},
      {"${v##*}", ""},
      {"${v#*}", "1.2.3"},
      {"${v/./-}", "1-2.3"},
      {"${v//./-}", "1-2-3"},
      {"${v//./}", "123"},
      {"${v/[12]/x}", "1.2.3"},
      {"${path/\\/usr/opt}", "opt/lib/x.tar.gz"},
      {"${path//\\//_}", "_usr_lib_x.tar.gz"},
      {"${path/l*x/Q}", "/usr/Q.tar.gz"},
      {"${utf/?llo/i}", "hi"},
      {"${foo//?/xy}", "xyxyxy"},
      {"${foo/$foo/$v}", "1.2.3"},
      {"${unset#x}", ""},
      {"${foo#\\*}", "bar"},
      {"${foo%r}${foo#b}", "baar"},
  };
  for (const Case& c : cases) EXPECT_EQ(ok(c.word), c.expected) << c.word;
}

TEST(ExpandWord, Quotes) {
  const Case cases[] = {
      {"'$foo'", "$foo"},         {"\"$foo\"", "bar"},    {"\"'$foo'\"", "'bar'"},
      {"'\"$foo\"'", "\"$foo\""}, {"\\$foo", "$foo"},     {"\"\\$foo\"", "$foo"},
      {"\"a\\\"b\"", "a\"b"},     {"\"a\\nb\"", "a\\nb"}, {"a\\nb", "anb"},
      {"a\\ b", "a b"},           {"\\\\", "\\"},         {"x\\", "x"},
      {"'a'\"b\"c", "abc"},       {"he'llo'", "hello"},   {"'\\'", "\\"},
  };
  for (const Case& c : cases) EXPECT_EQ(ok(c.word), c.expected) << c.word;
  EXPECT_EQ(ok("c:\\$foo", {.escape = '`'}), "c:\\bar");
  EXPECT_EQ(ok("`$foo", {.escape = '`'}), "$foo");
  EXPECT_EQ(ok("\"a\" '$foo'", {.keep_quotes = true}), "\"a\" '$foo'");
  EXPECT_EQ(ok("\\x", {.keep_escapes = true}), "\\x");
  EXPECT_EQ(ok("'$foo' \"", {.quotes_are_plain = true}), "'bar' \"");
  EXPECT_EQ(ok("$unset ${unset} ${unset:-x} $foo", {.keep_unset = true}),
            "$unset ${unset} ${unset:-x} bar");
}

TEST(ExpandWord, Faults) {
  for (const char* word :
       {"'a", "\"a", "${foo", "${", "${}", "${:-x}", "${foo:x}", "${foo:-x", "${foo/x}",
        "${foo/x/y", "${foo@Q}", "${foo^}", "${foo#\\x}", "${{foo}}", "${foo:", "${foo^^}"})
    EXPECT_TRUE(ok(word).starts_with("error: cannot expand ")) << word;
  EXPECT_EQ(ok("${unset?}"),
            "error: cannot expand \"${unset?}\": unset: is not allowed to be unset");
  EXPECT_EQ(ok("${empty:?say it}"), "error: cannot expand \"${empty:?say it}\": empty: say it");
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "${a:-";
  EXPECT_TRUE(ok(deep).starts_with("error: ")) << "nested without end";
}

TEST(ExpandWord, GrowthIsBounded) {
  std::string big(300 << 10, 'x');
  auto lookup = [&](std::string_view) { return std::optional<std::string>(big); };
  EXPECT_FALSE(expand_word("$a$a$a$a", lookup).ok());
  EXPECT_TRUE(expand_word("$a$a$a", lookup).ok());
}

TEST(ExpandWords, SplitsWhatIsNotQuoted) {
  auto words = [](std::string_view text) { return *expand_words(text, find); };
  using List = std::vector<std::string>;
  EXPECT_EQ(words("a  b\tc"), (List{"a", "b", "c"}));
  EXPECT_EQ(words("$words x"), (List{"one", "two", "x"}));
  EXPECT_EQ(words("\"$words\" x"), (List{"one two", "x"}));
  EXPECT_EQ(words("a\\ b"), (List{"a b"}));
  EXPECT_EQ(words(" $empty "), List());
}

TEST(Pattern, BackwardsOverCharacters) {
  auto pattern = ShellPattern::parse("?llo");
  ASSERT_TRUE(pattern.ok());
  EXPECT_EQ(pattern->match_back("h\xc3\xa9llo", ShellPattern::Length::shortest), 5U);
  auto star = ShellPattern::parse("a*");
  EXPECT_EQ(star->match_back("xaya", ShellPattern::Length::shortest), 1U);
  EXPECT_EQ(star->match_back("xaya", ShellPattern::Length::longest), 3U);
  EXPECT_EQ(ShellPattern::parse("")->replace("ab", "-", true, 5), "-a-b-");
  EXPECT_EQ(ShellPattern::parse("")->replace("ab", "-", true, 4), std::nullopt);
}

TEST(Variables, EnvironmentWinsOverArguments) {
  Variables::Given given;
  given.build_args = {{"A", "from-flag"}, {"HTTP_PROXY", "http://p"}};
  given.globals = {{"G", "global"}};
  given.platform = {{"TARGETARCH", "arm64"}};
  Variables vars(given);
  EXPECT_EQ(vars.find("A"), std::nullopt) << "not declared";
  vars.declare_arg("A", "default");
  EXPECT_EQ(vars.find("A"), "from-flag");
  vars.declare_arg("B", "default");
  EXPECT_EQ(vars.find("B"), "default");
  EXPECT_EQ(vars.find("G"), std::nullopt) << "a global ARG is declared again";
  vars.declare_arg("G", std::nullopt);
  EXPECT_EQ(vars.find("G"), "global");
  vars.declare_arg("TARGETARCH", std::nullopt);
  EXPECT_EQ(vars.find("TARGETARCH"), "arm64");
  vars.declare_arg("NONE", std::nullopt);
  EXPECT_EQ(vars.find("NONE"), std::nullopt);
  EXPECT_EQ(vars.find("HTTP_PROXY"), "http://p") << "needs no ARG";
  vars.set_environment({"PATH=/bin", "B=env"});
  EXPECT_EQ(vars.find("B"), "env");
  vars.set_env("B", "env2");
  vars.set_env("C", "c");
  EXPECT_EQ(vars.environment(), (std::vector<std::string>{"PATH=/bin", "B=env2", "C=c"}));
  EXPECT_EQ(vars.cache_arguments(),
            (std::vector<std::string>{"A=from-flag", "G=global", "TARGETARCH=arm64"}));
  EXPECT_EQ(vars.run_arguments(),
            (std::vector<std::string>{"A=from-flag", "G=global", "TARGETARCH=arm64",
                                      "HTTP_PROXY=http://p"}));
}

std::string platform(std::string_view text) {
  auto parsed = parse_platform(text);
  return parsed ? platform_text(*parsed) : "error";
}

TEST(Platform, Texts) {
  EXPECT_EQ(platform("linux/amd64"), "linux/amd64");
  EXPECT_EQ(platform("linux/x86_64"), "linux/amd64");
  EXPECT_EQ(platform("arm64"), "linux/arm64");
  EXPECT_EQ(platform("linux/arm64/v8"), "linux/arm64");
  EXPECT_EQ(platform("linux/arm"), "linux/arm/v7");
  EXPECT_EQ(platform("linux/arm/v6"), "linux/arm/v6");
  EXPECT_EQ(platform("Linux/AArch64"), "linux/arm64");
  for (const char* bad : {"", "/", "linux/", "a/b/c/d", "linux/am d", "nothing"})
    EXPECT_EQ(platform(bad), "error") << bad;
}

TEST(Globals, DefaultsReferToThoseBefore) {
  auto file = parse("ARG A=1\nARG B=${A}.2 C=$B\nARG D\nARG TARGETARCH\nFROM x:$C\n", "F");
  ASSERT_TRUE(file.ok());
  auto globals = resolve_globals(*file, {{"A", "9"}, {"UNUSED", "x"}}, {{"TARGETARCH", "amd64"}});
  ASSERT_TRUE(globals.ok());
  EXPECT_EQ(*globals, (std::map<std::string, std::string>{
                          {"A", "9"}, {"B", "9.2"}, {"C", "9.2"}, {"TARGETARCH", "amd64"}}));
  EXPECT_EQ(unused_build_args(*file, {{"A", "9"}, {"UNUSED", "x"}, {"no_proxy", ""}}),
            std::vector<std::string>{"UNUSED"});
  auto bad = parse("ARG A=\"${B:?is needed}\"\nFROM x\n", "F");
  EXPECT_EQ(resolve_globals(*bad, {}, {}).error().message(),
            "F:1: cannot expand \"\\\"${B:?is needed}\\\"\": B: is needed");
}

}  // namespace
}  // namespace minke::build
