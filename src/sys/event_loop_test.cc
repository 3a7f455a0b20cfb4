#include "sys/event_loop.h"

#include <unistd.h>

namespace minke::sys {
namespace {

TEST(EventLoopTest, TimersRunInOrderAndCancel) {
  auto loop = std::move(*EventLoop::create());
  std::string order;
  loop->add_timer(20, [&] {
    order += "b";
    loop->stop();
  });
  loop->add_timer(1, [&] { order += "a"; });
  std::uint64_t dropped = loop->add_timer(2, [&] { order += "x"; });
  loop->cancel_timer(dropped);
  ASSERT_TRUE(loop->run());
  EXPECT_EQ(order, "ab");
}

TEST(EventLoopTest, HandlerMayRemoveItself) {
  auto loop = std::move(*EventLoop::create());
  auto [reader, writer] = std::move(*make_pipe());
  int calls = 0;
  int fd = reader.get();
  ASSERT_TRUE(loop->add(fd, EPOLLIN, [&](std::uint32_t) {
    ++calls;
    loop->remove(fd);
    loop->add_timer(1, [&] { loop->stop(); });
  }));
  ASSERT_TRUE(write_all(writer.get(), "x"));
  ASSERT_TRUE(loop->run());
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace minke::sys
