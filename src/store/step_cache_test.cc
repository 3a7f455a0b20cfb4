#include "store/step_cache.h"

#include <gtest/gtest.h>

#include "base/rand.h"
#include "base/str.h"
#include "sys/fd.h"

namespace minke::store {
namespace {

class StepCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = concat(testing::TempDir(), "minke-steps-", random_hex(6));
    ASSERT_TRUE(sys::ensure_dirs(root_, 0700).ok());
  }
  void TearDown() override {
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), root_.c_str()), "a temporary folder");
  }
  std::string layer(char digit) const { return concat(root_, "/layers/", std::string(64, digit)); }
  void make_layer(char digit, char parent) {
    ASSERT_TRUE(sys::ensure_dirs(layer(digit) + "/diff", 0755).ok());
    if (parent == 0) return;
    ASSERT_TRUE(
        sys::write_file(layer(digit) + "/parent", concat(std::string(64, parent), "\n"), 0644)
            .ok());
  }
  CachedStep step(char key, char chain) const {
    CachedStep out;
    out.key = std::string(64, key);
    out.chain_id = std::string(64, chain);
    out.diff_id = oci::Digest::sha256(std::string(64, 'd'));
    out.size = 1024;
    out.created = now() - 100 * kSecond;
    out.text = "RUN \"x\"\ny";
    return out;
  }
  StepCache cache() const { return StepCache(root_); }
  std::string root_;
};

TEST_F(StepCacheTest, KeepsWhatWasPut) {
  make_layer('1', 0);
  ASSERT_TRUE(cache().put(step('a', '1')).ok());
  auto found = cache().find(std::string(64, 'a'), 0);
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->chain_id, std::string(64, '1'));
  EXPECT_EQ((*found)->diff_id.str(), "sha256:" + std::string(64, 'd'));
  EXPECT_EQ((*found)->size, 1024);
  EXPECT_EQ((*found)->text, "RUN \"x\"\ny");
  EXPECT_FALSE(*cache().find(std::string(64, 'b'), 0));
  ASSERT_TRUE(cache().remove(std::string(64, 'a')).ok());
  EXPECT_FALSE(*cache().find(std::string(64, 'a'), 0));
  EXPECT_TRUE(cache().remove(std::string(64, 'a')).ok());
}

TEST_F(StepCacheTest, AgeCounts) {
  make_layer('1', 0);
  ASSERT_TRUE(cache().put(step('a', '1')).ok());
  EXPECT_FALSE(*cache().find(std::string(64, 'a'), 50));
  EXPECT_TRUE(*cache().find(std::string(64, 'a'), 500));
}

TEST_F(StepCacheTest, WithoutItsLayerAStepIsNotThere) {
  ASSERT_TRUE(cache().put(step('a', '1')).ok());
  EXPECT_FALSE(*cache().find(std::string(64, 'a'), 0));
  make_layer('1', 0);
  EXPECT_TRUE(*cache().find(std::string(64, 'a'), 0));
  // Not flushed, but the machine has run on since.
  ASSERT_TRUE(mark_unsynced(layer('1')).ok());
  EXPECT_TRUE(*cache().find(std::string(64, 'a'), 0));
  ASSERT_TRUE(sys::write_file(layer('1') + "/unsynced", "another-boot", 0600).ok());
  EXPECT_FALSE(*cache().find(std::string(64, 'a'), 0));
  clear_unsynced(layer('1'));
  EXPECT_TRUE(*cache().find(std::string(64, 'a'), 0));
}

TEST_F(StepCacheTest, NeedsAllLayersBelow) {
  make_layer('1', 0);
  make_layer('2', '1');
  make_layer('3', '2');
  make_layer('4', '1');
  ASSERT_TRUE(cache().put(step('a', '3')).ok());
  std::vector<std::string> needed = cache().needed_layers();
  EXPECT_EQ(needed, (std::vector<std::string>{std::string(64, '1'), std::string(64, '2'),
                                              std::string(64, '3')}));
}

TEST_F(StepCacheTest, DamagedRecordsAreNone) {
  make_layer('1', 0);
  ASSERT_TRUE(cache().put(step('a', '1')).ok());
  const std::string path = concat(cache().folder(), "/steps/", std::string(64, 'a'));
  for (const char* text : {"", "{", "x", "{\"layer\":\"../../etc\"}", "{\"layer\":1}"}) {
    ASSERT_TRUE(sys::write_file(path, text, 0600).ok());
    auto found = cache().find(std::string(64, 'a'), 0);
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(*found) << text;
    EXPECT_TRUE(cache().list()->empty());
  }
}

}  // namespace
}  // namespace minke::store
