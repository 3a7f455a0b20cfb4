// Bytes that are pulled through filters: file, decompressor, tar reader. A chunk is lent, never
// copied.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace minke {

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;
  // The next bytes, empty at the end; they are valid until the next call. A failed source stays
  // failed.
  virtual Result<std::string_view> next() = 0;
  // Passes over `count` bytes without reading them; false when this source cannot (then nothing
  // happened).
  virtual bool skip(std::uint64_t /*count*/) { return false; }
};

class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;
  virtual Status write(std::string_view bytes) = 0;
};

// Bytes in memory, in pieces of `step` (tests and fuzzers; small members).
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes, std::size_t step = SIZE_MAX)
      : rest_(bytes), step_(step) {}
  Result<std::string_view> next() override {
    std::string_view piece = rest_.substr(0, step_);
    rest_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view rest_;
  std::size_t step_;
};

}  // namespace minke
