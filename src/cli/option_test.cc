#include "cli/option.h"

#include <gtest/gtest.h>

namespace minke::cli {
namespace {

struct Common {
  std::string network = "bridge";
  std::vector<std::string> env;
};
struct Sample : Common {
  bool interactive = false, tty = false, rm = false, sig_proxy = true;
  std::optional<std::uint64_t> time;
  std::int64_t tail = -1;
  double cpus = 0;
  Duration every;
  std::vector<std::string> filter;
  std::string name, pull;
};
constexpr Option<Common> kCommon[] = {
    {"network", 0, &Common::network, "Connect to a network", {.alias = "net"}},
    {"env", 'e', &Common::env, "Set environment variables"},
    {"publish", 'p', refused, "comes with networks"},
};
constexpr Option<Sample> kSample[] = {
    {"interactive", 'i', &Sample::interactive, "Keep STDIN open"},
    {"tty", 't', &Sample::tty, "Allocate a pseudo-TTY"},
    {"rm", 0, &Sample::rm, "Remove container after exit"},
    {"sig-proxy", 0, &Sample::sig_proxy, "Proxy signals"},
    {"time", 'T', &Sample::time, "`Seconds` to wait\nbefore killing", {.shown_default = "10"}},
    {"tail", 0, &Sample::tail, "Lines"},
    {"cpus", 0, &Sample::cpus, "Number of CPUs"},
    {"every", 0, &Sample::every, "Interval"},
    {"filter", 'f', &Sample::filter, "Filter", {.csv = true}},
    {"name", 'n', &Sample::name, "Name"},
    {"pull", 0, &Sample::pull, "Pull policy", {.no_value = "always"}},
};
struct Parsed {
  Sample options;
  ParsedOptions parsed;
  std::string error;
};
Parsed parse(std::vector<std::string> args, bool interspersed = true) {
  Parsed out;
  const BoundTable tables[] = {{option_table<Sample>(kSample), &out.options},
                               {option_table<Sample>(kCommon), &out.options}};
  auto parsed = parse_options(tables, args, {.interspersed = interspersed});
  if (parsed)
    out.parsed = std::move(*parsed);
  else
    out.error = parsed.error().message();
  return out;
}

TEST(Options, ParseAsPflagDoes) {
  Parsed p = parse({"-it",     "--rm=false", "--sig-proxy=false",
                    "-T5",     "--net",      "host",
                    "-e",      "A=1",        "--env=B=2,3",
                    "-f",      "a=b,c=d",    "--filter",
                    "\"x,y\"", "-n=web",     "--tail",
                    "-7",      "--cpus=1.5", "--every",
                    "1m",      "--pull",     "img",
                    "--",      "-x"});
  ASSERT_EQ(p.error, "");
  EXPECT_TRUE(p.options.interactive && p.options.tty);
  EXPECT_FALSE(p.options.rm || p.options.sig_proxy);
  EXPECT_EQ(p.options.time, 5u);
  EXPECT_EQ(p.options.network, "host");
  EXPECT_EQ(p.options.env, (std::vector<std::string>{"A=1", "B=2,3"}));
  EXPECT_EQ(p.options.filter, (std::vector<std::string>{"a=b", "c=d", "x,y"}));
  EXPECT_EQ(p.options.name, "web");
  EXPECT_EQ(p.options.tail, -7);
  EXPECT_EQ(p.options.cpus, 1.5);
  EXPECT_EQ(p.options.every.ns, 60'000'000'000);
  EXPECT_EQ(p.options.pull, "always");
  EXPECT_EQ(p.parsed.positional, (std::vector<std::string>{"img", "-x"}));
  EXPECT_TRUE(p.parsed.is_changed("rm") && p.parsed.is_changed("network"));
  EXPECT_FALSE(p.parsed.is_changed("net"));
}

TEST(Options, EndAtTheFirstArgumentWhenAskedTo) {
  Parsed p = parse({"-i", "busybox", "ls", "-la", "--", "--rm"}, false);
  EXPECT_EQ(p.parsed.positional, (std::vector<std::string>{"busybox", "ls", "-la", "--", "--rm"}));
  EXPECT_FALSE(p.options.rm);
}

TEST(Options, HelpIsAskedForInThreeWays) {
  EXPECT_TRUE(parse({"--help"}).parsed.help);
  EXPECT_TRUE(parse({"x", "-h"}).parsed.help);
  EXPECT_TRUE(parse({"-ih"}).parsed.help);
}

struct Bad {
  std::vector<std::string> args;
  const char* want;
};
TEST(Options, FaultsReadAsPodmans) {
  for (const Bad& bad : {
           Bad{{"--foo"}, "unknown flag: --foo"},
           {{"--interactiv"}, "unknown flag: --interactiv\nDid you mean --interactive?"},
           {{"-x"}, "unknown shorthand flag: 'x' in -x"},
           {{"-ixy"}, "unknown shorthand flag: 'x' in -xy"},
           {{"--name"}, "flag needs an argument: --name"},
           {{"-in"}, "flag needs an argument: 'n' in -n"},
           {{"--=x"}, "bad flag syntax: --=x"},
           {{"--time", "x"},
            "invalid argument \"x\" for \"-T, --time\" flag: strconv.ParseUint: parsing \"x\": "
            "invalid syntax"},
           {{"--time="},
            "invalid argument \"\" for \"-T, --time\" flag: strconv.ParseUint: parsing \"\": "
            "invalid syntax"},
           {{"--time=-1"},
            "invalid argument \"-1\" for \"-T, --time\" flag: strconv.ParseUint: parsing \"-1\": "
            "invalid syntax"},
           {{"--tail=99999999999999999999"},
            "invalid argument \"99999999999999999999\" for \"--tail\" flag: strconv.ParseInt: "
            "parsing \"99999999999999999999\": value out of range"},
           {{"--rm=x"},
            "invalid argument \"x\" for \"--rm\" flag: strconv.ParseBool: parsing \"x\": invalid "
            "syntax"},
           {{"--cpus=x"},
            "invalid argument \"x\" for \"--cpus\" flag: strconv.ParseFloat: parsing \"x\": "
            "invalid syntax"},
           {{"--every=5"},
            "invalid argument \"5\" for \"--every\" flag: time: missing unit in duration \"5\""},
           {{"--filter", "a\"b"},
            "invalid argument \"a\\\"b\" for \"-f, --filter\" flag: parse error on line 1, column "
            "2: bare \" in non-quoted-field"},
           {{"-p80"}, "-p, --publish: not supported yet: comes with networks"},
           {{"--publish"}, "-p, --publish: not supported yet: comes with networks"},
       })
    EXPECT_EQ(parse(bad.args).error, bad.want);
}

TEST(Options, NumbersHaveGosBases) {
  EXPECT_EQ(parse({"--tail=0x10"}).options.tail, 16);
  EXPECT_EQ(parse({"--tail=-010"}).options.tail, -8);
  EXPECT_EQ(parse({"--tail=0"}).options.tail, 0);
}

TEST(Options, HelpIsAligned) {
  Sample defaults;
  const BoundTable tables[] = {{option_table<Sample>(kSample), &defaults},
                               {option_table<Sample>(kCommon), &defaults}};
  std::string text = option_usages(tables);
  EXPECT_EQ(text, R"(      --cpus float               Number of CPUs
  -e, --env stringArray          Set environment variables
      --every duration           Interval
  -f, --filter strings           Filter
  -i, --interactive              Keep STDIN open
  -n, --name string              Name
      --network string           Connect to a network (default "bridge")
      --pull string[="always"]   Pull policy
      --rm                       Remove container after exit
      --sig-proxy                Proxy signals (default true)
      --tail int                 Lines (default -1)
  -T, --time Seconds             Seconds to wait
                                 before killing (default 10)
  -t, --tty                      Allocate a pseudo-TTY
)");
  EXPECT_EQ(text.find("publish"), std::string::npos);
}

}  // namespace
}  // namespace minke::cli
