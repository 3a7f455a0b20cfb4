// Sources and sinks on descriptors, and a source that runs ahead on a thread of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "codec/stream.h"
#include "codec/tar_reader.h"
#include "sys/fd.h"

namespace minke::imagework {

// A descriptor from its position to its end (a pipe), or by pread a part of a regular file.
class FdSource final : public ByteSource {
 public:
  explicit FdSource(int fd);
  FdSource(int fd, std::uint64_t offset, std::uint64_t size);
  Result<std::string_view> next() override;
  bool skip(std::uint64_t count) override;

 private:
  int fd_;
  bool by_offset_ = false;
  std::uint64_t offset_ = 0, left_ = UINT64_MAX;
  std::vector<char> buffer_;
};

// The data of the entry that `reader` stands at.
class MemberSource final : public ByteSource {
 public:
  explicit MemberSource(TarReader& reader) : reader_(reader) {}
  Result<std::string_view> next() override {
    TarReader::Piece piece = TRY(reader_.data());
    return piece.bytes;
  }

 private:
  TarReader& reader_;
};

class FdSink final : public ByteSink {
 public:
  FdSink(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  Status write(std::string_view bytes) override { return sys::write_all(fd_, bytes, name_); }

 private:
  int fd_;
  std::string name_;
};

// Gathers small writes: a tar is mostly blocks of 512 bytes.
class BufferedSink final : public ByteSink {
 public:
  explicit BufferedSink(int fd) : own_(std::in_place, fd, "the output"), sink_(*own_) {
    buffer_.reserve(kSize);
  }
  // `sink` must outlive this.
  explicit BufferedSink(ByteSink& sink) : sink_(sink) { buffer_.reserve(kSize); }
  Status write(std::string_view bytes) override {
    if (buffer_.size() + bytes.size() > kSize) TRY(flush());
    if (bytes.size() >= kSize) return sink_.write(bytes);
    buffer_ += bytes;
    return {};
  }
  Status flush() {
    if (buffer_.empty()) return {};
    TRY(sink_.write(buffer_));
    buffer_.clear();
    return {};
  }

 private:
  static constexpr std::size_t kSize = 256 << 10;
  std::optional<FdSink> own_;
  ByteSink& sink_;
  std::string buffer_;
};

// Runs a producer on a thread of its own, at most kBuffers chunks ahead of who takes them.
class ThreadedSource final : public ByteSource {
 public:
  using Producer = std::function<Status(ByteSink&)>;
  explicit ThreadedSource(Producer produce);
  // Pulls from `inner`, which must outlive this.
  explicit ThreadedSource(ByteSource& inner);
  ~ThreadedSource() override;
  Result<std::string_view> next() override;

 private:
  static constexpr std::size_t kBuffers = 8;
  class Ring;
  void run();
  Status put(std::string_view bytes);
  Producer produce_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> ring_;
  std::size_t filled_ = 0, taken_ = 0;  // counts since the beginning
  bool lent_ = false, ended_ = false, stop_ = false;
  std::optional<Error> error_;
  std::thread thread_;
};

// The head of `source` without losing it: the chunks read for `head()` come again from next().
class PeekSource final : public ByteSource {
 public:
  explicit PeekSource(ByteSource& source) : source_(source) {}
  Result<std::string_view> head(std::size_t size);  // shorter only at the end
  Result<std::string_view> next() override;
  bool skip(std::uint64_t count) override { return kept_.empty() && source_.skip(count); }

 private:
  ByteSource& source_;
  std::string kept_, given_;
};

}  // namespace minke::imagework
