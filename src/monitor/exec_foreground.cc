// Exec in the foreground: the command itself joins the container and waits. Without a terminal the
// process gets the caller's own descriptors, so that nothing is copied.
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "base/str.h"
#include "monitor/client.h"
#include "monitor/protocol.h"
#include "monitor/relay.h"
#include "oci/spec.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

// The master of a pseudo-terminal; the process behind it is of this process' own children.
class TerminalTransport final : public Transport {
 public:
  explicit TerminalTransport(sys::UniqueFd master)
      : master_(std::move(master)), buffer_(std::make_unique<char[]>(kMaxFrame)) {}
  int fd() const override { return master_.get(); }
  Result<std::size_t> send(std::string_view data) override {
    ssize_t n;
    do {
      n = ::write(master_.get(), data.data(), data.size());
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::size_t{0};
    if (n < 0) return Error::from_errno(errno, "write to the terminal");
    return static_cast<std::size_t>(n);
  }
  void send_eof() override {}  // a terminal has no end: ctrl-d is typed
  void resize(unsigned short rows, unsigned short columns) override {
    winsize size{rows, columns, 0, 0};
    ::ioctl(master_.get(), TIOCSWINSZ, &size);
  }
  Result<Received> receive() override {
    ssize_t n;
    do {
      n = ::read(master_.get(), buffer_.get(), kMaxFrame);
    } while (n < 0 && errno == EINTR);
    Received out;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return out;
    // EIO: nobody has the other side open any more.
    out.kind = n <= 0 ? Received::Kind::closed : Received::Kind::data;
    if (n > 0) out.data = {buffer_.get(), static_cast<std::size_t>(n)};
    return out;
  }

 private:
  sys::UniqueFd master_;
  std::unique_ptr<char[]> buffer_;
};

// The user has gone, the process has not: somebody must hold its terminal, or it gets a hang-up,
// and read what it prints, or it stops.
void leave_holder(int master) {
  // Our end may hang up this process group before the child has left it.
  auto before = ::signal(SIGHUP, SIG_IGN);
  pid_t child = ::fork();
  if (child != 0) {
    ::signal(SIGHUP, before);
    return;
  }
  ::setsid();
  sys::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = 0; fd < 3; ++fd) ::dup2(null.get(), fd);
  pollfd wait{master, POLLIN, 0};
  char discarded[4096];
  while (::poll(&wait, 1, -1) >= 0 || errno == EINTR) {
    ssize_t n = ::read(master, discarded, sizeof discarded);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) break;
  }
  ::_exit(0);
}

Result<int> exec_with_terminal(ExecForeground& exec, bool* detached) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return Error::from_errno(errno, "socketpair");
  sys::UniqueFd ours(pair[0]), theirs(pair[1]);
  // The program may ask for the size at once, before the first resize below.
  oci::Process process = *exec.request.process;
  winsize size{};
  if (!process.console_size && ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
    process.console_size = oci::ConsoleSize{size.ws_row, size.ws_col};
  exec.request.process = &process;
  exec.request.console_socket = theirs.get();
  runtime::Execed execed = TRY(runtime::exec(exec.request));
  if (exec.on_started) exec.on_started();
  theirs.reset();
  sys::Message message = TRY(sys::receive_message(ours.get(), 4096));
  if (message.fds.empty())
    return Error(Errc::internal, "the terminal of the process did not arrive");
  int master = message.fds[0].get();
  TRY(sys::set_nonblocking(master, true));
  TerminalTransport transport(std::move(message.fds[0]));
  AttachEnd end = TRY(relay(transport, exec.attach, execed.pidfd.get()));
  if (end == AttachEnd::detached) {
    *detached = true;
    leave_holder(master);
    return 0;
  }
  // The terminal may be closed by a process that goes on.
  TRY(wait_handing_signals_on(execed.pidfd.get(), exec.attach.on_signal));
  return sys::exit_code_of(TRY(sys::wait_pid(execed.pid)));
}

}  // namespace

Result<int> exec_foreground(ExecForeground& exec, bool* detached) {
  *detached = false;
  if (exec.request.process->terminal) return exec_with_terminal(exec, detached);
  sys::UniqueFd null = TRY(sys::open("/dev/null", O_RDWR));
  const bool wanted[3] = {exec.attach.stdin_, exec.attach.stdout_, exec.attach.stderr_};
  for (int i = 0; i < 3; ++i)
    if (!wanted[i]) exec.request.stdio[i] = null.get();
  runtime::Execed execed = TRY(runtime::exec(exec.request));
  if (exec.on_started) exec.on_started();
  TRY(wait_handing_signals_on(execed.pidfd.get(), exec.attach.on_signal));
  return sys::exit_code_of(TRY(sys::wait_pid(execed.pid)));
}

}  // namespace minke::monitor
