#include "sys/life_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/str.h"

namespace minke::sys {
namespace {

TEST(LifeLock, TheHolderIsNamedAndItsEndFreesTheFile) {
  std::string path = concat(::testing::TempDir(), "/life-", ::getpid());
  {
    auto held = lock_for_life(path, 0);
    ASSERT_TRUE(held.ok());
    // A lock of this description, not of the process: a second one is refused here as well.
    auto second = lock_for_life(path, 20);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code(), Errc::unavailable);
    EXPECT_EQ(second.error().message(), concat("process ", ::getpid(), " has ", path));
  }
  EXPECT_TRUE(lock_for_life(path, 0).ok());
  ::unlink(path.c_str());
  EXPECT_FALSE(lock_for_life("/nowhere/at/all", 0).ok());
}

}  // namespace
}  // namespace minke::sys
