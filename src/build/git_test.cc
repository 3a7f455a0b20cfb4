#include "build/git.h"

#include <gtest/gtest.h>

namespace minke::build {
namespace {

TEST(Git, NamesOfRepositories) {
  for (const char* name :
       {"https://h/x.git", "https://h/x.git#main:sub", "http://h/x.git?ref=a", "git://h/x",
        "ssh://git@h/x", "git@h:x", "me@h:dir/x.git", "github.com/a/b"})
    EXPECT_TRUE(is_git(name)) << name;
  for (const char* name : {"https://h/x.tar", "https://h/x.git/y", "dir/git@h:x", "a:b@c", "@h:x",
                           "file.git", "/srv/x.git", ""})
    EXPECT_FALSE(is_git(name)) << name;
}

TEST(Git, Parts) {
  auto plain = parse_git("https://user:sesame@h:8443/x.git#v1:a/b");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->remote, "https://user:sesame@h:8443/x.git");
  EXPECT_EQ(plain->shown, "https://h:8443/x.git");
  EXPECT_EQ(plain->ref, "v1");
  EXPECT_EQ(plain->folder, "a/b");
  EXPECT_EQ(parse_git("github.com/a/b")->remote, "https://github.com/a/b");
  EXPECT_EQ(parse_git("ssh://git@h/x")->shown, "ssh://git@h/x");
  EXPECT_EQ(parse_git("git@h:x#:sub")->ref, "");
  EXPECT_EQ(parse_git("git@h:x#:sub")->folder, "sub");
  auto query = parse_git("https://h/x.git?branch=a&subdir=s&checksum=0123456789&submodules=false");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->remote, "https://h/x.git");
  EXPECT_EQ(query->ref, "refs/heads/a");
  EXPECT_EQ(query->folder, "s");
  EXPECT_EQ(query->commit, "0123456789");
  EXPECT_FALSE(query->submodules);
}

// What git would take for an option, or for two things at once.
TEST(Git, RefusesWhatIsNoName) {
  for (const char* name :
       {"git@h:x#--upload-pack=touch", "git@h:x#+a", "git@h:x#a b", "ssh://h/x y", "git@h:x#a\n",
        "https://h/x.git?checksum=12", "https://h/x.git?checksum=--help00"})
    EXPECT_FALSE(parse_git(name).ok()) << name;
  EXPECT_EQ(parse_git("https://h/x.git?depth=3").error().message(),
            "https://h/x.git: ?depth=3 is not known (ref, branch, tag, subdir, checksum, "
            "submodules)");
}

}  // namespace
}  // namespace minke::build
