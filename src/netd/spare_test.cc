#include "netd/spare.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sys/socket.h"

namespace minke::netd {
namespace {

bool is_readable(int fd, int patience_ms) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, patience_ms) > 0;
}

TEST(SpareDescriptor, WhoCannotBeAcceptedIsTurnedAway) {
  char folder[] = "/tmp/minke-spare-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/s";
  auto listener = sys::listen_unix(path, SOCK_STREAM | SOCK_NONBLOCK, 0600);
  ASSERT_TRUE(listener);
  SpareDescriptor spare;
  auto first = sys::connect_unix(path, SOCK_STREAM), second = sys::connect_unix(path, SOCK_STREAM);
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(spare.accept(listener->get(), "test"));
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_FALSE(spare.accept(listener->get(), "test"));
  EXPECT_FALSE(is_readable(listener->get(), 0));  // nothing that would be told again
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(is_readable(second->get(), 5000));  // the end
  auto third = sys::connect_unix(path, SOCK_STREAM);
  ASSERT_TRUE(third);
  EXPECT_TRUE(spare.accept(listener->get(), "test"));
  ASSERT_TRUE(sys::remove_tree_at(sys::DirFd::cwd(), folder));
}

}  // namespace
}  // namespace minke::netd
