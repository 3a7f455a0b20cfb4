#include "monitor/netd_watch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "net/netd_client.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

struct NetdWatched : testing::Test {
  std::string dir = "/tmp/minke-watch.XXXXXX";
  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::create();
  NetdWatch watch{*loop};
  sys::UniqueFd listener, peer;

  void SetUp() override { ASSERT_NE(::mkdtemp(dir.data()), nullptr); }
  void TearDown() override { ignore(sys::remove_tree_at(sys::DirFd::cwd(), dir.c_str()), ""); }
  void listen() {
    ::unlink(net::netd_socket(dir).c_str());
    listener = std::move(*sys::listen_unix(net::netd_socket(dir), SOCK_SEQPACKET, 0600));
    ASSERT_TRUE(loop->add(listener.get(), EPOLLIN, [this](std::uint32_t) {
      peer.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      loop->stop();
    }));
  }
  void die() {
    loop->remove(listener.get());
    listener.reset();
    peer.reset();
  }
  bool run_until(const std::function<bool()>& so) {
    std::int64_t end = monotonic_ns() + 20 * kSecond;
    while (!so() && monotonic_ns() < end) {
      loop->add_timer(20, [this] { loop->stop(); });
      EXPECT_TRUE(loop->run());
    }
    return so();
  }
  std::string started() { return sys::read_small_file(dir + "/started").value_or(""); }
};

TEST_F(NetdWatched, AnotherOneIsStartedAndGetsTheListeners) {
  listen();
  std::string id(64, 'a');
  std::vector<sys::UniqueFd> listeners;
  listeners.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  watch.start({dir, {"/bin/sh", "-c", concat("echo x >>", dir, "/started")}, 1}, id,
              std::move(listeners));
  for (int life = 0; life < 2; ++life) {
    ASSERT_TRUE(run_until([&] { return bool(peer); }));
    auto message = sys::receive_message(peer.get());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->data, "w" + id);
    EXPECT_EQ(message->fds.size(), 1U);
    EXPECT_TRUE(sys::send_message(peer.get(), net::pack_netd_answer("")));
    EXPECT_EQ(started(), life == 0 ? "" : "x\n");
    if (life > 0) break;
    die();
    ASSERT_TRUE(run_until([&] { return started() == "x\n"; }));
    listen();
  }
  watch.stop();
}

TEST_F(NetdWatched, WithoutANetworkNothingHappens) {
  watch.start({}, std::string(64, 'a'), {});
  EXPECT_EQ(loop->next_timeout_ms(), -1);
}

}  // namespace
}  // namespace minke::monitor
