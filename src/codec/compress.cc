#include "codec/compress.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/str.h"

namespace minke {
namespace {

constexpr std::size_t kOutput = 256 << 10;
constexpr int kMaxWindowLog = 27;  // zstd: 128 MiB
constexpr std::uint64_t kXzMemory = std::uint64_t{160} << 20;

Error damaged(Compression kind, std::string_view what) {
  return {Errc::corrupt, concat(compression_name(kind), ": ", what)};
}

// One library's decoder: consumes from `in`, produces into `out`, and says when a stream has ended.
class Decoder {
 public:
  virtual ~Decoder() = default;
  struct Step {
    std::size_t consumed = 0, produced = 0;
    bool stream_end = false;
  };
  // `at_end`: no input will follow.
  virtual Result<Step> step(std::string_view in, char* out, std::size_t room, bool at_end) = 0;
  virtual Status restart() = 0;  // ready for a following stream
};

class GzipDecoder final : public Decoder {
 public:
  ~GzipDecoder() override { inflateEnd(&z_); }
  Status restart() override {
    inflateEnd(&z_);
    z_ = {};
    if (inflateInit2(&z_, 15 + 16) != Z_OK) return Error(Errc::internal, "gzip: out of memory");
    return {};
  }
  Result<Step> step(std::string_view in, char* out, std::size_t room, bool) override {
    auto limit = static_cast<uInt>(std::min<std::size_t>(in.size(), 1U << 30));
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    z_.avail_in = limit;
    z_.next_out = reinterpret_cast<Bytef*>(out);
    z_.avail_out = static_cast<uInt>(room);
    int rc = inflate(&z_, Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
      return damaged(Compression::gzip, z_.msg != nullptr ? z_.msg : "damaged data");
    return Step{limit - z_.avail_in, room - z_.avail_out, rc == Z_STREAM_END};
  }

 private:
  z_stream z_{};
};

class Bzip2Decoder final : public Decoder {
 public:
  ~Bzip2Decoder() override { BZ2_bzDecompressEnd(&z_); }
  Status restart() override {
    BZ2_bzDecompressEnd(&z_);
    z_ = {};
    if (BZ2_bzDecompressInit(&z_, 0, 0) != BZ_OK)
      return Error(Errc::internal, "bzip2: out of memory");
    return {};
  }
  Result<Step> step(std::string_view in, char* out, std::size_t room, bool) override {
    auto limit = static_cast<unsigned>(std::min<std::size_t>(in.size(), 1U << 30));
    z_.next_in = const_cast<char*>(in.data());
    z_.avail_in = limit;
    z_.next_out = out;
    z_.avail_out = static_cast<unsigned>(room);
    int rc = BZ2_bzDecompress(&z_);
    if (rc != BZ_OK && rc != BZ_STREAM_END) return damaged(Compression::bzip2, "damaged data");
    return Step{limit - z_.avail_in, room - z_.avail_out, rc == BZ_STREAM_END};
  }

 private:
  bz_stream z_{};
};

class XzDecoder final : public Decoder {
 public:
  ~XzDecoder() override { lzma_end(&z_); }
  Status restart() override {
    if (lzma_stream_decoder(&z_, kXzMemory, 0) != LZMA_OK)
      return Error(Errc::internal, "xz: out of memory");
    return {};
  }
  Result<Step> step(std::string_view in, char* out, std::size_t room, bool) override {
    z_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    z_.avail_in = in.size();
    z_.next_out = reinterpret_cast<std::uint8_t*>(out);
    z_.avail_out = room;
    lzma_ret rc = lzma_code(&z_, LZMA_RUN);
    if (rc == LZMA_MEMLIMIT_ERROR)
      return damaged(Compression::xz, "needs more memory than 160 MiB");
    if (rc != LZMA_OK && rc != LZMA_STREAM_END && rc != LZMA_BUF_ERROR)
      return damaged(Compression::xz, "damaged data");
    return Step{in.size() - z_.avail_in, room - z_.avail_out, rc == LZMA_STREAM_END};
  }

 private:
  lzma_stream z_ = LZMA_STREAM_INIT;
};

class ZstdDecoder final : public Decoder {
 public:
  ~ZstdDecoder() override { ZSTD_freeDStream(z_); }
  Status restart() override {
    if (z_ == nullptr) z_ = ZSTD_createDStream();
    if (z_ == nullptr || ZSTD_isError(ZSTD_initDStream(z_)) ||
        ZSTD_isError(ZSTD_DCtx_setParameter(z_, ZSTD_d_windowLogMax, kMaxWindowLog)))
      return Error(Errc::internal, "zstd: out of memory");
    return {};
  }
  Result<Step> step(std::string_view in, char* out, std::size_t room, bool) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out, room, 0};
    std::size_t rc = ZSTD_decompressStream(z_, &output, &input);
    if (ZSTD_isError(rc)) return damaged(Compression::zstd, ZSTD_getErrorName(rc));
    return Step{input.pos, output.pos, rc == 0};
  }

 private:
  ZSTD_DStream* z_ = nullptr;
};

class Decompressor final : public ByteSource {
 public:
  Decompressor(Compression kind, std::unique_ptr<Decoder> decoder, ByteSource& input)
      : kind_(kind), decoder_(std::move(decoder)), input_(input), buffer_(kOutput) {}

  Result<std::string_view> next() override {
    std::size_t filled = 0;
    while (filled < buffer_.size()) {
      if (rest_.empty() && !input_ended_) {
        rest_ = TRY(input_.next());
        input_ended_ = rest_.empty();
      }
      if (!in_stream_) {
        // xz pads between streams with zeros, tape tools pad gzip files the same way.
        if (started_)
          while (!rest_.empty() && rest_.front() == '\0') rest_.remove_prefix(1);
        if (rest_.empty() && !input_ended_) continue;
        if (rest_.empty()) {
          if (!started_) return damaged(kind_, "empty input");
          break;
        }
        TRY(decoder_->restart());
        in_stream_ = started_ = true;
      }
      Decoder::Step step = TRY(
          decoder_->step(rest_, buffer_.data() + filled, buffer_.size() - filled, input_ended_));
      rest_.remove_prefix(step.consumed);
      filled += step.produced;
      if (step.stream_end)
        in_stream_ = false;
      else if (input_ended_ && rest_.empty() && step.produced == 0)
        return damaged(kind_, "truncated data");
      else if (step.consumed == 0 && step.produced == 0 && !rest_.empty())
        return damaged(kind_, "damaged data");
    }
    return std::string_view(buffer_.data(), filled);
  }

 private:
  Compression kind_;
  std::unique_ptr<Decoder> decoder_;
  ByteSource& input_;
  std::vector<char> buffer_;
  std::string_view rest_;
  bool started_ = false, in_stream_ = false, input_ended_ = false;
};

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(ByteSource& input) : input_(input) {}
  Result<std::string_view> next() override { return input_.next(); }

 private:
  ByteSource& input_;
};

}  // namespace

const char* compression_name(Compression kind) {
  constexpr const char* kNames[] = {"none", "gzip", "bzip2", "xz", "zstd"};
  return kNames[static_cast<int>(kind)];
}

Compression detect_compression(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("\x1f\x8b"sv)) return Compression::gzip;
  if (head.starts_with("BZh"sv)) return Compression::bzip2;
  if (head.starts_with("\xfd"
                       "7zXZ\0"sv))
    return Compression::xz;
  // A zstd frame, or a skippable one as zstd:chunked puts in front.
  if (head.starts_with("\x28\xb5\x2f\xfd"sv)) return Compression::zstd;
  if (head.size() >= 4 && (head[0] & 0xf0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18"sv)
    return Compression::zstd;
  return Compression::none;
}

std::unique_ptr<ByteSource> make_decompressor(Compression kind, ByteSource& input) {
  std::unique_ptr<Decoder> decoder;
  switch (kind) {
    case Compression::none:
      return std::make_unique<PlainSource>(input);
    case Compression::gzip:
      decoder = std::make_unique<GzipDecoder>();
      break;
    case Compression::bzip2:
      decoder = std::make_unique<Bzip2Decoder>();
      break;
    case Compression::xz:
      decoder = std::make_unique<XzDecoder>();
      break;
    case Compression::zstd:
      decoder = std::make_unique<ZstdDecoder>();
      break;
  }
  return std::make_unique<Decompressor>(kind, std::move(decoder), input);
}

struct GzipSink::State {
  ByteSink* output;
  z_stream z{};
  std::vector<char> buffer = std::vector<char>(kOutput);
  bool ready = false;
};

GzipSink::GzipSink(ByteSink& output, int level) : state_(std::make_unique<State>()) {
  state_->output = &output;
  state_->ready =
      deflateInit2(&state_->z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
}
GzipSink::~GzipSink() { deflateEnd(&state_->z); }

Status GzipSink::run(std::string_view bytes, int flush) {
  if (!state_->ready) return Error(Errc::internal, "gzip: out of memory");
  z_stream& z = state_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  int rc;
  do {
    z.next_out = reinterpret_cast<Bytef*>(state_->buffer.data());
    z.avail_out = static_cast<uInt>(state_->buffer.size());
    rc = deflate(&z, flush);
    std::size_t produced = state_->buffer.size() - z.avail_out;
    if (produced != 0) TRY(state_->output->write({state_->buffer.data(), produced}));
  } while (z.avail_in != 0 || z.avail_out == 0 || (flush == Z_FINISH && rc != Z_STREAM_END));
  return {};
}

Status GzipSink::write(std::string_view bytes) {
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, std::size_t{1} << 30);
    TRY(run(piece, Z_NO_FLUSH));
    bytes.remove_prefix(piece.size());
  }
  return {};
}
Status GzipSink::finish() { return run({}, Z_FINISH); }

}  // namespace minke
