#include "engine/rootfs_view.h"

#include <unistd.h>

#include "base/str.h"

namespace minke::engine {

class RootfsView : public ::testing::TestWithParam<LayerWay> {};

TEST_P(RootfsView, UpperLayersHideLowerOnes) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount";
  std::string dir = ::testing::TempDir() + concat("minke-view-", ::getpid());
  std::vector<std::string> folders;
  // More than one page parameter holds, with names that a list would have to escape.
  for (int i = 0; i < 40; ++i) {
    folders.push_back(concat(dir, "/a:b,c\\", i));
    ASSERT_TRUE(sys::ensure_dirs(folders.back(), 0755));
    ASSERT_TRUE(sys::write_file(folders.back() + "/same", concat(i), 0644));
    ASSERT_TRUE(sys::write_file(concat(folders.back(), "/own", i), "", 0644));
  }
  auto view = mount_layers(folders, false, GetParam());
  ASSERT_TRUE(view) << view.error().message();
  auto folder = sys::duplicate(view->get());
  sys::DirFd root(std::move(*folder));
  EXPECT_EQ(*sys::read_small_file_at(root, "same"), "0");
  EXPECT_TRUE(sys::exists_at(root, "own39"));
  EXPECT_FALSE(sys::open_at(root, "new", O_WRONLY | O_CREAT, 0644));
  EXPECT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), dir.c_str()));
}

INSTANTIATE_TEST_SUITE_P(Ways, RootfsView,
                         ::testing::Values(LayerWay::each, LayerWay::list, LayerWay::child));

}  // namespace minke::engine
