// journald's native protocol: one datagram per record, FIELD=value lines, or FIELD, a 64-bit length
// and the bytes where the value may hold line ends (systemd.io/JOURNAL_NATIVE_PROTOCOL).
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

#include "base/str.h"
#include "monitor/log_writer.h"
#include "sys/fd.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

class JournaldLog final : public LogWriter {
 public:
  JournaldLog(const Plan& plan, sys::UniqueFd socket) : socket_(std::move(socket)) {
    // The fields of conmon; a line end in a name would start a field of the container's choice.
    fields_ = concat("CONTAINER_ID_FULL=", clean(plan.id),
                     "\nCONTAINER_ID=", clean(plan.id.substr(0, 12)),
                     "\nCONTAINER_NAME=", clean(plan.name), '\n');
    if (!plan.log.tag.empty()) fields_ += concat("CONTAINER_TAG=", clean(plan.log.tag), '\n');
    if (!plan.image_name.empty()) fields_ += concat("IMAGE_NAME=", clean(plan.image_name), '\n');
    fields_ +=
        concat("SYSLOG_IDENTIFIER=", clean(plan.log.tag.empty() ? plan.name : plan.log.tag), '\n');
  }

  void write(Stream stream, std::string_view chunk, TimeNs) override {
    bool& partial = partial_[static_cast<std::size_t>(stream)];
    while (!chunk.empty()) {
      std::size_t newline = chunk.find('\n');
      bool full = newline != std::string_view::npos;
      std::string_view text = chunk.substr(0, newline);
      if (!text.empty() || partial) send(stream, text, !full);
      partial = !full;
      chunk.remove_prefix(text.size() + (full ? 1 : 0));
    }
  }
  void finish(Stream stream, TimeNs) override {
    bool& partial = partial_[static_cast<std::size_t>(stream)];
    if (std::exchange(partial, false)) send(stream, {}, false);
  }
  Status reopen() override { return {}; }

 private:
  static std::string clean(std::string_view value) {
    std::string out(value);
    for (char& c : out)
      if (c == '\n') c = ' ';
    return out;
  }
  void send(Stream stream, std::string_view text, bool partial) {
    // err 3 and info 6 of syslog, as conmon sends them.
    std::string_view priority = stream == Stream::out ? "PRIORITY=6\n" : "PRIORITY=3\n";
    std::string_view more = partial ? "CONTAINER_PARTIAL_MESSAGE=true\n" : "";
    std::uint64_t size = text.size();
    iovec parts[] = {piece(fields_),       piece(priority), piece(more), piece("MESSAGE\n"),
                     {&size, sizeof size}, piece(text),     piece("\n")};
    msghdr header{};
    header.msg_iov = parts;
    header.msg_iovlen = std::size(parts);
    // It waits while the journal's queue is full, so no line is lost; a journal that has gone away
    // is reached again after its restart.
    for (int attempt = 0; attempt < 2; ++attempt) {
      ssize_t n;
      do {
        n = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
      } while (n < 0 && errno == EINTR);
      if (n >= 0 || (errno != ECONNREFUSED && errno != ENOTCONN)) return;
      auto again = connect_journal();
      if (!again) return;
      socket_ = std::move(*again);
    }
  }
  static iovec piece(std::string_view text) {
    return {const_cast<char*>(text.data()), text.size()};
  }

  sys::UniqueFd socket_;
  std::string fields_;
  bool partial_[2] = {};
};

}  // namespace

std::unique_ptr<LogWriter> make_journald_log(const Plan& plan, sys::UniqueFd socket) {
  return std::make_unique<JournaldLog>(plan, std::move(socket));
}

Result<sys::UniqueFd> connect_journal(const char* path) {
  return sys::connect_unix(path, SOCK_DGRAM);
}

}  // namespace minke::monitor
