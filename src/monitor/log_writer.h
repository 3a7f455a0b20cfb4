// Where a container's output is kept: one writer per log driver. Reading it back is logs.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "monitor/plan.h"

namespace minke::monitor {

enum class Stream : unsigned char { out = 0, err = 1 };

class LogWriter {
 public:
  // unsupported for an unknown driver; nothing (null) for none and passthrough.
  static Result<std::unique_ptr<LogWriter>> open(const Plan& plan);
  virtual ~LogWriter() = default;
  // One chunk as it was read: whole lines and, where its end is none, a partial record. A failure
  // to write loses records, never the container: it is not reported.
  virtual void write(Stream stream, std::string_view chunk, TimeNs now) = 0;
  // The stream has ended: closes a partial line.
  virtual void finish(Stream stream, TimeNs now) = 0;
  // Opens the file by its name again, after somebody moved it away.
  virtual Status reopen() = 0;
  // Gives memory of a burst back while nothing happens.
  virtual void idle() {}
};

// "2006-01-02T15:04:05.999999999" of `time` in UTC, 29 characters, without the C library's time
// zone machinery (it reads files and costs the monitor memory). Returns the length.
std::size_t format_stamp(TimeNs time, char out[32]);

std::unique_ptr<LogWriter> make_journald_log(const Plan& plan, sys::UniqueFd socket);
// A socket connected to the journal; `path` is another place than journald's own only in tests.
Result<sys::UniqueFd> connect_journal(const char* path = "/run/systemd/journal/socket");

}  // namespace minke::monitor
