// Copies between this process' stdio and a container's streams: the user's side of attach and of
// exec with a terminal.
#pragma once

#include <string_view>

#include "base/result.h"
#include "monitor/client.h"

namespace minke::monitor {

// Where the container's streams are.
class Transport {
 public:
  struct Received {
    enum class Kind { data, nothing, closed } kind = Kind::nothing;
    bool is_stderr = false;
    std::string_view data;  // valid until the next call
  };
  virtual ~Transport() = default;
  virtual int fd() const = 0;
  // Sends what fits now; how many bytes were taken, 0 when none could be. io when the other side is
  // gone.
  virtual Result<std::size_t> send(std::string_view data) = 0;
  virtual void send_eof() = 0;
  virtual void resize(unsigned short rows, unsigned short columns) = 0;
  virtual Result<Received> receive() = 0;
};

// Until the transport closes, the user detaches, or `end_fd` (a pidfd, or -1) becomes readable and
// nothing more comes. The local terminal is raw meanwhile when options.terminal, and is put back on
// every way out; a deadly signal that nobody takes (no on_signal) puts it back and then does what
// it does.
Result<AttachEnd> relay(Transport& transport, const AttachOptions& options, int end_fd);

// Waits until `end_fd` is readable and hands caught signals to `on_signal` meanwhile.
Status wait_handing_signals_on(int end_fd, const std::function<void(int)>& on_signal);

}  // namespace minke::monitor
