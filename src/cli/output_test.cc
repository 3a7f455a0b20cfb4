#include "cli/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/filter.h"

namespace minke::cli {
namespace {

// What `write` puts out.
template <typename Write>
std::string captured(Write write) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Output out(ends[1]);
  Status status = write(out);
  std::string text = status ? "" : "Error: " + status.error().message();
  ::close(ends[1]);
  char buffer[65536];
  ssize_t size = 0;
  while ((size = ::read(ends[0], buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(size));
  ::close(ends[0]);
  return text;
}

constexpr Column kColumns[] = {{"Name", "volume name"}, {"Driver"}, {"Labels"}, {"MountCount"}};
constexpr gotemplate::FieldShape kFields[] = {{"Labels", gotemplate::FieldKind::map}};
constexpr Listing kListing = {
    "ls", kColumns, "table {{.Driver}}\t{{.Name}}", {"*entities.VolumeListReport", kFields}};

std::string rows(std::string_view format, bool no_heading = false) {
  json::Array list;
  json::Object row;
  row.set("Name", "vcli");
  row.set("Driver", "local");
  json::Object labels;
  labels.set("a", "b");
  row.set("Labels", std::move(labels));
  row.set("MountCount", 0);
  list.emplace_back(std::move(row));
  return captured([&](Output& out) {
    return write_rows(out, kListing, {format, no_heading}, list);
  });
}

// Each as `podman volume ls` 4.3 prints it.
TEST(Rows, PrintAsPodmanDoes) {
  EXPECT_EQ(rows(""), "DRIVER      VOLUME NAME\nlocal       vcli\n");
  EXPECT_EQ(rows("", true), "local       vcli\n");
  EXPECT_EQ(rows("table {{.Name}}\\t{{.Driver}}"), "VOLUME NAME  DRIVER\nvcli         local\n");
  EXPECT_EQ(rows("table {{.Name}} {{.Driver}}", true), "vcli        local\n");
  EXPECT_EQ(rows("table {{.MountCount}}"), "MOUNT COUNT\n0\n");
  EXPECT_EQ(rows("{{.Name}}\\t{{.Driver}}\\n"), "vcli\tlocal\n");
  EXPECT_EQ(rows("{{.Name}} {{.Labels}}"), "vcli map[a:b]\n");
  EXPECT_EQ(rows("{{range .}}{{.Name}}{{end}}"), "vcli\n");
  EXPECT_EQ(rows("{{json .}}").substr(0, 6), "[\n  {\n");
  EXPECT_EQ(rows("json").substr(0, 6), "[\n  {\n");
  EXPECT_EQ(rows("{{.Name}} {{.Labels}} {{.Foo}}"),
            "Error: template: ls:1:35: executing \"ls\" at <.Foo>: can't evaluate field Foo in "
            "type *entities.VolumeListReport");
  EXPECT_EQ(rows("table {{range .}}{{.Name}}\\n{{end}}"), "VOLUME NAME\n\nvcli\n\n");
  // A loop over a field is a loop in each row.
  EXPECT_EQ(rows("{{range .Labels}}x{{end}}{{.Name}}"), "xvcli\n");
  EXPECT_EQ(rows("{{ range . }}{{.Name}}{{ end }}"), rows("{{range .}}{{.Name}}{{end}}"));
  EXPECT_EQ(rows("{{foo .Name}}"), "Error: template: ls:1: function \"foo\" not defined");
}

TEST(Columns, AlignInBlocks) {
  EXPECT_EQ(align_columns("a\tb\tc\nlonger than twelve\tx\ty\n"),
            "a                   b           c\nlonger than twelve  x           y\n");
  EXPECT_EQ(align_columns("a\tb\nplain\nlonger than twelve\tb\n"),
            "a           b\nplain\nlonger than twelve  b\n");
  EXPECT_EQ(align_columns("ä\tb\n"), "ä           b\n");
  EXPECT_EQ(align_columns("x\t\n"), "x           \n");
  EXPECT_EQ(align_columns(""), "");
}

TEST(Headers, ComeFromTheFieldsName) {
  EXPECT_EQ(header_of("ID"), "ID");
  EXPECT_EQ(header_of("MountCount"), "MOUNT COUNT");
  EXPECT_EQ(header_of("CIDFile"), "CID FILE");
  EXPECT_EQ(header_of("NetIO"), "NET IO");
}

TEST(Output, KeepsTheFailureOfAWrite) {
  int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Output out(full);
  out.line("x");
  Status status = out.flush();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message(), "write standard output: No space left on device");
  EXPECT_TRUE(out.broken());
  ::close(full);
}

TEST(Filters, AreReadAndChecked) {
  const std::string texts[] = {"label=a=b", "label!=c", "name=web"};
  auto filters = parse_filters(texts);
  ASSERT_TRUE(filters.ok());
  EXPECT_TRUE(labels_match(*filters, {{"a", "b"}}));
  EXPECT_FALSE(labels_match(*filters, {{"a", "b"}, {"c", ""}}));
  EXPECT_FALSE(labels_match(*filters, {{"a", "x"}}));
  EXPECT_TRUE(any_value(*filters, "name", [](auto value) { return value == "web"; }));
  EXPECT_TRUE(any_value(*filters, "id", [](auto) { return false; }));
  EXPECT_EQ(check_filters(*filters, {"label", "label!"}, "volume").error().message(),
            "\"name\" is an invalid volume filter");
  const std::string bad[] = {"foo"};
  EXPECT_EQ(parse_filters(bad).error().message(),
            "filter input must be in the form of filter=value: foo is invalid");
}

TEST(Filters, PatternsAreFoundAnywhere) {
  const std::string texts[] = {"name=^we", "name=b$"};
  auto filters = parse_filters(texts);
  ASSERT_TRUE(filters.ok());
  auto patterns = filter_patterns(*filters, "name");
  ASSERT_TRUE(patterns.ok());
  EXPECT_TRUE(any_pattern(*patterns, "web"));
  EXPECT_TRUE(any_pattern(*patterns, "rib"));
  EXPECT_FALSE(any_pattern(*patterns, "owe"));
  EXPECT_TRUE(any_pattern({}, "anything"));
  EXPECT_EQ(Pattern::compile("name", "a(").error().message(),
            "invalid value for filter \"name\": \"a(\": Unmatched ( or \\(");
}

}  // namespace
}  // namespace minke::cli
