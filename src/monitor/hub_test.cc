// The streams of a container without a container: pipes on one side, clients on the other.
#include "monitor/hub.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/str.h"
#include "monitor/client.h"
#include "monitor/notify.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

class MemoryLog final : public LogWriter {
 public:
  explicit MemoryLog(std::string* text) : text_(text) {}
  void write(Stream, std::string_view chunk, TimeNs) override { *text_ += chunk; }
  void finish(Stream, TimeNs) override {}
  Status reopen() override { return {}; }

 private:
  std::string* text_;
};

class HubTest : public testing::Test {
 protected:
  void SetUp() override {
    loop_ = *sys::EventLoop::create();
    hub_ = std::make_unique<Hub>(*loop_);
    hub_->set_log(std::make_unique<MemoryLog>(&logged_));
    auto in = *sys::make_pipe(), out = *sys::make_pipe(), err = *sys::make_pipe();
    stdin_ = std::move(in.first);
    stdout_ = std::move(out.second);
    stderr_ = std::move(err.second);
    ASSERT_TRUE(hub_->set_pipes(std::move(in.second), std::move(out.first), std::move(err.first)));
  }
  sys::UniqueFd client(bool from_start, bool with_stdin = false) {
    auto pair = *sys::make_seqpacket_pair();
    EXPECT_TRUE(hub_->add_client(std::move(pair.second), from_start, with_stdin));
    return std::move(pair.first);
  }
  void turn(int ms = 20) {
    loop_->add_timer(ms, [this] { loop_->stop(); });
    ASSERT_TRUE(loop_->run());
  }
  // All frames that are there, their data joined; `ended` when the connection is closed.
  std::string take(int fd, bool* ended = nullptr, bool* cut = nullptr) {
    std::string all, buffer(kMaxFrame, '\0');
    while (true) {
      ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n < 0 && errno == ECONNRESET) continue;
      if (n == 0 && ended != nullptr) *ended = true;
      if (n <= 0) return all;
      if (static_cast<Frame>(buffer[0]) == Frame::cut_off && cut != nullptr) *cut = true;
      all.append(buffer, 1, static_cast<std::size_t>(n) - 1);
    }
  }
  void send(int fd, Frame type, std::string data) {
    ASSERT_TRUE(sys::send_message(fd, concat(static_cast<char>(type), data)));
  }
  // Writes on another thread, as a container does; the descriptor is closed at its end.
  std::thread produce(std::size_t total) {
    return std::thread([fd = stdout_.get(), total] {
      std::string block(65'536, 'z');
      for (std::size_t done = 0; done < total; done += block.size())
        for (std::string_view rest = block; !rest.empty();) {
          ssize_t n = ::write(fd, rest.data(), rest.size());
          ASSERT_GT(n, 0);
          rest.remove_prefix(static_cast<std::size_t>(n));
        }
    });
  }

  std::unique_ptr<sys::EventLoop> loop_;
  std::unique_ptr<Hub> hub_;
  std::string logged_;
  sys::UniqueFd stdin_, stdout_, stderr_;
};

TEST_F(HubTest, EveryClientGetsWhatTheLogGets) {
  auto a = client(true), b = client(false);
  ASSERT_TRUE(sys::write_all(stdout_.get(), "out"));
  turn();
  ASSERT_TRUE(sys::write_all(stderr_.get(), "err"));
  turn();
  EXPECT_EQ(take(a.get()), "outerr");
  EXPECT_EQ(take(b.get()), "outerr");
  EXPECT_EQ(logged_, "outerr");
}

TEST_F(HubTest, SlowClientIsCutOffAndTheContainerGoesOn) {
  auto slow = client(false);
  constexpr std::size_t kTotal = 8 << 20;
  std::thread producer = produce(kTotal);
  while (logged_.size() < kTotal) turn();
  producer.join();
  bool cut = false, ended = false;
  std::string got;
  while (!ended) {
    got += take(slow.get(), &ended, &cut);
    turn();
  }
  EXPECT_TRUE(cut);
  EXPECT_LT(got.size(), kTotal);
}

TEST_F(HubTest, ClientFromTheStartHoldsTheContainerBackAndLosesNothing) {
  auto slow = client(true);
  constexpr std::size_t kTotal = 4 << 20;
  std::thread producer = produce(kTotal);
  turn(200);
  EXPECT_LT(logged_.size(), std::size_t{1} << 20);  // it waits for the client
  std::size_t got = 0;
  while (got < kTotal) {
    got += take(slow.get()).size();
    turn(1);
  }
  producer.join();
  EXPECT_EQ(got, kTotal);
  EXPECT_EQ(logged_.size(), kTotal);
}

TEST_F(HubTest, HeldBackContainerGoesOnWhenTheClientGoes) {
  auto slow = client(true);
  constexpr std::size_t kTotal = 2 << 20;
  std::thread producer = produce(kTotal);
  turn(100);
  slow.reset();
  while (logged_.size() < kTotal) turn();
  producer.join();
}

TEST_F(HubTest, RestIsDeliveredAfterTheEnd) {
  auto slow = client(true);
  bool drained = false;
  hub_->on_progress = [&] { drained = hub_->drained(); };
  std::string block(60'000, 'q');
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(sys::set_nonblocking(stdout_.get(), true));
    if (::write(stdout_.get(), block.data(), block.size()) < 0) break;
    turn(5);
  }
  stdout_.reset();
  stderr_.reset();
  hub_->finish();
  EXPECT_FALSE(drained);
  std::size_t got = 0;
  bool ended = false;
  while (!ended) {
    got += take(slow.get(), &ended).size();
    turn(1);
  }
  EXPECT_TRUE(drained);
  EXPECT_EQ(got, logged_.size());
}

TEST_F(HubTest, StdinAndHalfClose) {
  auto a = client(true, true);
  send(a.get(), Frame::stdin_data, "typed");
  send(a.get(), Frame::stdin_eof, "");
  turn();
  EXPECT_EQ(*sys::read_all(stdin_.get()), "typed");  // to its end
  ASSERT_TRUE(sys::write_all(stdout_.get(), "still here"));
  turn();
  EXPECT_EQ(take(a.get()), "still here");
}

TEST_F(HubTest, ShutdownIsHalfCloseToo) {
  auto a = client(true, true);
  send(a.get(), Frame::stdin_data, "x");
  ::shutdown(a.get(), SHUT_WR);
  turn();
  EXPECT_EQ(*sys::read_all(stdin_.get()), "x");
  ASSERT_TRUE(sys::write_all(stdout_.get(), "y"));
  turn();
  EXPECT_EQ(take(a.get()), "y");
}

TEST_F(HubTest, LostClientLeavesStdinOpenUnlessOnce) {
  auto a = client(true, true);
  send(a.get(), Frame::stdin_data, "x");
  a.reset();
  turn();
  pollfd wait{stdin_.get(), POLLIN, 0};
  char c;
  ASSERT_EQ(::read(stdin_.get(), &c, 1), 1);
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
  hub_->set_stdin_once(true);
  auto b = client(true, true);
  send(b.get(), Frame::stdin_data, "y");
  b.reset();
  turn();
  EXPECT_EQ(*sys::read_all(stdin_.get()), "y");
}

TEST_F(HubTest, ReaderThatIsSlowHoldsTheTypingClientBack) {
  auto a = client(true, true);
  constexpr std::size_t kTotal = 3 << 20;
  std::thread typist([&] {
    std::string block(kMaxFrame - 1, 't');
    std::size_t done = 0;
    while (done < kTotal) {
      std::size_t size = std::min(block.size(), kTotal - done);
      ASSERT_TRUE(sys::send_message(
          a.get(), concat(static_cast<char>(Frame::stdin_data), block.substr(0, size))));
      done += size;
    }
    a.reset();  // gone with frames of its own unread: they still count
  });
  ASSERT_TRUE(sys::set_nonblocking(stdin_.get(), true));
  std::size_t got = 0;
  char buffer[10'000];
  while (got < kTotal) {
    turn(1);
    for (ssize_t n; (n = ::read(stdin_.get(), buffer, sizeof buffer)) > 0;)
      got += static_cast<std::size_t>(n);
  }
  typist.join();
  EXPECT_EQ(got, kTotal);
}

TEST_F(HubTest, UnknownAndEmptyFramesAreRefused) {
  auto a = client(true, true);
  send(a.get(), static_cast<Frame>(99), "junk");
  send(a.get(), Frame::resize, "1");
  send(a.get(), Frame::resize, std::string("\0\0\0\0", 4));
  turn();
  EXPECT_NE(take(a.get()).find("unknown frame"), std::string::npos);
}

TEST_F(HubTest, RequestsOverTheSocket) {
  char name[] = "/tmp/minke-hub-test.XXXXXX";
  std::string folder = ::mkdtemp(name);
  ASSERT_TRUE(hub_->listen(concat(folder, "/attach")));
  std::atomic<bool> done = false;
  std::thread user([&] {
    EXPECT_TRUE(reopen_logs(folder));
    Status resized = resize(folder, 24, 80);
    EXPECT_FALSE(resized);
    EXPECT_EQ(resized.error().message(), "resize: the container has no terminal");
    auto attached = connect_attach(folder, false);
    EXPECT_TRUE(attached);
    ::usleep(50'000);
    EXPECT_TRUE(sys::write_all(stdout_.get(), "hello"));
    std::string got;
    for (int i = 0; i < 1000 && got.size() < 5; ++i) {
      ::usleep(10'000);
      got += take(attached->get());
    }
    EXPECT_EQ(got, "hello");
    done = true;
  });
  while (!done) turn();
  user.join();
  ignore(sys::remove_tree_at(sys::DirFd::cwd(), folder.c_str()), "test");
  auto gone = connect_attach(folder, false);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message(), "the container is not running");
}

TEST(Notify, OnlyHarmlessStatesPass) {
  EXPECT_EQ(allowed_states("READY=1\nMAINPID=1\nSTATUS=fine\nFDSTORE=1\nERRNO=2"),
            "READY=1\nSTATUS=fine\n");
  EXPECT_EQ(allowed_states("MAINPID=1"), "");
}

}  // namespace
}  // namespace minke::monitor
