#include "engine/shift.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/str.h"
#include "engine/copy_tree.h"
#include "sys/fd.h"

namespace minke::engine {

class ShiftTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = ::testing::TempDir() + concat("minke-shift-", ::getpid());
    ASSERT_TRUE(sys::ensure_dirs(dir_ + "/diff/sub", 0755));
    ASSERT_TRUE(sys::write_file(dir_ + "/diff/sub/file", "x", 0644));
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), dir_.c_str())); }
  std::string dir_;
};

TEST_F(ShiftTest, NoMapsNoCopies) {
  EXPECT_EQ(*shift_layers({dir_ + "/diff"}, {}, {}), std::vector<std::string>{dir_ + "/diff"});
}

TEST_F(ShiftTest, OwnersMoveAndMarksStay) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to change owners";
  const std::string diff = dir_ + "/diff";
  ASSERT_EQ(::chown((diff + "/sub/file").c_str(), 5, 6), 0);
  ASSERT_EQ(::chmod((diff + "/sub/file").c_str(), 04755), 0);
  // cap_net_raw=ep, version 2
  const char caps[20] = {1, 0, 0, 2, 0, 32};
  ASSERT_EQ(::setxattr((diff + "/sub/file").c_str(), "security.capability", caps, sizeof caps, 0),
            0);
  ASSERT_EQ(::setxattr((diff + "/sub").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  ASSERT_EQ(::mknod((diff + "/gone").c_str(), S_IFCHR, makedev(0, 0)), 0);

  auto layers = shift_layers({diff}, {{0, 100000, 1000}}, {{0, 200000, 1000}});
  ASSERT_TRUE(layers) << layers.error().message();
  const std::string& made = layers->at(0);
  struct stat st {};
  ASSERT_EQ(::lstat((made + "/sub/file").c_str(), &st), 0);
  EXPECT_EQ(concat(st.st_uid, ":", st.st_gid), "100005:200006");
  EXPECT_EQ(st.st_mode & 07777, 04755u);
  char value[64];
  EXPECT_EQ(::getxattr((made + "/sub").c_str(), "trusted.overlay.opaque", value, sizeof value), 1);
  ASSERT_EQ(::getxattr((made + "/sub/file").c_str(), "security.capability", value, sizeof value),
            24);
  std::uint32_t root = 0;
  memcpy(&root, value + 20, 4);
  EXPECT_EQ(root, 100000u);
  ASSERT_EQ(::lstat((made + "/gone").c_str(), &st), 0);
  EXPECT_TRUE(S_ISCHR(st.st_mode));
  // Found again, not made again.
  ASSERT_TRUE(sys::write_file(made + "/mark", "", 0644));
  EXPECT_EQ(*shift_layers({diff}, {{0, 100000, 1000}}, {{0, 200000, 1000}}), *layers);
  EXPECT_TRUE(sys::exists(made + "/mark"));
  EXPECT_NE(*shift_layers({diff}, {{0, 300000, 1000}}, {{0, 200000, 1000}}), *layers);
}

TEST_F(ShiftTest, OwnersOutsideTheMapAreAnError) {
  auto layers = shift_layers({dir_ + "/diff"}, {{5000000, 0, 1}}, {{5000000, 0, 1}});
  ASSERT_FALSE(layers);
  EXPECT_NE(layers.error().message().find("is not mapped in the user namespace"), std::string::npos)
      << layers.error().message();
  auto left = sys::list_dir(*sys::open_dir(dir_));
  EXPECT_EQ(*left, std::vector<std::string>{"diff"});
}

TEST_F(ShiftTest, HolesStayHoles) {
  const std::string file = dir_ + "/diff/sparse";
  ASSERT_TRUE(sys::write_file(file, "start", 0644));
  ASSERT_EQ(::truncate(file.c_str(), 64 << 20), 0);
  ASSERT_TRUE(sys::ensure_dirs(dir_ + "/copy", 0755));
  auto from = sys::open_dir(dir_ + "/diff"), to = sys::open_dir(dir_ + "/copy");
  OwnerMap same = [](std::uint32_t id) { return std::optional<std::uint32_t>(id); };
  Status done = copy_tree(from->get(), to->get(), same, same);
  ASSERT_TRUE(done) << done.error().message();
  struct stat st {};
  ASSERT_EQ(::stat((dir_ + "/copy/sparse").c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 64 << 20);
  EXPECT_LT(st.st_blocks, 1024);
}

}  // namespace minke::engine
