// The attach socket as its clients use it.
#include <sys/socket.h>
#include <sys/uio.h>

#include <memory>

#include "base/str.h"
#include "monitor/client.h"
#include "monitor/protocol.h"
#include "monitor/relay.h"
#include "monitor/wire.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

// One frame, whole or not at all. 0 when the socket is full.
Result<std::size_t> send_frame(int fd, Frame type, std::string_view data, int flags) {
  iovec parts[] = {{&type, 1}, {const_cast<char*>(data.data()), data.size()}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  ssize_t n;
  do {
    n = ::sendmsg(fd, &header, MSG_NOSIGNAL | flags);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::size_t{0};
  if (n < 0) return Error::from_errno(errno, "attach");
  return data.size();
}

std::string size_payload(unsigned short rows, unsigned short columns) {
  std::string out;
  for (unsigned short number : {rows, columns}) {
    out += static_cast<char>(number & 0xff);
    out += static_cast<char>(number >> 8);
  }
  return out;
}

class AttachTransport final : public Transport {
 public:
  explicit AttachTransport(int fd) : fd_(fd), buffer_(std::make_unique<char[]>(kMaxFrame)) {}
  int fd() const override { return fd_; }
  Result<std::size_t> send(std::string_view data) override {
    return send_frame(fd_, Frame::stdin_data, data.substr(0, kMaxFrame - 1), MSG_DONTWAIT);
  }
  void send_eof() override {
    // In order behind all data; the socket cannot be so full that it never takes one byte.
    ignore(send_frame(fd_, Frame::stdin_eof, {}, 0), "the monitor is gone: receive() says so");
  }
  void resize(unsigned short rows, unsigned short columns) override {
    ignore(send_frame(fd_, Frame::resize, size_payload(rows, columns), MSG_DONTWAIT), "as above");
  }
  Result<Received> receive() override {
    ssize_t n;
    do {
      // ECONNRESET comes once, before what is still queued: the monitor closed with input of ours
      // unread.
      n = ::recv(fd_, buffer_.get(), kMaxFrame, MSG_DONTWAIT);
    } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    Received out;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return out;
    if (n < 0) return Error::from_errno(errno, "attach");
    out.kind = Received::Kind::closed;
    if (n == 0) return out;
    std::string_view frame(buffer_.get(), static_cast<std::size_t>(n));
    switch (static_cast<Frame>(frame[0])) {
      case Frame::stderr_data:
        out.is_stderr = true;
        [[fallthrough]];
      case Frame::stdout_data:
        out.kind = Received::Kind::data;
        out.data = frame.substr(1);
        return out;
      case Frame::cut_off:
        return Error(
            Errc::unavailable,
            "attach: the output was read too slowly and is cut off here; the container goes on");
      case Frame::refused:
        return Error(Errc::conflict, std::string(frame.substr(1)));
      case Frame::done:
        out.kind = Received::Kind::nothing;
        return out;
      case Frame::attach:
      case Frame::stdin_data:
      case Frame::stdin_eof:
      case Frame::resize:
      case Frame::reopen_logs:
      case Frame::replan:
      case Frame::start:
        break;
    }
    return Error(Errc::corrupt, concat("attach: unknown frame ", static_cast<int>(frame[0])));
  }

 private:
  int fd_;
  std::unique_ptr<char[]> buffer_;
};

Result<sys::UniqueFd> connect_monitor(const std::string& run_dir) {
  auto fd = sys::connect_unix(concat(run_dir, "/attach"), SOCK_SEQPACKET);
  if (fd) return fd;
  int why = fd.error().sys();
  if (why == ENOENT || why == ECONNREFUSED)
    return Error(Errc::conflict, "the container is not running");
  return fd;
}

Status ask(const std::string& run_dir, Frame type, std::string_view payload) {
  sys::UniqueFd fd = TRY(connect_monitor(run_dir));
  TRY(send_frame(fd.get(), type, payload, 0));
  sys::Message answer = TRY(sys::receive_message(fd.get()));
  if (answer.data.empty()) return Error(Errc::unavailable, "the container's monitor went away");
  if (static_cast<Frame>(answer.data[0]) == Frame::done) return {};
  return Error(Errc::conflict, answer.data.substr(1));
}

}  // namespace

Result<sys::UniqueFd> connect_attach(const std::string& run_dir, bool with_stdin) {
  sys::UniqueFd fd = TRY(connect_monitor(run_dir));
  char flags = kAttachOutput | (with_stdin ? kAttachStdin : 0);
  TRY(send_frame(fd.get(), Frame::attach, {&flags, 1}, 0));
  return fd;
}

Result<AttachEnd> run_attach(int attach_fd, const AttachOptions& options) {
  AttachTransport transport(attach_fd);
  return relay(transport, options, -1);
}

Status resize(const std::string& run_dir, unsigned short rows, unsigned short columns) {
  return ask(run_dir, Frame::resize, size_payload(rows, columns));
}

Status reopen_logs(const std::string& run_dir) { return ask(run_dir, Frame::reopen_logs, {}); }

Status replan(const std::string& run_dir, RestartPlan restart, HealthPlan health) {
  std::string payload = pack(Verb::plan, restart, health);
  if (payload.size() >= kMaxFrame)
    return Error(Errc::invalid_argument,
                 "the health check is too long for a running container: stop it first");
  return ask(run_dir, Frame::replan, payload);
}

Status start_created(const std::string& run_dir) { return ask(run_dir, Frame::start, {}); }

}  // namespace minke::monitor
