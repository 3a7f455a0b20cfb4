#include "sys/output_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/str.h"

namespace minke::sys {
namespace {

class Output : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/minke-output-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    path_ = name;
  }
  void TearDown() override { EXPECT_TRUE(remove_tree_at(DirFd::cwd(), path_.c_str())); }
  std::string at(const char* name) const { return concat(path_, "/", name); }
  std::string text(const char* name) const { return read_small_file(at(name)).value_or("none"); }
  std::size_t files() const { return list_dir(DirFd::cwd(), path_.c_str())->size(); }
  // What is there while it is written; `keep`: it becomes whole.
  std::string write(const char* name, bool keep) {
    auto file = OutputFile::open(at(name));
    if (!file) return file.error().message();
    EXPECT_TRUE(write_all(file->fd(), "new"));
    std::string meanwhile = text(name);
    if (keep) {
      EXPECT_TRUE(file->keep());
    }
    return meanwhile;
  }
  std::string path_;
};

TEST_F(Output, HasItsNameWhenItIsWhole) {
  EXPECT_EQ(write("f", false), "none");
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(write("f", true), "none");
  EXPECT_EQ(text("f"), "new");
  EXPECT_EQ(files(), 1U);
}

TEST_F(Output, WhatWasThereStaysUntilThen) {
  ASSERT_TRUE(write_file(at("f"), "the old one", 0640));
  EXPECT_TRUE(has_content(at("f")));
  EXPECT_EQ(write("f", false), "the old one");
  EXPECT_EQ(text("f"), "the old one");
  EXPECT_EQ(write("f", true), "the old one");
  EXPECT_EQ(text("f"), "new");
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(stat_at(DirFd::cwd(), at("f").c_str())->st_mode & 0777U, 0640U);
}

TEST_F(Output, LinksAreFollowed) {
  ASSERT_TRUE(write_file(at("f"), "old", 0644));
  DirFd dir = *open_dir(path_);
  ASSERT_TRUE(symlink_at("f", dir, "link"));
  ASSERT_TRUE(symlink_at("later", dir, "dangling"));
  EXPECT_EQ(write("link", true), "old");
  EXPECT_EQ(text("f"), "new");
  EXPECT_EQ(*read_link_at(dir, "link"), "f");
  write("dangling", true);
  EXPECT_EQ(text("later"), "new");
}

TEST_F(Output, MagicLinksAndPipesAreWrittenAsTheyAre) {
  UniqueFd held = *open(at("f"), O_RDWR | O_CREAT, 0644);
  ASSERT_TRUE(write_all(held.get(), "older than the new"));
  auto file = OutputFile::open(concat("/proc/self/fd/", held.get()));
  ASSERT_TRUE(file);
  ASSERT_TRUE(write_all(file->fd(), "new"));
  ASSERT_TRUE(file->keep());
  EXPECT_EQ(::lseek(held.get(), 0, SEEK_END), 3);  // it is the very file
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  UniqueFd reader = *open(at("pipe"), O_RDONLY | O_NONBLOCK);
  auto pipe = OutputFile::open(at("pipe"));
  ASSERT_TRUE(pipe);
  ASSERT_TRUE(write_all(pipe->fd(), "x"));
  ASSERT_TRUE(pipe->keep());
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 1);
  EXPECT_FALSE(has_content(at("pipe")));
}

TEST_F(Output, FolderThatTakesNoFiles) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ASSERT_TRUE(write_file(at("f"), "the old one", 0644));
  ASSERT_EQ(::chmod(path_.c_str(), 0500), 0);
  EXPECT_EQ(write("f", true), "new");  // in place
  EXPECT_EQ(text("f"), "new");
  EXPECT_EQ(write("g", true), concat("open ", at("g"), ": Permission denied"));
  ASSERT_EQ(::chmod(path_.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(at("f").c_str(), 0400), 0);
  EXPECT_EQ(write("f", true), concat("open ", at("f"), ": Permission denied"));
  EXPECT_EQ(write("no/f", true), concat("open ", at("no/f"), ": No such file or directory"));
}

}  // namespace
}  // namespace minke::sys
