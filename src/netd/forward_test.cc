#include "netd/forward.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/str.h"
#include "netd/endpoint.h"
#include "netd/forward_tcp.h"
#include "netd/forward_udp.h"
#include "sys/fd.h"

namespace minke::netd {
namespace {

sys::UniqueFd bound(int type) {
  sys::UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const SocketAddress any(Endpoint{net::IpAddress::loopback(false), 0, 0});
  EXPECT_EQ(::bind(fd.get(), &any.any, any.length), 0);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(::listen(fd.get(), 1), 0);
  }
  return fd;
}

// How many sockets the process's epoll descriptors look at (proc(5), fdinfo).
int watched() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    auto text = sys::read_small_file(entry.path().string(), 64 << 10);
    if (!text) continue;  // the iterator's own
    for (std::string_view line : split(*text, '\n')) count += line.starts_with("tfd:");
  }
  return count;
}

// A published port's socket may be a service manager's, who keeps it: closing ours does not take it
// out of epoll then, whose next event would lead to freed memory.
TEST(Forwarders, LookNoMoreAtAPortThatIsGone) {
  Loop loop;
  ASSERT_TRUE(loop.open());
  PipeBudget pipes;
  ForwardStats stats;
  TcpForwarder tcp(&loop, &pipes, &stats);
  UdpForwarder udp(&loop, &stats, {});
  ForwardedContainer container;
  const sys::UniqueFd theirs[] = {bound(SOCK_STREAM), bound(SOCK_DGRAM)};
  ASSERT_TRUE(
      tcp.add(&container, std::move(*sys::duplicate(theirs[0].get())), 7, net::ProxyHeader::none));
  ASSERT_TRUE(udp.add(&container, std::move(*sys::duplicate(theirs[1].get())), 7));
  EXPECT_EQ(watched(), 2);
  tcp.remove(&container);
  EXPECT_EQ(watched(), 1);
  udp.remove(&container);
  EXPECT_EQ(watched(), 0);
}

}  // namespace
}  // namespace minke::netd
