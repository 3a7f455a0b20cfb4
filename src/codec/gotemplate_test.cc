#include "codec/gotemplate.h"

#include <gtest/gtest.h>

namespace minke::gotemplate {
namespace {

constexpr FieldShape kFields[] = {
    {"Labels", FieldKind::map},
    {"Missing", FieldKind::text},
    {"Server", FieldKind::pointer},
    {"Created", FieldKind::time},
    {"Wait", FieldKind::duration},
    {"Networks", FieldKind::map},
    {"NoMap", FieldKind::map},
    {"NoList", FieldKind::list},
    {"Networks.*.Options", FieldKind::map},
};
constexpr Shape kShape = {"*test.Report", kFields};

constexpr std::string_view kData = R"({
  "Name": "web", "Id": 7, "Big": 18446744073709551615, "Ratio": 1.5, "Up": true, "Down": false,
  "Labels": {"b": "2", "a": "1"}, "Names": ["x", "y", "z"], "State": {"Pid": 12, "Status": "running"},
  "Networks": {"front": {"IP": "10.0.0.1", "Options": {"k": "v"}}},
  "Ports": [{"Host": 80}, {"Host": 81}], "Created": "2026-11-22T09:18:52.506854195Z", "Wait": 30000000000,
  "Null": null, "Empty": ""})";

std::string run(std::string_view text) {
  auto data = json::parse(kData);
  auto parsed = Template::parse(text, "t");
  if (!parsed) return "parse: " + parsed.error().message();
  auto out = parsed->execute(*data, kShape);
  return out ? *out : "exec: " + out.error().message();
}

struct Row {
  const char* text;
  const char* want;
};

class Rendered : public testing::TestWithParam<Row> {};
TEST_P(Rendered, AsGoDoes) { EXPECT_EQ(run(GetParam().text), GetParam().want) << GetParam().text; }

INSTANTIATE_TEST_SUITE_P(
    Values, Rendered,
    testing::Values(
        Row{"plain", "plain"}, Row{"{{.Name}}", "web"}, Row{"{{ .State.Pid }}!", "12!"},
        Row{"{{.Up}} {{.Down}}", "true false"},
        Row{"{{.Ratio}} {{.Big}} {{.Id}}", "1.5 18446744073709551615 7"},
        Row{"{{.Labels}}", "map[a:1 b:2]"}, Row{"{{.Names}}", "[x y z]"},
        Row{"{{.State}}", "{12 running}"}, Row{"{{.Ports}}", "[{80} {81}]"},
        Row{"{{.Null}} {{.Server}} {{.NoMap}} {{.NoList}}|{{.Missing}}|", "<nil> <nil> map[] []||"},
        Row{"{{.Labels.a}} {{.Labels.zz}} {{.Labels.zz.deeper}}", "1 <no value> <no value>"},
        Row{"{{.Networks.front.IP}} {{.Networks.front.Options.k}}", "10.0.0.1 v"},
        Row{"{{.Created}}", "2026-11-22 09:18:52.506854195 +0000 UTC"},
        Row{"{{.Created.Unix}}", "1795339132"}, Row{"{{.Wait}}", "30s"},
        Row{"{{12}} {{0x10}} {{1e5}} {{1e6}} {{'a'}} {{\"q\\t\"}}|{{`r\\`}}",
            "12 16 100000 1e+06 97 q\t|r\\"},
        Row{"{{true}} {{-3}} {{1_000}}", "true -3 1000"}));

INSTANTIATE_TEST_SUITE_P(
    Control, Rendered,
    testing::Values(
        Row{"{{if .Up}}a{{else}}b{{end}}", "a"},
        Row{"{{if .Down}}a{{else if .Up}}c{{else}}b{{end}}", "c"},
        Row{"{{if .Empty}}a{{else}}b{{end}}{{if .State}}s{{end}}{{if .NoMap}}m{{end}}", "bs"},
        Row{"{{range .Names}}<{{.}}>{{end}}", "<x><y><z>"},
        Row{"{{range $i, $n := .Names}}{{$i}}{{$n}}{{end}}", "0x1y2z"},
        Row{"{{range $k, $v := .Labels}}{{$k}}={{$v}},{{end}}", "a=1,b=2,"},
        Row{"{{range .NoList}}x{{else}}none{{end}}", "none"},
        Row{"{{range $n := .Names}}{{if eq $n \"y\"}}{{continue}}{{end}}{{$n}}{{end}}", "xz"},
        Row{"{{range .Names}}{{if eq . \"y\"}}{{break}}{{end}}{{.}}{{end}}", "x"},
        Row{"{{with .State}}{{.Pid}} {{$.Name}}{{end}}", "12 web"},
        Row{"{{with .Empty}}x{{else}}y{{end}}", "y"},
        Row{"{{$x := .Id}}{{$x}}{{$x = 8}}{{$x}}", "78"},
        Row{"{{$n := \"\"}}{{range .Names}}{{$n = .}}{{end}}{{$n}}", "z"},
        Row{"a {{- /* c */ -}} b {{- .Name -}} \n c", "abwebc"}, Row{"{{/* only */}}x", "x"},
        Row{"{{range .Ports}}{{.Host}}{{$.Name}} {{end}}", "80web 81web "}));

INSTANTIATE_TEST_SUITE_P(
    Functions, Rendered,
    testing::Values(
        Row{"{{json .Labels}} {{json .Name}} {{json .Server}}",
            "{\"b\":\"2\",\"a\":\"1\"} \"web\" null"},
        Row{"{{join .Names \", \"}} {{upper .Name}} {{title .Name}} {{lower \"AB\"}}",
            "x, y, z WEB Web ab"},
        Row{"{{split \"a:b\" \":\"}} {{len (split \"abc\" \"\")}}", "[a b] 3"},
        Row{"{{pad .Name 1 2}}|{{truncate .Name 2}}", " web  |we"},
        Row{"{{eq .Name \"web\"}} {{eq .Id 1 7}} {{ne .Id 7}} {{lt .Id 8}} {{ge .Id 7}}",
            "true true false true true"},
        Row{"{{and .Up .Name}} {{or .Empty .Name}} {{not .Up}}", "web web false"},
        Row{"{{index .Names 1}} {{index .Labels \"a\"}}{{index .Labels \"q\"}} {{(index .Ports "
            "1).Host}}",
            "y 1 81"},
        Row{"{{len .Names}} {{len .Labels}} {{len .Name}} {{slice .Name 1}} {{slice .Names 0 2}}",
            "3 2 3 eb [x y]"},
        Row{"{{printf \"%s %5d|%-5s|%05d %q %v %x %.2f %%\" .Name .Id .Name .Id .Name .Labels .Id "
            ".Ratio}}",
            "web     7|web  |00007 \"web\" map[a:1 b:2] 7 1.50 %"},
        Row{"{{printf \"%d %s\" .Name}}", "%!d(string=web) %!s(MISSING)"},
        Row{"{{printf \"x\" 1}}", "x%!(EXTRA int=1)"},
        Row{"{{printf \"%+v %T\" .State .Name}}", "{Pid:12 Status:running} string"},
        Row{"{{print 1 2 \"a\" \"b\" 3}} {{println .Name .Id}}", "1 2ab3 web 7\n"},
        Row{"{{.Name | printf \"%s-%s\" \"a\" | upper}}", "A-WEB"},
        Row{"{{html \"<a>\"}} {{urlquery \"a b&\"}} {{js \"'x'\"}}", "&lt;a&gt; a+b%26 \\'x\\'"},
        Row{"{{if and (gt (len .Names) 2) (eq .State.Status \"running\")}}ok{{end}}", "ok"},
        Row{"{{eq .Server nil}} {{(print .Name .Id)}}", "true web7"}));

INSTANTIATE_TEST_SUITE_P(
    Faults, Rendered,
    testing::Values(
        Row{"{{.Foo}}",
            "exec: template: t:1:2: executing \"t\" at <.Foo>: can't evaluate field Foo in type "
            "*test.Report"},
        Row{"a\n {{.State.Foo}}",
            "exec: template: t:2:9: executing \"t\" at <.State.Foo>: can't evaluate field Foo in "
            "type State"},
        Row{"{{.Name.Foo}}",
            "exec: template: t:1:7: executing \"t\" at <.Name.Foo>: can't evaluate field Foo in "
            "type string"},
        Row{"{{foo .Name}}", "parse: template: t:1: function \"foo\" not defined"},
        Row{"{{.Name{{", "parse: template: t:1: bad character U+007B '{'"},
        Row{"{{.Name", "parse: template: t:1: unclosed action"},
        Row{"{{if .Up}}", "parse: template: t:1: unexpected EOF"},
        Row{"{{end}}", "parse: template: t:1: unexpected {{end}}"},
        Row{"{{$x}}", "parse: template: t:1: undefined variable \"$x\""},
        Row{"{{}}", "parse: template: t:1: missing value for command"},
        Row{"{{template \"x\"}}", "parse: template: t:1: {{template}} is not supported here"},
        Row{"{{index .Names 5}}",
            "exec: template: t:1:2: executing \"t\" at <index .Names 5>: error calling index: "
            "index out of range: 5"},
        Row{"{{eq .Name 1}}",
            "exec: template: t:1:2: executing \"t\" at <eq .Name 1>: error calling eq: "
            "incompatible types for comparison"},
        Row{"{{range .Name}}{{end}}",
            "exec: template: t:1:8: executing \"t\" at <.Name>: range can't iterate over web"},
        Row{"{{.Name 1}}",
            "exec: template: t:1:2: executing \"t\" at <.Name>: Name has arguments but cannot be "
            "invoked as function"},
        Row{"{{\"x\" 1}}",
            "exec: template: t:1:2: executing \"t\" at <\"x\">: can't give argument to "
            "non-function \"x\""},
        Row{"{{upper 1}}",
            "exec: template: t:1:2: executing \"t\" at <upper 1>: wrong type for value; expected "
            "string; got int"},
        Row{"{{break}}", "parse: template: t:1: {{break}} outside {{range}}"}));

TEST(Template, StaysWithinItsLimits) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "{{if .}}";
  EXPECT_FALSE(Template::parse(deep).ok());
  std::string parens = "{{" + std::string(100000, '(') + "}}";
  EXPECT_FALSE(Template::parse(parens).ok());
  json::Array items(200);
  auto nested =
      Template::parse("{{range .}}{{range $}}{{range $}}{{range $}}x{{end}}{{end}}{{end}}{{end}}");
  ASSERT_TRUE(nested.ok());
  EXPECT_FALSE(nested->execute(items, {}, {.max_output = 1 << 16, .max_steps = 100000}).ok());
  auto doubling =
      Template::parse("{{$x := \"aaaaaaaaaaaaaaaa\"}}{{range .}}{{$x = print $x $x}}{{end}}");
  ASSERT_TRUE(doubling.ok());
  EXPECT_FALSE(doubling->execute(items, {}, {.max_output = 1 << 16, .max_steps = 100000}).ok());
}

// Pieces of the grammar in random order: no crash, whatever comes out.
TEST(Template, SurvivesRandomPieces) {
  constexpr std::string_view kPieces[] = {
      "{{",        "}}",     "{{-",    "-}}",      " ",       ".",        ".Name",
      ".Labels",   "$",      "$x",     ":=",       "=",       "|",        "(",
      ")",         "range",  "if",     "else",     "end",     "with",     "eq",
      "index",     "printf", "\"%v\"", "\"%-*d\"", "json",    "1",        "-1",
      "0x",        "'a'",    "`",      "\"",       ",",       "/*",       "*/",
      "break",     "nil",    "slice",  "join",     "split",   "and",      ".Names",
      "len",       "\\",     "\xff",   "é",        "{{end}}", "{{else}}", "{{range .Names}}",
      "{{if .Up}}"};
  auto data = json::parse(kData);
  std::uint64_t seed = 1;
  for (int round = 0; round < 30000; ++round) {
    std::string text = "{{";
    for (int i = 0; i < 12; ++i) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      text += kPieces[(seed >> 33) % std::size(kPieces)];
      if ((seed >> 60) % 2 == 0) text += ' ';
    }
    auto parsed = Template::parse(text);
    if (parsed)
      (void)parsed->execute(*data, kShape, {.max_output = 1 << 16, .max_steps = 10000}).ok();
  }
}

}  // namespace
}  // namespace minke::gotemplate
