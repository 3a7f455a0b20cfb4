#include "monitor/log_writer.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::monitor {
namespace {

// Text of one record at most: what is read at once never exceeds it, and JSON's escapes (six bytes
// for one) still fit the buffer.
constexpr std::size_t kMaxPiece = 16 << 10;
constexpr std::size_t kRecordOverhead = 128;
// Records gather here, so that a chunk costs one write. It lies in .bss: pages count only once
// touched.
constexpr std::size_t kBufferSize = 192 << 10;
alignas(4096) char g_buffer[kBufferSize];
static_assert(kMaxPiece * 6 + kRecordOverhead < kBufferSize);

char* put(char* at, std::string_view text) { return at + text.copy(at, text.size()); }

char* put_digits(char* at, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return at + digits;
}

// A file of records, rotated between two of them.
class FileLog : public LogWriter {
 public:
  explicit FileLog(const LogPlan& plan)
      : path_(plan.path), max_size_(plan.max_size), max_files_(std::max(1, plan.max_files)) {}

  Status reopen() override {
    sys::UniqueFd fd = TRY(sys::open(path_, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0600));
    struct stat info {};
    if (::fstat(fd.get(), &info) < 0) return Error::from_errno(errno, concat("stat ", path_));
    regular_ = S_ISREG(info.st_mode);
    size_ = info.st_size;
    fd_ = std::move(fd);
    return {};
  }

  void idle() override {
    if (!touched_) return;
    ::madvise(g_buffer, kBufferSize, MADV_DONTNEED);
    touched_ = false;
  }

 protected:
  // Where the next record goes; at most kMaxPiece * 6 + kRecordOverhead bytes.
  char* begin_record() {
    if (kBufferSize - used_ < kMaxPiece * 6 + kRecordOverhead) flush();
    return g_buffer + used_;
  }
  void end_record(char* end) {
    std::size_t record = static_cast<std::size_t>(end - g_buffer) - used_;
    auto before = size_ + static_cast<std::int64_t>(used_);
    if (max_size_ > 0 && regular_ && before > 0 &&
        before + static_cast<std::int64_t>(record) > max_size_) {
      std::size_t start = used_;
      flush();
      rotate();
      std::memmove(g_buffer, g_buffer + start, record);
    }
    used_ += record;
  }
  void flush() {
    std::size_t done = 0;
    while (done < used_) {
      ssize_t n = ::write(fd_.get(), g_buffer + done, used_ - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    // A full disk: no half record is left for the next one to be glued to.
    if (done < used_ && done > 0 && regular_) {
      const void* last = ::memrchr(g_buffer, '\n', done);
      std::size_t whole = last == nullptr ? 0 : static_cast<const char*>(last) - g_buffer + 1;
      if (::ftruncate(fd_.get(), size_ + static_cast<std::int64_t>(whole)) == 0) done = whole;
    }
    size_ += static_cast<std::int64_t>(done);
    if (used_ > 4096) touched_ = true;
    used_ = 0;
  }

 private:
  // PATH becomes PATH.1, PATH.1 becomes PATH.2. A failure keeps the present file: too large is
  // better than lost.
  void rotate() {
    if (max_files_ == 1) {
      if (::ftruncate(fd_.get(), 0) == 0) size_ = 0;
      return;
    }
    for (int i = max_files_ - 1; i > 1; --i)
      ::rename(concat(path_, '.', i - 1).c_str(), concat(path_, '.', i).c_str());
    ::rename(path_.c_str(), concat(path_, ".1").c_str());
    ignore(reopen(), "the present file stays in use");
  }

  sys::UniqueFd fd_;
  std::string path_;
  std::int64_t size_ = 0, max_size_;
  int max_files_;
  bool regular_ = true, touched_ = false;
  std::size_t used_ = 0;
};

// conmon's format, which Kubernetes reads: "TIME stream F text", P for a piece that a next record
// goes on with.
class K8sLog final : public FileLog {
 public:
  using FileLog::FileLog;
  void write(Stream stream, std::string_view chunk, TimeNs now) override {
    make_head(stream, now);
    while (!chunk.empty()) {
      std::string_view window = chunk.substr(0, kMaxPiece);
      std::size_t newline = window.find('\n');
      bool full = newline != std::string_view::npos;
      std::string_view text = window.substr(0, full ? newline : window.size());
      record(text, full ? 'F' : 'P');
      partial_[index(stream)] = !full;
      chunk.remove_prefix(text.size() + (full ? 1 : 0));
    }
    flush();
  }
  void finish(Stream stream, TimeNs now) override {
    if (!std::exchange(partial_[index(stream)], false)) return;
    make_head(stream, now);
    record({}, 'F');
    flush();
  }

 private:
  static std::size_t index(Stream stream) { return static_cast<std::size_t>(stream); }
  void make_head(Stream stream, TimeNs now) {
    char* at = head_ + format_stamp(now, head_);
    at = put(at, stream == Stream::out ? "+00:00 stdout " : "+00:00 stderr ");
    head_size_ = static_cast<std::size_t>(at - head_);
  }
  void record(std::string_view text, char tag) {
    char* at = put(begin_record(), {head_, head_size_});
    *at++ = tag;
    *at++ = ' ';
    at = put(at, text);
    *at++ = '\n';
    end_record(at);
  }

  char head_[64];
  std::size_t head_size_ = 0;
  bool partial_[2] = {};
};

// Length of the UTF-8 character that starts at text[0] when it is whole and valid; 0 when more
// bytes may complete it; -1 when it never can be valid.
int utf8_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  int length = first < 0x80                    ? 1
               : first >= 0xc2 && first < 0xe0 ? 2
               : first >= 0xe0 && first < 0xf0 ? 3
               : first >= 0xf0 && first < 0xf5 ? 4
                                               : -1;
  if (length < 2) return length;
  for (int i = 1; i < length; ++i) {
    if (static_cast<std::size_t>(i) >= text.size()) return 0;
    unsigned char next = byte(static_cast<std::size_t>(i));
    unsigned char low = 0x80, high = 0xbf;
    if (i == 1) {
      if (first == 0xe0) low = 0xa0;
      if (first == 0xed) high = 0x9f;
      if (first == 0xf0) low = 0x90;
      if (first == 0xf4) high = 0x8f;
    }
    if (next < low || next > high) return -1;
  }
  return length;
}

// Docker's format: {"log":"text\n","stream":"stdout","time":"..."}; a piece of a line lacks the \n.
class JsonLog final : public FileLog {
 public:
  using FileLog::FileLog;
  void write(Stream stream, std::string_view chunk, TimeNs now) override {
    make_tail(stream, now);
    std::string& carry = carry_[static_cast<std::size_t>(stream)];
    std::string joined;
    if (!carry.empty()) {  // the beginning of a character that the last read cut through
      joined = concat(carry, chunk);
      chunk = joined;
      carry.clear();
    }
    while (!chunk.empty()) {
      std::size_t taken = record(chunk);
      if (taken == 0) {
        carry = chunk;
        break;
      }
      chunk.remove_prefix(taken);
    }
    flush();
  }
  void finish(Stream stream, TimeNs now) override {
    std::string& carry = carry_[static_cast<std::size_t>(stream)];
    if (carry.empty()) return;
    make_tail(stream, now);
    char* at = put(begin_record(), "{\"log\":\"\\ufffd\"");
    end_record(put(at, {tail_, tail_size_}));
    flush();
    carry.clear();
  }

 private:
  void make_tail(Stream stream, TimeNs now) {
    char* at = put(tail_, stream == Stream::out ? ",\"stream\":\"stdout\",\"time\":\""
                                                : ",\"stream\":\"stderr\",\"time\":\"");
    at += format_stamp(now, at);
    while (at[-1] == '0') --at;  // Go's RFC3339Nano
    if (at[-1] == '.') --at;
    at = put(at, "Z\"}\n");
    tail_size_ = static_cast<std::size_t>(at - tail_);
  }
  // One line or piece from the front of `chunk`; how much of it was taken, 0 when it is an
  // unfinished character.
  std::size_t record(std::string_view chunk) {
    static constexpr char kHex[] = "0123456789abcdef";
    char* start = begin_record();
    char* at = put(start, "{\"log\":\"");
    std::size_t i = 0;
    while (i < chunk.size() && i < kMaxPiece) {
      auto c = static_cast<unsigned char>(chunk[i]);
      if (c >= 0x80) {
        int length = utf8_length(chunk.substr(i));
        if (length == 0) break;
        if (length < 0) {
          at = put(at, "\\ufffd");
          ++i;
          continue;
        }
        at = put(at, chunk.substr(i, static_cast<std::size_t>(length)));
        i += static_cast<std::size_t>(length);
        continue;
      }
      ++i;
      if (c == '"' || c == '\\') {
        *at++ = '\\';
        *at++ = static_cast<char>(c);
      } else if (c >= 0x20 && c != 0x7f) {
        *at++ = static_cast<char>(c);
      } else if (c == '\n') {
        at = put(at, "\\n");
        break;
      } else if (c == '\t' || c == '\r') {
        at = put(at, c == '\t' ? "\\t" : "\\r");
      } else {
        at = put(at, "\\u00");
        *at++ = kHex[c >> 4];
        *at++ = kHex[c & 15];
      }
    }
    if (i == 0) return 0;
    *at++ = '"';
    end_record(put(at, {tail_, tail_size_}));
    return i;
  }

  std::string carry_[2];
  char tail_[80];
  std::size_t tail_size_ = 0;
};

}  // namespace

std::size_t format_stamp(TimeNs time, char out[32]) {
  std::int64_t seconds = time / kSecond;
  auto nanos = static_cast<unsigned>(time % kSecond);
  std::int64_t days = seconds / 86400;
  auto of_day = static_cast<unsigned>(seconds % 86400);
  // Howard Hinnant's civil_from_days, for dates after 1970.
  days += 719468;
  std::int64_t era = days / 146097;
  auto doe = static_cast<unsigned>(days - era * 146097);
  unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  unsigned mp = (5 * doy + 2) / 153;
  unsigned day = doy - (153 * mp + 2) / 5 + 1;
  unsigned month = mp < 10 ? mp + 3 : mp - 9;
  auto year = static_cast<unsigned>(yoe + era * 400 + (month <= 2 ? 1 : 0));
  char* at = put_digits(out, year, 4);
  *at++ = '-';
  at = put_digits(at, month, 2);
  *at++ = '-';
  at = put_digits(at, day, 2);
  *at++ = 'T';
  at = put_digits(at, of_day / 3600, 2);
  *at++ = ':';
  at = put_digits(at, of_day / 60 % 60, 2);
  *at++ = ':';
  at = put_digits(at, of_day % 60, 2);
  *at++ = '.';
  at = put_digits(at, nanos, 9);
  return static_cast<std::size_t>(at - out);
}

Result<std::unique_ptr<LogWriter>> LogWriter::open(const Plan& plan) {
  const std::string& driver = plan.log.driver;
  std::unique_ptr<LogWriter> log;
  if (driver == "none" || driver == "passthrough" || driver == "passthrough-tty") return log;
  if (driver == "k8s-file" || driver.empty()) {
    log = std::make_unique<K8sLog>(plan.log);
  } else if (driver == "json-file") {
    log = std::make_unique<JsonLog>(plan.log);
  } else if (driver == "journald") {
    sys::UniqueFd socket = TRY_CTX(connect_journal(), "log driver journald");
    return make_journald_log(plan, std::move(socket));
  } else {
    return Error(Errc::unsupported, concat("log driver ", quote(driver), " is not supported"));
  }
  TRY_CTX(log->reopen(), concat("log driver ", driver));
  return log;
}

}  // namespace minke::monitor
