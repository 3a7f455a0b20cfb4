// Decompression and gzip compression of streams: gzip, bzip2, xz, zstd, found by their first bytes.
// The libraries are linked statically and only into what calls this.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/stream.h"

namespace minke {

enum class Compression { none, gzip, bzip2, xz, zstd };
const char* compression_name(Compression kind);  // "gzip", ...; "none"

// By magic; `head` should hold at least the first kMagicSize bytes when there are so many.
constexpr std::size_t kMagicSize = 6;
Compression detect_compression(std::string_view head);

// The plain bytes of `input` (which must outlive the result). Several streams one after the other
// are one, as with the command line tools. Truncated or damaged input is corrupt; memory of the
// window is bounded (xz and zstd 128 MiB).
std::unique_ptr<ByteSource> make_decompressor(Compression kind, ByteSource& input);

// gzip of what is written, deterministic (no name, no time). finish() must be called once.
class GzipSink final : public ByteSink {
 public:
  explicit GzipSink(ByteSink& output, int level = 6);
  ~GzipSink() override;
  Status write(std::string_view bytes) override;
  Status finish();

 private:
  Status run(std::string_view bytes, int flush);
  struct State;
  std::unique_ptr<State> state_;
};

// zstd of what is written, deterministic. finish() must be called once.
class ZstdSink final : public ByteSink {
 public:
  explicit ZstdSink(ByteSink& output, int level = 3);
  ~ZstdSink() override;
  Status write(std::string_view bytes) override;
  Status finish();

 private:
  Status run(std::string_view bytes, bool end);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace minke
