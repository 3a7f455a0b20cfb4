// Records of the file log drivers, as they lie on disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "monitor/logs.h"
#include "sys/fd.h"

namespace minke::monitor {

enum class LogFormat { k8s, json };

// One record without its line end; nothing for what is no record (a line torn by a full disk,
// foreign text).
std::optional<LogLine> parse_record(LogFormat format, std::string_view record);

// Finds where the last lines of a log begin, file by file, the newest first. Lines are counted, not
// records: the pieces of one line count once, also where records of the other stream lie between.
class TailFinder {
 public:
  TailFinder(LogFormat format, std::int64_t wanted) : format_(format), wanted_(wanted) {}
  // Where the wanted part of this file begins; its size when nothing of it is wanted.
  Result<std::int64_t> find(int fd);
  bool done() const;
  // Records of stdout and stderr at the beginning of that part that belong to lines before it.
  const std::int64_t (&to_skip() const)[2] { return skip_; }

 private:
  bool take(std::string_view record);  // true: it belongs to a wanted line

  // Of one stream, going backwards: nothing seen of it, in a wanted line, or before all of those.
  enum class At { nothing, wanted_line, before };

  LogFormat format_;
  std::int64_t wanted_, counted_ = 0;
  At at_[2] = {At::nothing, At::nothing};
  std::int64_t passed_[2] = {0, 0}, skip_[2] = {0, 0};
  std::int64_t looked_back_ = 0;  // bytes since all lines were counted
};

// A record longer than this is cut: no file of ours has one.
constexpr std::size_t kMaxRecord = 1 << 20;

}  // namespace minke::monitor
