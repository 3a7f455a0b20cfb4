#include "build/cache_key.h"

#include <gtest/gtest.h>

namespace minke::build {
namespace {

std::string key_of(const std::vector<std::string>& parts) {
  KeyMaker key("test");
  for (const std::string& part : parts) key.add(part);
  return key.hex();
}

TEST(CacheKey, TellsPartsApart) {
  EXPECT_EQ(key_of({"a", "b"}), key_of({"a", "b"}));
  EXPECT_NE(key_of({"ab"}), key_of({"a", "b"}));
  EXPECT_NE(key_of({"a", "b"}), key_of({"b", "a"}));
  EXPECT_NE(key_of({"a", ""}), key_of({"a"}));
  EXPECT_NE(key_of({"1:a"}), key_of({"a"}));
}

TEST(CacheKey, ListsAreNotTheirParts) {
  KeyMaker one("test"), two("test"), three("test");
  one.add(std::vector<std::string>{"a", "b"}).add(std::vector<std::string>{});
  two.add(std::vector<std::string>{"a"}).add(std::vector<std::string>{"b"});
  three.add("a").add("b");
  std::string first = one.hex(), second = two.hex(), third = three.hex();
  EXPECT_NE(first, second);
  EXPECT_NE(first, third);
}

}  // namespace
}  // namespace minke::build
