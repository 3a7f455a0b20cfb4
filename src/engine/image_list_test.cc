#include "engine/image_list.h"

#include <gtest/gtest.h>

#include "base/str.h"
#include "engine/registry_search.h"

namespace minke::engine {
namespace {

constexpr const char* kDigest =
    "sha256:79e280d95ac62431edbcdc51aa770a0eb46493c577d667b7099b9b96e4324785";

ListMember docker_member() {
  ListMember member;
  member.media_type = "application/vnd.docker.distribution.manifest.v2+json";
  member.digest = kDigest;
  member.size = 590;
  member.os = "linux";
  member.architecture = "amd64";
  return member;
}

TEST(ImageList, DockersUntilSomethingNeedsOci) {
  ImageList list;
  list.put(docker_member());
  auto text = list.dump(ListFormat::as_needed);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text,
            concat(R"({"schemaVersion":2,"mediaType":)",
                   R"("application/vnd.docker.distribution.manifest.list.v2+json","manifests":[)",
                   R"({"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)",
                   R"("size":590,"digest":")", kDigest,
                   R"(","platform":{"architecture":"amd64","os":"linux"}}]})"));
  EXPECT_TRUE(list.dump(ListFormat::docker).ok());
  list.find(kDigest)->annotations["a"] = "b";
  text = list.dump(ListFormat::as_needed);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("oci.image.index"), std::string::npos);
  EXPECT_EQ(list.dump(ListFormat::docker).error().code(), Errc::unsupported);
}

TEST(ImageList, ReadsWhatItWrites) {
  ImageList list;
  ListMember member = docker_member();
  member.variant = "v8";
  member.os_version = "10.0";
  member.os_features = {"win32k"};
  member.features = {"sse4"};
  list.put(member);
  list.put(member);  // in place of itself
  ASSERT_EQ(list.members.size(), 1U);
  auto text = list.dump(ListFormat::as_needed);
  ASSERT_TRUE(text.ok());
  auto again = ImageList::parse(*text);
  ASSERT_TRUE(again.ok()) << again.error().message();
  ASSERT_EQ(again->members.size(), 1U);
  EXPECT_EQ(again->members[0].variant, "v8");
  EXPECT_EQ(again->members[0].os_version, "10.0");
  EXPECT_EQ(join(again->members[0].os_features, ","), "win32k");
  EXPECT_EQ(join(again->members[0].features, ","), "sse4");
}

TEST(ImageList, RefusesWhatIsNone) {
  for (const char* text :
       {"", "[]", "{\"layers\":[]}", "{\"config\":{}}", "{\"manifests\":[1]}",
        "{\"manifests\":[{\"digest\":\"sha256:../..\",\"size\":1}]}",
        "{\"manifests\":[{\"digest\":"
        "\"sha256:79e280d95ac62431edbcdc51aa770a0eb46493c577d667b7099b9b96e4324785\",\"size\":-1}]"
        "}"})
    EXPECT_FALSE(ImageList::parse(text).ok()) << text;
  EXPECT_TRUE(ImageList::parse("{\"manifests\":null}").ok());
}

TEST(RegistryPages, TheNextOneIsOfTheSameRegistry) {
  EXPECT_EQ(next_page_of("</v2/_catalog?last=x&n=1>; rel=\"next\""), "/v2/_catalog?last=x&n=1");
  EXPECT_EQ(next_page_of("<https://evil.org/v2/a/tags/list?last=x>; rel=\"next\""),
            "/v2/a/tags/list?last=x");
  EXPECT_EQ(next_page_of("</elsewhere>; rel=\"next\""), "");
  EXPECT_EQ(next_page_of("</v2/a>; rel=\"prev\""), "");
  EXPECT_EQ(next_page_of("file:///etc/passwd"), "");
  EXPECT_EQ(next_page_of("><"), "");
}

}  // namespace
}  // namespace minke::engine
