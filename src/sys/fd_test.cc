#include "sys/fd.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/str.h"

namespace minke::sys {
namespace {

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/minke-fd-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    path_ = name;
    dir_ = *open_dir(path_);
  }
  void TearDown() override { EXPECT_TRUE(remove_tree_at(DirFd::cwd(), path_.c_str())); }
  std::string path_;
  DirFd dir_;
};

TEST_F(Files, WriteReplacesWhole) {
  ASSERT_TRUE(write_file_at(dir_, "f", "one", 0600));
  ASSERT_TRUE(write_file_at(dir_, "f", "two", 0600, Durability::data));
  EXPECT_EQ(*read_small_file_at(dir_, "f"), "two");
  EXPECT_EQ(list_dir(dir_)->size(), 1u);  // no temporary left
  EXPECT_EQ(read_small_file_at(dir_, "f", 2).error().code(), Errc::corrupt);
}

TEST_F(Files, ErrorNamesCallAndObject) {
  EXPECT_EQ(read_small_file_at(dir_, "none").error().message(),
            "open none: No such file or directory");
}

TEST_F(Files, OpenInRootNeverLeaves) {
  ASSERT_TRUE(make_dir_at(dir_, "root", 0755));
  DirFd root = *open_dir_at(dir_, "root");
  ASSERT_TRUE(write_file_at(dir_, "secret", "outside", 0600));
  ASSERT_TRUE(write_file_at(root, "secret", "inside", 0600));
  ASSERT_TRUE(symlink_at("../secret", root, "up"));
  ASSERT_TRUE(symlink_at("/secret", root, "abs"));
  for (const char* name : {"up", "abs", "../secret", "/secret"}) {
    auto fd = open_in_root(root.get(), name, O_RDONLY);
    ASSERT_TRUE(fd) << name;
    EXPECT_EQ(*read_all(fd->get()), "inside") << name;
  }
  EXPECT_EQ(open_beneath(root.get(), "up", O_RDONLY).error().sys(), EXDEV);
  EXPECT_EQ(open_beneath(root.get(), "abs", O_RDONLY, 0, true).error().sys(), ELOOP);
}

TEST_F(Files, RemoveTreeLeavesWhatLinksPointTo) {
  ASSERT_TRUE(ensure_dirs(path_ + "/a/b/c", 0755));
  ASSERT_TRUE(write_file(path_ + "/kept", "x", 0600));
  ASSERT_TRUE(symlink_at("../../kept", dir_, "a/b/link"));
  ASSERT_TRUE(write_file(path_ + "/a/b/c/f", "x", 0600));
  ::chmod((path_ + "/a/b").c_str(), 0);
  ASSERT_TRUE(remove_tree_at(dir_, "a"));
  EXPECT_FALSE(exists(path_ + "/a"));
  EXPECT_TRUE(exists(path_ + "/kept"));
  EXPECT_TRUE(remove_tree_at(dir_, "a"));  // not there is success
}

TEST_F(Files, RemoveTreeWithinStopsAtItsBudget) {
  ASSERT_TRUE(ensure_dirs(path_ + "/many", 0755));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(write_file(path_ + "/many/" + concat(i), "", 0600));
  auto part = remove_tree_within(dir_, "many", 10);
  ASSERT_TRUE(part);
  EXPECT_FALSE(*part);
  part = remove_tree_within(dir_, "many", 100);
  ASSERT_TRUE(part);
  EXPECT_TRUE(*part);
  EXPECT_FALSE(exists(path_ + "/many"));
}

TEST(UniqueFdTest, MovesAndCloses) {
  auto [reader, writer] = std::move(*make_pipe());
  int number = writer.get();
  UniqueFd other = std::move(writer);
  EXPECT_FALSE(writer);
  EXPECT_EQ(other.get(), number);
  other.reset();
  EXPECT_EQ(*read_all(reader.get()), "");  // the write end is closed
}

}  // namespace
}  // namespace minke::sys
