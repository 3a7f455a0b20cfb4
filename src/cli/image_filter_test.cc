#include "cli/image_filter.h"

#include <gtest/gtest.h>

namespace minke::cli {
namespace {

store::Image image_of(std::vector<std::string> names) {
  store::Image image;
  image.names = std::move(names);
  return image;
}

TEST(ImageReference, MatchesEveryShortForm) {
  store::Image image = image_of({"docker.io/library/debian:12"});
  for (const char* pattern : {"docker.io/library/debian:12", "docker.io/library/debian",
                              "library/debian", "library/debian:12", "debian", "debian:12", "deb*",
                              "*bian:1?", "docker.io/*/debian:12", "docker.io/library/*"})
    EXPECT_TRUE(reference_matches(pattern, image)) << pattern;
  for (const char* pattern : {"debian:11", "bian", "docker.io/*", "library", "docker.io/debian"})
    EXPECT_FALSE(reference_matches(pattern, image)) << pattern;
  EXPECT_FALSE(reference_matches("*", image_of({})));
}

TEST(ImageReference, KnowsPortsAndDigests) {
  store::Image image = image_of({"localhost:5000/a/b:1"});
  EXPECT_TRUE(reference_matches("localhost:5000/a/b", image));
  EXPECT_TRUE(reference_matches("a/b:1", image));
  image.digests = {"localhost:5000/a/b@sha256:" + std::string(64, 'a')};
  EXPECT_TRUE(reference_matches("b@sha256:" + std::string(64, 'a'), image));
}

}  // namespace
}  // namespace minke::cli
