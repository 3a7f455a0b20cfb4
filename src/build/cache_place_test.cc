#include "build/cache_place.h"

#include <gtest/gtest.h>

namespace minke::build {
namespace {

std::string fault(const std::string& text, bool to = true) {
  auto place = parse_cache_place(text, to);
  return place ? "" : place.error().message();
}

TEST(CachePlace, RepositoriesAndFolders) {
  auto plain = parse_cache_place("localhost:5000/a/b", true);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->repository, "localhost:5000/a/b");
  EXPECT_EQ(plain->tag_prefix, "");
  auto tagged = parse_cache_place("type=registry,ref=quay.io/a/b:cache,mode=min", true);
  ASSERT_TRUE(tagged);
  EXPECT_EQ(tagged->repository, "quay.io/a/b");
  EXPECT_EQ(tagged->tag_prefix, "cache-");
  EXPECT_FALSE(tagged->every_stage);
  auto local = parse_cache_place("type=local,src=/x", false);
  ASSERT_TRUE(local);
  EXPECT_EQ(local->folder, "/x");
}

TEST(CachePlace, FaultsNameTheOption) {
  EXPECT_EQ(fault("localhost:5000/a/b:tag"),
            "unable to parse value provided \"localhost:5000/a/b:tag\" to --cache-to: repository "
            "must contain neither a tag nor digest: localhost:5000/a/b:tag");
  EXPECT_EQ(fault("type=gha", false),
            "--cache-from type=gha: type \"gha\" is not supported: registry or local");
  EXPECT_EQ(fault("type=local"), "--cache-to type=local: dest is missing");
  EXPECT_EQ(fault("type=local,dest=x", false),
            "--cache-from type=local,dest=x: dest is not supported (type, ref, src)");
  EXPECT_EQ(fault("type=registry,ref=a/b:" + std::string(64, 'x')).substr(0, 30),
            "unable to parse value provided");
  EXPECT_NE(fault("type=registry,ref=a/b,compression=zstd"), "");
}

}  // namespace
}  // namespace minke::build
