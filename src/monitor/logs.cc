#include "monitor/logs.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "monitor/log_reader.h"
#include "monitor/logs_journald.h"
#include "sys/fd.h"

namespace minke::monitor {
namespace {

constexpr int kPollMs = 100;
constexpr std::size_t kBlock = 64 << 10;

struct OpenLog {
  sys::UniqueFd fd;
  dev_t device = 0;
  ino_t inode = 0;
  TimeNs changed = 0;
  bool is(const struct stat& info) const { return info.st_dev == device && info.st_ino == inode; }
};

// Reads the current file and its rotated predecessors as one stream. A file keeps its descriptor
// while it is being read, so a rotation in between loses nothing and repeats nothing.
class FileReader {
 public:
  FileReader(const LogPlan& log, LogFormat format, const LogQuery& query,
             const std::function<bool(const LogLine&)>& on_line)
      : log_(log), format_(format), query_(query), on_line_(on_line) {}
  Status run();

 private:
  std::string name(int i) const { return i == 0 ? log_.path : concat(log_.path, '.', i); }
  Result<std::optional<OpenLog>> open_log(int i) const;
  Status open_all();
  Status seek_tail();
  Result<bool> read_more();  // true when something was read; stopped_ may be set
  void take_records(std::string_view block);
  void take_record(std::string_view record);
  Result<bool> next_file();
  Status follow();

  const LogPlan& log_;
  LogFormat format_;
  const LogQuery& query_;
  const std::function<bool(const LogLine&)>& on_line_;
  std::vector<OpenLog> files_;     // oldest first; the front one is being read
  std::string carry_;              // of an unfinished record
  std::int64_t skip_[2] = {0, 0};  // records of stdout and stderr before the tail
  bool stopped_ = false;
};

Result<std::optional<OpenLog>> FileReader::open_log(int i) const {
  auto fd = sys::open(name(i), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) {
    if (fd.error().sys() == ENOENT) return std::optional<OpenLog>();
    return std::move(fd.error());
  }
  struct stat info {};
  if (::fstat(fd->get(), &info) < 0) return Error::from_errno(errno, concat("stat ", name(i)));
  if (!S_ISREG(info.st_mode))
    return Error(Errc::unsupported, concat("log ", name(i), " is no regular file"));
  OpenLog log;
  log.fd = std::move(*fd);
  log.device = info.st_dev;
  log.inode = info.st_ino;
  log.changed = info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec;
  return std::optional<OpenLog>(std::move(log));
}

// Newest first: a file that is rotated between two opens is then seen twice, never missed.
Status FileReader::open_all() {
  for (int i = 0; i < std::max(1, log_.max_files); ++i) {
    auto log = TRY(open_log(i));
    if (!log) {
      if (i > 0) break;
      continue;  // rotating at this moment, or never written
    }
    struct stat info {};
    ::fstat(log->fd.get(), &info);
    bool seen =
        std::any_of(files_.begin(), files_.end(), [&](const OpenLog& o) { return o.is(info); });
    if (!seen) files_.insert(files_.begin(), std::move(*log));
  }
  if (query_.since)
    while (files_.size() > 1 && files_.front().changed < *query_.since)
      files_.erase(files_.begin());
  return {};
}

Status FileReader::seek_tail() {
  std::int64_t wanted = *query_.tail;
  if (wanted <= 0) {
    if (files_.size() > 1) files_.erase(files_.begin(), files_.end() - 1);
    if (!files_.empty()) ::lseek(files_.back().fd.get(), 0, SEEK_END);
    return {};
  }
  TailFinder tail(format_, wanted);
  for (std::size_t i = files_.size(); i-- > 0;) {
    std::int64_t start = TRY(tail.find(files_[i].fd.get()));
    ::lseek(files_[i].fd.get(), start, SEEK_SET);
    if (tail.done()) {
      files_.erase(files_.begin(), files_.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }
  std::copy(std::begin(tail.to_skip()), std::end(tail.to_skip()), skip_);
  return {};
}

void FileReader::take_record(std::string_view record) {
  auto line = parse_record(format_, record);
  if (!line) return;
  if (std::int64_t& left = skip_[line->is_stderr ? 1 : 0]; left > 0) {
    --left;
    return;
  }
  if (query_.since && line->time < *query_.since) return;
  if (query_.until && line->time > *query_.until) return;
  if (!on_line_(*line)) stopped_ = true;
}

void FileReader::take_records(std::string_view block) {
  while (!block.empty() && !stopped_) {
    std::size_t newline = block.find('\n');
    if (newline == std::string_view::npos) {
      carry_ += block;
      if (carry_.size() > kMaxRecord) carry_.clear();
      return;
    }
    if (carry_.empty()) {
      take_record(block.substr(0, newline));
    } else {
      carry_ += block.substr(0, newline);
      take_record(carry_);
      carry_.clear();
    }
    block.remove_prefix(newline + 1);
  }
}

Result<bool> FileReader::read_more() {
  static char buffer[kBlock];
  bool any = false;
  while (!stopped_ && !files_.empty()) {
    ssize_t n = ::read(files_.front().fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, concat("read ", log_.path));
    if (n > 0) {
      any = true;
      take_records({buffer, static_cast<std::size_t>(n)});
      continue;
    }
    // A log of one file only is emptied in place of being rotated.
    struct stat info {};
    if (::fstat(files_.front().fd.get(), &info) == 0 &&
        info.st_size < ::lseek(files_.front().fd.get(), 0, SEEK_CUR)) {
      ::lseek(files_.front().fd.get(), 0, SEEK_SET);
      continue;
    }
    if (files_.size() == 1 && !TRY(next_file())) break;
    if (files_.size() > 1) {
      files_.erase(files_.begin());
      carry_.clear();
    }
  }
  return any;
}

// At the end of the newest file known: what the log's name means now. True when there is a newer
// file, and the present one is complete.
Result<bool> FileReader::next_file() {
  struct stat info {};
  OpenLog& last = files_.back();
  if (::stat(log_.path.c_str(), &info) < 0 || last.is(info)) return false;
  // It was renamed away after its last write; that write may have come after our read.
  char more;
  if (::pread(last.fd.get(), &more, 1, ::lseek(last.fd.get(), 0, SEEK_CUR)) == 1) return true;
  std::vector<OpenLog> newer;
  for (int i = 0; i < std::max(1, log_.max_files); ++i) {
    auto log = TRY(open_log(i));
    if (!log) continue;
    struct stat now {};
    ::fstat(log->fd.get(), &now);
    if (last.is(now)) break;
    newer.insert(newer.begin(), std::move(*log));
  }
  for (OpenLog& log : newer) files_.push_back(std::move(log));
  return files_.size() > 1;
}

Status FileReader::follow() {
  sys::UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ino_t watched = 0;
  while (!stopped_) {
    // Asked before the read: what was written before the end is then read after it was seen.
    bool last = query_.ended && query_.ended();
    if (files_.empty()) TRY(open_all());
    if (!TRY(read_more())) {
      if (last || stopped_) return {};
      if (query_.until && now() > *query_.until) return {};
    }
    if (!files_.empty() && files_.front().inode != watched) {
      watched = files_.front().inode;
      ::inotify_add_watch(watch.get(), concat("/proc/self/fd/", files_.front().fd.get()).c_str(),
                          IN_MODIFY);
      continue;  // what came before the watch
    }
    // Rotation, and the end, are noticed at the timeout at the latest.
    pollfd wait{watch.get(), POLLIN, 0};
    ::poll(&wait, 1, last ? 0 : kPollMs);
    char events[4096];
    while (::read(watch.get(), events, sizeof events) > 0) {
    }
  }
  return {};
}

Status FileReader::run() {
  TRY(open_all());
  if (query_.tail) TRY(seek_tail());
  if (query_.follow) return follow();
  TRY(read_more());
  return {};
}

}  // namespace

Status read_logs(const LogPlan& log, const std::string& container_id, const LogQuery& query,
                 const std::function<bool(const LogLine&)>& on_line) {
  if (log.driver == "k8s-file" || log.driver == "json-file") {
    LogFormat format = log.driver == "json-file" ? LogFormat::json : LogFormat::k8s;
    return FileReader(log, format, query, on_line).run();
  }
  if (log.driver == "journald") return read_journal(container_id, query, on_line);
  if (log.driver == "none" || log.driver.starts_with("passthrough"))
    return Error(Errc::unsupported,
                 concat("this container is using the '", log.driver,
                        "' log driver, cannot read logs: this container is not logging output"));
  return Error(Errc::unsupported, concat("log driver ", quote(log.driver), " is not supported"));
}

}  // namespace minke::monitor
