#include "oci/reference.h"

#include <gtest/gtest.h>

#include "base/str.h"

namespace minke::oci {
namespace {

const std::string kHex(64, 'a');

struct GoodRow {
  std::string text, str, registry, repository, tag;
};

TEST(Reference, ParsesAsTyped) {
  const GoodRow rows[] = {
      {"debian", "debian", "", "debian", ""},
      {"debian:12", "debian:12", "", "debian", "12"},
      {"library/debian", "library/debian", "", "library/debian", ""},
      {"docker.io/debian", "docker.io/library/debian", "docker.io", "library/debian", ""},
      {"index.docker.io/debian:1", "docker.io/library/debian:1", "docker.io", "library/debian",
       "1"},
      {"localhost/x", "localhost/x", "localhost", "x", ""},
      {"localhost:5000/x/y:v1", "localhost:5000/x/y:v1", "localhost:5000", "x/y", "v1"},
      {"Quay.IO/a__b/c---d:T_.-", "Quay.IO/a__b/c---d:T_.-", "Quay.IO", "a__b/c---d", "T_.-"},
      {"[::1]:5000/x", "[::1]:5000/x", "[::1]:5000", "x", ""},
      {"a@sha256:" + kHex, "a@sha256:" + kHex, "", "a", ""},
      {"r.io/a:t@sha256:" + kHex, "r.io/a:t@sha256:" + kHex, "r.io", "a", "t"},
  };
  for (const GoodRow& row : rows) {
    auto ref = Reference::parse(row.text);
    ASSERT_TRUE(ref.ok()) << row.text << ": " << ref.error().message();
    EXPECT_EQ(ref->str(), row.str);
    EXPECT_EQ(ref->registry, row.registry);
    EXPECT_EQ(ref->repository, row.repository);
    EXPECT_EQ(ref->tag, row.tag);
  }
}

TEST(Reference, RefusesInPodmansWords) {
  const std::pair<std::string, const char*> rows[] = {
      {"", "repository name must have at least one component"},
      {"Foo:1", "repository name must be lowercase"},
      {"foo/Bar", "repository name must be lowercase"},
      {"foo bar", "invalid reference format"},
      {"foo:", "invalid reference format"},
      {":x", "invalid reference format"},
      {"a//b", "invalid reference format"},
      {"a/", "invalid reference format"},
      {"/a", "invalid reference format"},
      {"-x", "invalid reference format"},
      {"a..b", "invalid reference format"},
      {"a___b", "invalid reference format"},
      {"a:-b", "invalid reference format"},
      {"../../etc/passwd", "invalid reference format"},
      {"foo@sha256:abc", "invalid reference format"},
      {"foo@md5:" + kHex, "invalid reference format"},
      {"foo:" + std::string(129, 'a'), "invalid reference format"},
      {"x.io:port/a", "invalid reference format"},
      {std::string(256, 'a'), "repository name must not be more than 255 characters"},
  };
  for (const auto& [text, error] : rows) {
    auto ref = Reference::parse(text);
    ASSERT_FALSE(ref.ok()) << text;
    EXPECT_EQ(ref.error().message(), error) << text;
  }
  auto id = Reference::parse(kHex);
  ASSERT_FALSE(id.ok());
  EXPECT_NE(id.error().message().find("cannot specify 64-byte hexadecimal strings"),
            std::string::npos);
}

TEST(Reference, Normalizes) {
  auto ref = Reference::parse("debian");
  ASSERT_TRUE(ref.ok());
  EXPECT_EQ(ref->normalized("docker.io").str(), "docker.io/library/debian:latest");
  EXPECT_EQ(ref->normalized("localhost").str(), "localhost/debian:latest");
  auto digested = Reference::parse("debian@sha256:" + kHex);
  ASSERT_TRUE(digested.ok());
  EXPECT_EQ(digested->normalized("docker.io").str(), "docker.io/library/debian@sha256:" + kHex);
  auto full = Reference::parse("quay.io/a/b:1");
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->normalized("docker.io").str(), "quay.io/a/b:1");
}

}  // namespace
}  // namespace minke::oci
