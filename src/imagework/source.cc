#include "imagework/source.h"

#include <unistd.h>

#include <algorithm>

namespace minke::imagework {

namespace {
constexpr std::size_t kChunk = 256 << 10;
}

FdSource::FdSource(int fd) : fd_(fd), buffer_(kChunk) {
  struct stat st {};
  off_t at = ::lseek(fd, 0, SEEK_CUR);
  by_offset_ = at >= 0 && ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
  if (by_offset_) offset_ = static_cast<std::uint64_t>(at);
}

FdSource::FdSource(int fd, std::uint64_t offset, std::uint64_t size)
    : fd_(fd), by_offset_(true), offset_(offset), left_(size), buffer_(kChunk) {}

Result<std::string_view> FdSource::next() {
  std::size_t want = std::min<std::uint64_t>(left_, buffer_.size());
  if (want == 0) return std::string_view();
  ssize_t n;
  do {
    n = by_offset_ ? ::pread(fd_, buffer_.data(), want, static_cast<off_t>(offset_))
                   : ::read(fd_, buffer_.data(), want);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Error::from_errno(errno, "read of the input");
  auto count = static_cast<std::size_t>(n);
  offset_ += count;
  if (left_ != UINT64_MAX) {
    if (count == 0) return Error(Errc::corrupt, "unexpected end of the input");
    left_ -= count;
  }
  return std::string_view(buffer_.data(), count);
}

bool FdSource::skip(std::uint64_t count) {
  if (!by_offset_ || count > left_) return false;
  struct stat st {};
  // A skip past the end must be seen as truncation, which only a read finds.
  if (::fstat(fd_, &st) < 0 || offset_ > static_cast<std::uint64_t>(st.st_size) ||
      count > static_cast<std::uint64_t>(st.st_size) - offset_)
    return false;
  offset_ += count;
  if (left_ != UINT64_MAX) left_ -= count;
  return true;
}

class ThreadedSource::Ring final : public ByteSink {
 public:
  explicit Ring(ThreadedSource& owner) : owner_(owner) {}
  Status write(std::string_view bytes) override { return owner_.put(bytes); }

 private:
  ThreadedSource& owner_;
};

ThreadedSource::ThreadedSource(Producer produce)
    : produce_(std::move(produce)), ring_(kBuffers), thread_([this] { run(); }) {}

ThreadedSource::ThreadedSource(ByteSource& inner)
    : ThreadedSource([&inner](ByteSink& out) -> Status {
        for (;;) {
          std::string_view chunk = TRY(inner.next());
          if (chunk.empty()) return {};
          TRY(out.write(chunk));
        }
      }) {}

ThreadedSource::~ThreadedSource() {
  {
    std::lock_guard guard(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ThreadedSource::run() {
  Ring ring(*this);
  Status done = produce_(ring);
  std::lock_guard guard(mutex_);
  if (!done) error_ = std::move(done.error());
  ended_ = true;
  changed_.notify_all();
}

Status ThreadedSource::put(std::string_view bytes) {
  if (bytes.empty()) return {};  // an empty chunk would be the end
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stop_ || filled_ - taken_ < kBuffers; });
  if (stop_) return Error(Errc::internal, "nobody reads any more");
  std::string& slot = ring_[filled_ % kBuffers];
  lock.unlock();
  slot.assign(bytes);
  lock.lock();
  ++filled_;
  changed_.notify_all();
  return {};
}

Result<std::string_view> ThreadedSource::next() {
  std::unique_lock lock(mutex_);
  if (lent_) {
    ++taken_;
    lent_ = false;
    changed_.notify_all();
  }
  changed_.wait(lock, [this] { return ended_ || filled_ != taken_; });
  if (filled_ != taken_) {
    lent_ = true;
    return std::string_view(ring_[taken_ % kBuffers]);
  }
  if (error_) return *error_;
  return std::string_view();
}

Result<std::string_view> PeekSource::head(std::size_t size) {
  while (kept_.size() < size) {
    std::string_view piece = TRY(source_.next());
    if (piece.empty()) break;
    kept_ += piece;
  }
  return std::string_view(kept_);
}

Result<std::string_view> PeekSource::next() {
  if (kept_.empty()) return source_.next();
  given_ = std::move(kept_);
  kept_.clear();
  return std::string_view(given_);
}

}  // namespace minke::imagework
