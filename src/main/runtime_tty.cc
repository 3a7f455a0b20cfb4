// A process in the foreground: its terminal relayed to ours, signals handed on, its exit code as
// ours.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "main/runtime_cli.h"
#include "sys/event_loop.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::runtime_cli {
namespace {

class RawTerminal {
 public:
  RawTerminal() {
    if (::tcgetattr(0, &before_) < 0) return;
    active_ = true;
    struct termios raw = before_;
    ::cfmakeraw(&raw);
    ::tcsetattr(0, TCSANOW, &raw);
  }
  ~RawTerminal() {
    if (active_) ::tcsetattr(0, TCSANOW, &before_);
  }

 private:
  struct termios before_ {};
  bool active_ = false;
};

void copy_size(int master) {
  struct winsize size;
  if (::ioctl(0, TIOCGWINSZ, &size) == 0) ::ioctl(master, TIOCSWINSZ, &size);
}

// False at the end of the data.
bool pump(int from, int to) {
  char buffer[8192];
  ssize_t n = ::read(from, buffer, sizeof buffer);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (n <= 0) return false;  // EIO: the last slave is closed
  return sys::write_all(to, {buffer, static_cast<std::size_t>(n)}).ok();
}

void hand_on(int signals, int pidfd, int master) {
  struct signalfd_siginfo info;
  if (::read(signals, &info, sizeof info) != sizeof info) return;
  auto number = static_cast<int>(info.ssi_signo);
  if (number == SIGWINCH && master >= 0) return copy_size(master);
  if (number == SIGCHLD) return;
  ::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0);
}

}  // namespace

Result<sys::UniqueFd> receive_master(int socket) {
  sys::Message message = TRY_CTX(sys::receive_message(socket, 4096), "terminal");
  if (message.fds.empty()) return Error(Errc::internal, "terminal: no descriptor came");
  return std::move(message.fds[0]);
}

Result<int> wait_in_foreground(pid_t pid, int pidfd, sys::UniqueFd master) {
  std::vector<int> numbers;
  for (int s :
       {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGTSTP, SIGWINCH, SIGALRM})
    numbers.push_back(s);
  sys::UniqueFd signals = TRY(sys::make_signalfd(numbers));
  std::optional<RawTerminal> raw;
  if (master) {
    raw.emplace();
    copy_size(master.get());
  }
  bool in = static_cast<bool>(master), out = in, ended = false;
  while (!ended) {
    struct pollfd polls[4] = {{pidfd, POLLIN, 0},
                              {signals.get(), POLLIN, 0},
                              {in ? 0 : -1, POLLIN, 0},
                              {out ? master.get() : -1, POLLIN, 0}};
    if (::poll(polls, 4, -1) < 0 && errno != EINTR) return Error::from_errno(errno, "poll");
    if (polls[1].revents != 0) hand_on(signals.get(), pidfd, master.get());
    if (polls[3].revents != 0 && !pump(master.get(), 1)) out = false;
    if (polls[2].revents != 0 && !pump(0, master.get())) in = false;
    ended = polls[0].revents != 0;
  }
  // What was written just before the end.
  while (out) {
    struct pollfd last {
      master.get(), POLLIN, 0
    };
    if (::poll(&last, 1, 0) <= 0 || !pump(master.get(), 1)) break;
  }
  int status = TRY(sys::wait_pid(pid));
  return sys::exit_code_of(status);
}

}  // namespace minke::runtime_cli
