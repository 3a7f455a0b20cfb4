// The system's journal, read through libsystemd where that is installed: it is loaded when it is
// needed, never linked.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace minke::monitor {

class Journal {
 public:
  // Of this machine. unsupported without libsystemd.
  static Result<Journal> open();
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  Status add_match(const std::string& match);  // "FIELD=value"; all must hold
  void seek_head();
  void seek_tail();
  void seek_time(TimeNs time);
  std::string cursor();                         // of the present entry
  void seek_cursor(const std::string& cursor);  // next() then gives that entry
  bool next();
  bool previous();
  // The value in the present entry, until the journal moves; empty without that field.
  std::string_view field(const char* name);
  TimeNs time();
  void wait(std::int64_t timeout_ms);  // until something is added

 private:
  struct Open;
  explicit Journal(std::unique_ptr<Open> open);
  std::unique_ptr<Open> open_;
};

}  // namespace minke::monitor
