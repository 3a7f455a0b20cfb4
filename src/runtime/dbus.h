// The little of D-Bus that starting a systemd scope needs: one connection, method calls, one
// signal. https://dbus.freedesktop.org/doc/dbus-specification.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::runtime {

// Builds a message body in little-endian wire form; alignment is counted from the body's begin.
class DbusWriter {
 public:
  void align(std::size_t to) { data_.resize((data_.size() + to - 1) / to * to); }
  void byte(std::uint8_t v) { data_.push_back(static_cast<char>(v)); }
  void u32(std::uint32_t v);
  void u64(std::uint64_t v);
  void text(std::string_view v);       // s and o
  void signature(std::string_view v);  // g
  // Length-prefixed array whose items are aligned to `item_alignment`; end_array takes what
  // begin_array gave.
  std::size_t begin_array(std::size_t item_alignment);
  void end_array(std::size_t mark);
  const std::string& data() const { return data_; }

 private:
  std::string data_;
  std::vector<std::size_t> starts_;
};

class DbusReader {
 public:
  explicit DbusReader(std::string_view data) : data_(data) {}
  bool failed() const { return failed_; }
  void align(std::size_t to);
  std::uint8_t byte();
  std::uint32_t u32();
  std::string text();
  std::string signature();
  void skip(const char** type);  // one complete value of that signature
  std::size_t at() const { return at_; }

 private:
  std::string_view data_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

struct DbusMessage {
  std::uint8_t type = 0;  // 1 call, 2 answer, 3 error, 4 signal
  std::uint32_t reply_serial = 0;
  std::string path, interface_, member, error_name, signature, body;
};

class DbusConnection {
 public:
  // systemd of the machine, or of the user.
  static Result<DbusConnection> open(bool user);
  // Answers are waited for at most `timeout_ms`; signals that come meanwhile are kept for
  // wait_signal().
  Result<DbusMessage> call(std::string_view path, std::string_view interface_,
                           std::string_view member, std::string_view signature,
                           const std::string& body, int timeout_ms = 25000);
  Result<DbusMessage> wait_signal(std::string_view member, int timeout_ms = 25000);

 private:
  Status authenticate();
  Result<DbusMessage> receive(std::int64_t deadline_ns);
  Result<std::string> read_exactly(std::size_t size, std::int64_t deadline_ns);
  sys::UniqueFd socket_;
  std::uint32_t serial_ = 0;
  std::vector<DbusMessage> signals_;
};

}  // namespace minke::runtime
