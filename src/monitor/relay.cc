#include "monitor/relay.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <optional>

#include "base/str.h"
#include "monitor/detach_keys.h"
#include "monitor/protocol.h"
#include "sys/event_loop.h"

namespace minke::monitor {
namespace {

// Raw mode of the terminal on stdin for its life.
class RawTerminal {
 public:
  RawTerminal() = default;
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() { restore(); }
  Status enter() {
    if (::tcgetattr(STDIN_FILENO, &saved_) < 0)
      return Error::from_errno(errno, "the terminal on stdin");
    termios raw = saved_;
    ::cfmakeraw(&raw);
    if (::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
      return Error::from_errno(errno, "raw mode of the terminal on stdin");
    active_ = true;
    return {};
  }
  void restore() {
    if (std::exchange(active_, false)) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
  }

 private:
  termios saved_{};
  bool active_ = false;
};

// Signals read from a descriptor while it lives; the mask is put back after it.
class CaughtSignals {
 public:
  CaughtSignals() = default;
  CaughtSignals(const CaughtSignals&) = delete;
  CaughtSignals& operator=(const CaughtSignals&) = delete;
  ~CaughtSignals() {
    if (caught_) ::sigprocmask(SIG_SETMASK, &saved_, nullptr);
  }
  Status start(const std::vector<int>& signals) {
    ::sigprocmask(SIG_SETMASK, nullptr, &saved_);
    fd_ = TRY(sys::make_signalfd(signals));
    caught_ = true;
    TRY(sys::set_nonblocking(fd_.get(), true));
    return {};
  }
  int fd() const { return fd_.get(); }
  int next() {  // 0: none
    signalfd_siginfo info;
    if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return 0;
    return static_cast<int>(info.ssi_signo);
  }
  // What the signal would have done without us.
  void die_of(int signal) {
    ::signal(signal, SIG_DFL);
    sigset_t one;
    ::sigemptyset(&one);
    ::sigaddset(&one, signal);
    ::kill(::getpid(), signal);
    ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
  }

 private:
  sys::UniqueFd fd_;
  sigset_t saved_{};
  bool caught_ = false;
};

// All that can be handed on: not those about this very process (faults, children, pipes, its
// terminal).
std::vector<int> proxied_signals() {
  std::vector<int> out;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    switch (signal) {
      case SIGKILL:
      case SIGSTOP:
      case SIGCHLD:
      case SIGPIPE:
      case SIGURG:
      case SIGWINCH:
      case SIGSEGV:
      case SIGBUS:
      case SIGILL:
      case SIGFPE:
      case SIGTRAP:
      case SIGABRT:
      case SIGSYS:
      case SIGTTIN:
      case SIGTTOU:
        continue;
      default:
        if (signal < 32 || signal >= SIGRTMIN) out.push_back(signal);
    }
  }
  return out;
}

class Relay {
 public:
  Relay(Transport& transport, const AttachOptions& options, int end_fd)
      : transport_(transport),
        options_(options),
        end_fd_(end_fd),
        // A container with a terminal may be fed from a pipe; then there is nothing to make raw,
        // and no keys.
        has_terminal_(options.terminal && ::isatty(STDIN_FILENO) == 1) {}
  Result<AttachEnd> run();

 private:
  Status set_up();
  Status on_input();
  Status send_pending();
  Result<bool> on_output();  // false: closed
  void on_signals();
  void send_size();
  Status write_out(int fd, std::string_view data);

  Transport& transport_;
  const AttachOptions& options_;
  int end_fd_;
  bool has_terminal_;
  DetachKeys keys_;
  // The order matters: the terminal is put back while the signals are still held.
  CaughtSignals signals_;
  RawTerminal terminal_;
  bool input_open_ = false, ended_ = false, detached_ = false, eof_sent_ = false;
  std::string pending_;  // typed, not sent yet
};

Status Relay::set_up() {
  if (has_terminal_) keys_ = TRY(DetachKeys::parse(options_.detach_keys));
  std::vector<int> caught;
  if (options_.on_signal)
    caught = proxied_signals();
  else if (has_terminal_)
    caught = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  if (has_terminal_) caught.push_back(SIGWINCH);
  if (!caught.empty()) TRY(signals_.start(caught));
  if (has_terminal_) {
    TRY(terminal_.enter());
    send_size();
  }
  input_open_ = options_.stdin_;
  return {};
}

void Relay::send_size() {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) transport_.resize(size.ws_row, size.ws_col);
}

void Relay::on_signals() {
  while (int signal = signals_.next()) {
    if (signal == SIGWINCH) {
      send_size();
    } else if (options_.on_signal) {
      options_.on_signal(signal);
    } else {
      terminal_.restore();
      signals_.die_of(signal);
    }
  }
}

Status Relay::on_input() {
  char typed[kMaxFrame - 1];
  ssize_t n;
  do {
    n = ::read(STDIN_FILENO, typed, sizeof typed);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
  if (n <= 0) {  // EIO too: our terminal is gone
    input_open_ = false;
    return send_pending();
  }
  detached_ = keys_.feed({typed, static_cast<std::size_t>(n)}, &pending_);
  return send_pending();
}

Status Relay::send_pending() {
  while (!pending_.empty()) {
    auto sent = transport_.send(pending_);
    if (!sent) {  // the other side is gone: what it wrote before that is still to be read
      pending_.clear();
      input_open_ = false;
      return {};
    }
    if (*sent == 0) return {};
    pending_.erase(0, *sent);
  }
  if (!input_open_ && options_.stdin_ && !std::exchange(eof_sent_, true)) transport_.send_eof();
  return {};
}

// Waits for room and for signals by turns. A pipe or terminal that polls writable takes 4096 bytes
// at once.
Status Relay::write_out(int fd, std::string_view data) {
  while (!data.empty()) {
    pollfd wait[] = {{fd, POLLOUT, 0}, {signals_.fd(), POLLIN, 0}};
    if (::poll(wait, 2, -1) < 0 && errno != EINTR) return Error::from_errno(errno, "poll");
    if (wait[1].revents != 0) on_signals();
    if (wait[0].revents == 0) continue;
    ssize_t n = ::write(fd, data.data(), std::min<std::size_t>(data.size(), 4096));
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0)
      return Error::from_errno(errno, fd == STDOUT_FILENO ? "write to stdout" : "write to stderr");
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<bool> Relay::on_output() {
  while (true) {
    Transport::Received got = TRY(transport_.receive());
    if (got.kind == Transport::Received::Kind::closed) return false;
    if (got.kind == Transport::Received::Kind::nothing) return !ended_;
    if (got.is_stderr ? options_.stderr_ : options_.stdout_)
      TRY(write_out(got.is_stderr ? STDERR_FILENO : STDOUT_FILENO, got.data));
    if (!ended_) return true;
  }
}

Result<AttachEnd> Relay::run() {
  TRY(set_up());
  while (true) {
    bool room = pending_.empty();
    pollfd wait[] = {
        {transport_.fd(), static_cast<short>(POLLIN | (room ? 0 : POLLOUT)), 0},
        {input_open_ && room ? STDIN_FILENO : -1, POLLIN, 0},
        {signals_.fd(), POLLIN, 0},
        {ended_ ? -1 : end_fd_, POLLIN, 0},
    };
    if (::poll(wait, 4, -1) < 0) {
      if (errno == EINTR) continue;
      return Error::from_errno(errno, "poll");
    }
    if (wait[2].revents != 0) on_signals();
    if (wait[3].revents != 0) ended_ = true;
    if ((wait[0].revents & POLLOUT) != 0) TRY(send_pending());
    if ((wait[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 || ended_)
      if (!TRY(on_output())) return AttachEnd::stream_closed;
    if (wait[1].revents != 0) TRY(on_input());
    if (detached_) return AttachEnd::detached;
  }
}

}  // namespace

Result<AttachEnd> relay(Transport& transport, const AttachOptions& options, int end_fd) {
  return Relay(transport, options, end_fd).run();
}

Status wait_handing_signals_on(int end_fd, const std::function<void(int)>& on_signal) {
  CaughtSignals signals;
  if (on_signal) TRY(signals.start(proxied_signals()));
  while (true) {
    pollfd wait[] = {{end_fd, POLLIN, 0}, {signals.fd(), POLLIN, 0}};
    if (::poll(wait, 2, -1) < 0 && errno != EINTR) return Error::from_errno(errno, "poll");
    if (wait[1].revents != 0)
      while (int signal = signals.next()) on_signal(signal);
    if (wait[0].revents != 0) return {};
  }
}

}  // namespace minke::monitor
