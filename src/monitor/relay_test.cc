// The user's side of a terminal: a child process with a pseudo-terminal as its stdio relays to a
// transport, the test types and looks at the terminal's modes.
#include "monitor/relay.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

// A socket pair in place of a container: plain bytes, closed when the test closes it.
class SocketTransport final : public Transport {
 public:
  explicit SocketTransport(sys::UniqueFd fd) : fd_(std::move(fd)) {}
  int fd() const override { return fd_.get(); }
  Result<std::size_t> send(std::string_view data) override {
    ssize_t n = ::send(fd_.get(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return std::size_t{0};
    if (n < 0) return Error::from_errno(errno, "send");
    return static_cast<std::size_t>(n);
  }
  void send_eof() override { ignore(send("<eof>"), "test"); }
  void resize(unsigned short rows, unsigned short columns) override {
    ignore(send(concat('<', rows, 'x', columns, '>')), "test");
  }
  Result<Received> receive() override {
    ssize_t n = ::recv(fd_.get(), buffer_, sizeof buffer_, MSG_DONTWAIT);
    Received out;
    if (n < 0 && errno == EAGAIN) return out;
    out.kind = n <= 0 ? Received::Kind::closed : Received::Kind::data;
    if (n > 0) out.data = {buffer_, static_cast<std::size_t>(n)};
    return out;
  }

 private:
  sys::UniqueFd fd_;
  char buffer_[4096];
};

constexpr int kDetached = 10, kClosed = 11, kFailed = 12;

class RelayTest : public testing::Test {
 protected:
  // Starts the relaying child; `options` as it is to be used there. With `stdin_fd` that is its
  // stdin instead.
  void start(AttachOptions options, int stdin_fd = -1) {
    winsize size{33, 77, 0, 0};
    int master, slave;
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, &size), 0);
    terminal_.reset(master);
    slave_.reset(slave);
    auto pair = *sys::make_seqpacket_pair();
    container_ = std::move(pair.first);
    child_ = ::fork();
    ASSERT_GE(child_, 0);
    if (child_ == 0) {
      container_.reset();
      keep_.reset();
      ::setsid();
      ::dup2(stdin_fd >= 0 ? stdin_fd : slave, 0);
      ::dup2(slave, 1);
      ::dup2(slave, 2);
      SocketTransport transport(std::move(pair.second));
      auto end = relay(transport, options, -1);
      ::_exit(!end ? kFailed : *end == AttachEnd::detached ? kDetached : kClosed);
    }
  }
  void TearDown() override {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }
  // What arrives at `fd` until `wanted` is among it, for at most twenty seconds.
  static std::string until(int fd, std::string_view wanted) {
    std::string all;
    char buffer[4096];
    for (int i = 0; i < 2000 && all.find(wanted) == std::string::npos; ++i) {
      pollfd wait{fd, POLLIN, 0};
      if (::poll(&wait, 1, 10) > 0) {
        ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n <= 0) break;
        all.append(buffer, static_cast<std::size_t>(n));
      }
    }
    return all;
  }
  void type(std::string_view keys) { ASSERT_TRUE(sys::write_all(terminal_.get(), keys)); }
  bool is_raw() {
    termios modes{};
    ::tcgetattr(slave_.get(), &modes);
    return (modes.c_lflag & (ICANON | ECHO)) == 0;
  }
  int end() {
    int status = *sys::wait_pid(child_);
    child_ = -1;
    return sys::exit_code_of(status);
  }

  sys::UniqueFd terminal_, slave_, container_;
  sys::UniqueFd keep_;  // the test's alone
  pid_t child_ = -1;
};

AttachOptions with_terminal() {
  AttachOptions options;
  options.terminal = true;
  return options;
}

TEST_F(RelayTest, RawWhileItLastsAndPutBack) {
  start(with_terminal());
  EXPECT_EQ(until(container_.get(), ">"), "<33x77>");
  EXPECT_TRUE(is_raw());
  type("ls\r");
  EXPECT_EQ(until(container_.get(), "\r"), "ls\r");
  ASSERT_TRUE(sys::write_all(container_.get(), "output"));
  EXPECT_EQ(until(terminal_.get(), "output"), "output");
  container_.reset();
  EXPECT_EQ(end(), kClosed);
  EXPECT_FALSE(is_raw());
}

TEST_F(RelayTest, DetachKeys) {
  start(with_terminal());
  until(container_.get(), ">");
  type("abc\x10");
  EXPECT_EQ(until(container_.get(), "abc"), "abc");
  type("\x11");
  EXPECT_EQ(end(), kDetached);
  EXPECT_FALSE(is_raw());
}

TEST_F(RelayTest, WindowSizeIsFollowed) {
  start(with_terminal());
  until(container_.get(), ">");
  winsize size{10, 20, 0, 0};
  ::ioctl(terminal_.get(), TIOCSWINSZ, &size);
  ::kill(child_, SIGWINCH);
  EXPECT_EQ(until(container_.get(), ">"), "<10x20>");
}

TEST_F(RelayTest, DeadlySignalPutsTheTerminalBack) {
  for (int signal : {SIGTERM, SIGHUP, SIGQUIT}) {
    start(with_terminal());
    until(container_.get(), ">");
    ASSERT_TRUE(is_raw());
    ::kill(child_, signal);
    EXPECT_EQ(end(), 128 + signal);
    EXPECT_FALSE(is_raw());
  }
}

TEST_F(RelayTest, SignalsAreHandedOn) {
  AttachOptions options = with_terminal();
  options.on_signal = [](int signal) {
    ignore(sys::write_all(1, concat("signal ", signal, ";")), "test");
  };
  start(options);
  until(container_.get(), ">");
  for (int signal : {SIGTERM, SIGUSR1, SIGHUP}) {
    ::kill(child_, signal);
    std::string wanted = concat("signal ", signal, ";");
    EXPECT_EQ(until(terminal_.get(), wanted), wanted);
  }
  EXPECT_TRUE(is_raw());
}

TEST_F(RelayTest, PipeAsStdinIsNoTerminal) {
  auto in = *sys::make_pipe();
  keep_ = std::move(in.second);
  start(with_terminal(), in.first.get());
  ASSERT_TRUE(sys::write_all(keep_.get(), "data\x10\x11more"));
  EXPECT_EQ(until(container_.get(), "more"), "data\x10\x11more");
  keep_.reset();
  EXPECT_EQ(until(container_.get(), "<eof>"), "<eof>");
  EXPECT_FALSE(is_raw());
}

TEST_F(RelayTest, WrongKeysAreRefusedBeforeAnythingChanges) {
  AttachOptions options = with_terminal();
  options.detach_keys = "ctrl-1";
  start(options);
  EXPECT_EQ(end(), kFailed);
  EXPECT_FALSE(is_raw());
}

}  // namespace
}  // namespace minke::monitor
