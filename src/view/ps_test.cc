#include "view/ps.h"

#include <gtest/gtest.h>

#include "view/container.h"

namespace minke::view {
namespace {

engine::ContainerSummary sample() {
  engine::ContainerSummary out;
  out.id = std::string(64, 'a');
  out.name = "web";
  out.image_name = "localhost/bb:1";
  out.image_id = std::string(64, 'b');
  out.command = {"sh", "-c", "echo one two three"};
  out.created = 1'800'000'000 * kSecond;
  out.labels = {{"a", "b"}};
  out.mounts = {"/data"};
  return out;
}

TEST(Ps, JsonMembersAreOrderedAsPodmans) {
  json::Object row = ps_json(sample(), {}, {.at = 1'800'000'005 * kSecond});
  std::string names;
  for (const auto& [key, value] : row) names += key + " ";
  EXPECT_EQ(names,
            "AutoRemove Command CreatedAt Exited ExitedAt ExitCode Id Image ImageID IsInfra Labels "
            "Mounts Names "
            "Namespaces Networks Pid Pod PodName Ports Size StartedAt State Status Created ");
  EXPECT_EQ(row.find("CreatedAt")->string_or(""), "5 seconds ago");
  EXPECT_EQ(*row.find("ExitedAt")->as_int(), -62135596800);
  EXPECT_TRUE(row.find("Size")->is_null());
  EXPECT_TRUE(row.find("Ports")->is_null());
}

TEST(Ps, RowsAreTruncatedUnlessAsked) {
  json::Object row = ps_row(sample(), {}, {.at = 1'800'000'005 * kSecond});
  EXPECT_EQ(row.find("ID")->string_or(""), "aaaaaaaaaaaa");
  EXPECT_EQ(row.find("Command")->string_or(""), "sh -c echo one tw...");
  row = ps_row(sample(), engine::Engine::Sizes{12, 1'980'000}, {.at = 0, .no_trunc = true});
  EXPECT_EQ(row.find("ID")->string_or(""), std::string(64, 'a'));
  EXPECT_EQ(row.find("Command")->string_or(""), "sh -c echo one two three");
  EXPECT_EQ(row.find("Size")->string_or(""), "12B (virtual 1.98MB)");
}

TEST(Inspect, TemplatesMayNameGosFields) {
  EXPECT_EQ(normalize_inspect_format("{{.ID}} {{.ImageID}} {{.IDs}}"),
            "{{.Id}} {{.Image}} {{.IDs}}");
  EXPECT_EQ(normalize_inspect_format("{{range .Mounts}}{{.Src}}:{{.Dst}}{{end}}"),
            "{{range .Mounts}}{{.Source}}:{{.Destination}}{{end}}");
}

}  // namespace
}  // namespace minke::view
