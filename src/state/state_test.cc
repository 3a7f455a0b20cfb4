#include <sys/stat.h>

#include <cstdlib>

#include "state/name_table.h"
#include "state/object_lock.h"

namespace minke::state {
namespace {

class StateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/minke-state-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
    ASSERT_TRUE(sys::ensure_dirs(root_ + "/names", 0700));
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), root_.c_str())); }
  std::string root_;
};

TEST_F(StateTest, NamesAreTakenOnce) {
  NameTable names(root_);
  ASSERT_TRUE(names.reserve("web", "id1"));
  EXPECT_EQ(names.reserve("web", "id2").error().code(), Errc::already_exists);
  EXPECT_EQ(*names.lookup("web"), "id1");
  ASSERT_TRUE(names.release("web", "id2"));  // not its owner: left
  EXPECT_EQ(*names.lookup("web"), "id1");
  ASSERT_TRUE(names.release("web", "id1"));
  EXPECT_EQ(names.lookup("web").error().code(), Errc::not_found);
}

TEST_F(StateTest, NamesCannotBePaths) {
  for (const char* bad : {"", "../x", "a/b", ".x", "-x", "a b", "\xc3\xa4"})
    EXPECT_FALSE(check_name(bad)) << bad;
  for (const char* good : {"a", "0", "web-1.b_c"}) EXPECT_TRUE(check_name(good)) << good;
}

TEST_F(StateTest, LockOfARemovedFolderIsTakenAnew) {
  std::string dir = root_ + "/run";
  auto first = lock_object(dir, "test");
  ASSERT_TRUE(first);
  EXPECT_EQ(try_lock_object(dir, "test").error().code(), Errc::unavailable);
  ASSERT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), dir.c_str()));
  EXPECT_TRUE(try_lock_object(dir, "test"));  // a new file, a new lock
}

}  // namespace
}  // namespace minke::state
