#include "engine/users.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::engine {

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\n"
    "4294967296:x:0:0::/:/bin/sh\n99999999999999:x:0:0::/:/bin/sh\n-1:x:0:0::/:/bin/sh\n"
    "big:x:4294967296:5::/:/bin/sh\nnohome:x:7:7\n";
constexpr const char* kGroup =
    "root:x:0:\nwheel:x:10:root,app\napp:x:1001:\nextra:x:2000:app\n4294967296:x:5:\n";

std::string show(std::string_view spec, const std::vector<std::string>& groups = {}) {
  auto user = resolve_user(spec, groups, kPasswd, kGroup);
  if (!user) return user.error().message();
  std::string text = concat(user->uid, ":", user->gid, " [");
  for (std::size_t i = 0; i < user->additional_gids.size(); ++i)
    text += concat(i == 0 ? "" : " ", user->additional_gids[i]);
  return text + "] " + user->home;
}

TEST(ResolveUser, ByNameNumberAndGroup) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "0:0 [0 10] /root"},
      {"root", "0:0 [0 10] /root"},
      {"0", "0:0 [0 10] /root"},
      {"app", "1000:1001 [1001 10 2000] /home/app"},
      {"1000", "1000:1001 [1001 10 2000] /home/app"},
      {"app:wheel", "1000:10 [10] /home/app"},
      {"app:", "1000:1001 [1001 10 2000] /home/app"},
      {"1", "1:0 [0] /"},
      {"1:", "1:0 [0] /"},
      {":1", "0:1 [1] /root"},
      {"1:1", "1:1 [1] /"},
      {"5000:6000", "5000:6000 [6000] /"},
      {"nohome", "7:7 [7] /"},
      {"2147483647", "2147483647:0 [0] /"},
      {"00", "0:0 [0 10] /root"},
  };
  for (const auto& [spec, shown] : rows) EXPECT_EQ(show(spec), shown) << spec;
}

// CVE-2024-40635, CVE-2026-46680: no wrap to 0, and never a look-up of a number as a name.
TEST(ResolveUser, NumbersBeyond31BitsAreErrors) {
  for (const char* spec : {"2147483648", "4294967295", "4294967296", "99999999999999", "-1", "0x0",
                           "+0", "0:4294967296", "0:-1", "0:0x1"})
    EXPECT_EQ(show(spec), "uids and gids must be in range 0-2147483647") << spec;
}

// CVE-2026-30892: what is no number is a name, as a whole.
TEST(ResolveUser, NearNumbersAreNames) {
  for (const char* spec : {"1 ", " 1", "1a", "1.0"})
    EXPECT_EQ(show(spec),
              concat("unable to find user ", spec, ": no matching entries in passwd file"));
  EXPECT_EQ(show("big"), "unable to find user big: no matching entries in passwd file");
  EXPECT_EQ(show("0:nogrp"), "unable to find group nogrp: no matching entries in group file");
}

TEST(ResolveUser, FurtherGroups) {
  EXPECT_EQ(show("app", {"4242", "extra"}), "1000:1001 [1001 10 2000 4242] /home/app");
  EXPECT_EQ(show("app", {"nog"}),
            "looking up supplemental groups: Unable to find group nog: no matching entries in "
            "group file");
  EXPECT_EQ(show("app", {"99999999999"}), "uids and gids must be in range 0-2147483647");
}

// CVE-2024-9676: nothing that blocks, and nothing without end.
TEST(AccountFile, OnlyRegularFilesOfBoundedSize) {
  std::string root = ::testing::TempDir() + concat("minke-users-", getpid());
  ASSERT_TRUE(sys::ensure_dirs(root + "/etc", 0755));
  auto dir = sys::open_dir(root);
  ASSERT_TRUE(dir);
  std::string path = root + "/etc/passwd";
  auto read = [&] { return read_account_file(dir->get(), "etc/passwd"); };

  EXPECT_EQ(read(), "");
  ASSERT_EQ(::mkfifo(path.c_str(), 0644), 0);
  EXPECT_EQ(read(), "");
  ::unlink(path.c_str());
  ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
  EXPECT_EQ(read(), "");
  ::rmdir(path.c_str());
  ASSERT_EQ(::symlink("/dev/zero", path.c_str()), 0);
  EXPECT_EQ(read(), "");
  ::unlink(path.c_str());
  ASSERT_EQ(::symlink("/../../../../etc/hostname", path.c_str()), 0);
  EXPECT_EQ(read(), "");
  ::unlink(path.c_str());
  ASSERT_TRUE(sys::write_file(path, "x", 0644));
  ASSERT_EQ(::truncate(path.c_str(), off_t{1} << 30), 0);
  EXPECT_EQ(read(), "");
  ASSERT_EQ(::truncate(path.c_str(), 1), 0);
  EXPECT_EQ(read(), "x");
  EXPECT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), root.c_str()));
}

}  // namespace minke::engine
