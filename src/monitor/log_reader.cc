#include "monitor/log_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/str.h"
#include "codec/json.h"

namespace minke::monitor {
namespace {

constexpr std::size_t kBlock = 64 << 10;
// How far back the first piece of a line is looked for when the other stream has been written
// since.
constexpr std::int64_t kLookBack = 1 << 20;

struct JsonRecord {
  std::string log, stream, time;
};
void bind(json::Binder& b, JsonRecord& r) {
  b("log", r.log);
  b("stream", r.stream);
  b("time", r.time);
}

std::optional<LogLine> parse_k8s(std::string_view record) {
  auto time_end = record.find(' ');
  if (time_end == std::string_view::npos) return std::nullopt;
  auto time = parse_rfc3339(record.substr(0, time_end));
  std::string_view rest = record.substr(time_end + 1);
  // "stdout F text"; the blank behind the tag is there for an empty text too.
  if (!time || rest.size() < 9 || rest[6] != ' ' || rest[8] != ' ') return std::nullopt;
  LogLine line;
  line.time = *time;
  line.is_stderr = rest.starts_with("stderr");
  if (!line.is_stderr && !rest.starts_with("stdout")) return std::nullopt;
  if (rest[7] != 'F' && rest[7] != 'P') return std::nullopt;
  line.partial = rest[7] == 'P';
  line.text = rest.substr(9);
  return line;
}

std::optional<LogLine> parse_json(std::string_view record) {
  auto parsed = json::parse_struct<JsonRecord>(record);
  if (!parsed) return std::nullopt;
  auto time = parse_rfc3339(parsed->time);
  if (!time) return std::nullopt;
  LogLine line;
  line.time = *time;
  line.is_stderr = parsed->stream == "stderr";
  line.partial = !parsed->log.ends_with('\n');
  if (!line.partial) parsed->log.pop_back();
  line.text = std::move(parsed->log);
  return line;
}

// What counts of a record, without reading all of it.
struct Mark {
  bool is_stderr = false, ends_line = false;
};
std::optional<Mark> mark_of(LogFormat format, std::string_view record) {
  if (format == LogFormat::json) {
    auto stream = record.find("\",\"stream\":\"std");
    if (stream == std::string_view::npos) return std::nullopt;
    // "\n" is a line end, "\\n" the text of somebody who writes about them.
    std::string_view text = record.substr(0, stream);
    bool newline = text.ends_with('n');
    if (newline) text.remove_suffix(1);
    newline = newline && (text.size() - (text.find_last_not_of('\\') + 1)) % 2 == 1;
    return Mark{record.substr(stream + 15).starts_with("err"), newline};
  }
  auto time_end = record.find(' ');
  if (time_end == std::string_view::npos || time_end + 8 >= record.size()) return std::nullopt;
  return Mark{record.substr(time_end + 1).starts_with("stderr"), record[time_end + 8] == 'F'};
}

}  // namespace

std::optional<LogLine> parse_record(LogFormat format, std::string_view record) {
  return format == LogFormat::k8s ? parse_k8s(record) : parse_json(record);
}

bool TailFinder::take(std::string_view record) {
  auto mark = mark_of(format_, record);
  if (!mark) return false;
  const int stream = mark->is_stderr ? 1 : 0;
  At& at = at_[stream];
  // The end of a further line, or the newest line of its stream, which may have no end.
  if (mark->ends_line || at == At::nothing) {
    if (counted_ == wanted_) at = At::before;
    if (at != At::before) ++counted_, at = At::wanted_line;
  }
  if (at == At::before) ++passed_[stream];
  return at == At::wanted_line;
}

bool TailFinder::done() const {
  return counted_ == wanted_ &&
         ((at_[0] != At::wanted_line && at_[1] != At::wanted_line) || looked_back_ > kLookBack);
}

Result<std::int64_t> TailFinder::find(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) < 0) return Error::from_errno(errno, "stat log");
  std::int64_t position = info.st_size;  // start of what is in `text`
  std::string text;                      // from `position` on, up to the records already seen
  std::int64_t start = info.st_size;
  std::string block(kBlock, '\0');
  while (position > 0) {
    auto size = static_cast<std::size_t>(
        std::min<std::int64_t>(position, static_cast<std::int64_t>(kBlock)));
    ssize_t n = ::pread(fd, block.data(), size, position - static_cast<std::int64_t>(size));
    if (n < 0 && errno == EINTR) continue;
    if (n != static_cast<ssize_t>(size)) return Error::from_errno(n < 0 ? errno : EIO, "read log");
    position -= static_cast<std::int64_t>(size);
    text.insert(0, block.data(), size);
    // Whole records from the end; the first one in `text` may have its beginning in the block
    // before.
    while (!text.empty()) {
      std::size_t end = text.back() == '\n' ? text.size() - 1 : text.size();
      std::size_t newline = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
      bool whole = newline != std::string::npos || position == 0 || text.size() > kMaxRecord;
      if (!whole) break;
      std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
      if (take(std::string_view(text).substr(begin, end - begin))) {
        start = position + static_cast<std::int64_t>(begin);
        std::copy(std::begin(passed_), std::end(passed_), skip_);
      }
      if (counted_ == wanted_) looked_back_ += static_cast<std::int64_t>(text.size() - begin);
      if (done()) return start;
      text.resize(begin);
    }
  }
  return start;
}

}  // namespace minke::monitor
