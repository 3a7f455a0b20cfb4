#include "sys/foreign_mount.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

namespace minke::sys {

TEST(ForeignMount, ShowsWhatAnotherNamespaceHasMounted) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount";
  std::string dir = ::testing::TempDir() + concat("minke-foreign-", ::getpid());
  ASSERT_TRUE(ensure_dirs(dir, 0755));
  auto [reader, writer] = *make_pipe();
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    bool done = ::unshare(CLONE_NEWNS) == 0 &&
                ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                ::mount("tmpfs", dir.c_str(), "tmpfs", 0, nullptr) == 0 &&
                write_file(dir + "/inside", "hello", 0644) &&
                symlink_at("/", DirFd::cwd(), (dir + "/up").c_str());
    if (::write(writer.get(), done ? "1" : "0", 1) != 1) ::_exit(1);
    ::pause();
  }
  char ready = 0;
  ASSERT_EQ(::read(reader.get(), &ready, 1), 1);
  ASSERT_EQ(ready, '1');
  auto mount = clone_mount_of(child, dir.c_str());
  ASSERT_TRUE(mount) << mount.error().message();
  EXPECT_EQ(*read_small_file_at(DirFd(std::move(*mount)), "inside"), "hello");
  EXPECT_EQ(clone_mount_of(child, "/no/such/place").error().code(), Errc::not_found);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(remove_tree_at(DirFd::cwd(), dir.c_str()));
}

}  // namespace minke::sys
