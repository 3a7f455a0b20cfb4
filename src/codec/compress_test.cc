#include "codec/compress.h"

#include <gtest/gtest.h>

#include "base/str.h"
#include "codec/digest.h"

namespace minke {
namespace {

using namespace std::string_view_literals;

// "hello world\n" by gzip -n, bzip2, xz, zstd.
constexpr std::string_view kGzip =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x57\x28\xcf\x2f\xca\x49\xe1\x02"
    "\x00\x2d\x3b\x08\xaf"
    "\x0c\x00\x00\x00"sv;

Result<std::string> plain(std::string_view bytes, std::size_t step = SIZE_MAX) {
  MemorySource source(bytes, step);
  auto out = make_decompressor(detect_compression(bytes), source);
  std::string text;
  for (;;) {
    std::string_view piece = TRY(out->next());
    if (piece.empty()) return text;
    text += piece;
  }
}

class StringSink final : public ByteSink {
 public:
  Status write(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  std::string text;
};

TEST(Compress, Gzip) {
  for (std::size_t step : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    auto text = plain(kGzip, step);
    ASSERT_TRUE(text.ok()) << text.error().message();
    EXPECT_EQ(*text, "hello world\n");
  }
  // Several members are one stream, zeros may follow, anything else may not.
  EXPECT_EQ(plain(concat(kGzip, kGzip)).value_or(""), "hello world\nhello world\n");
  EXPECT_EQ(plain(concat(kGzip, std::string(100, '\0'))).value_or(""), "hello world\n");
  EXPECT_FALSE(plain(concat(kGzip, "garbage")).ok());
  for (std::size_t n = 3; n < kGzip.size(); ++n) EXPECT_FALSE(plain(kGzip.substr(0, n)).ok()) << n;
  std::string flipped(kGzip);
  flipped[15] ^= 4;
  EXPECT_FALSE(plain(flipped).ok());
}

TEST(Compress, GzipSinkRoundTrip) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += concat(i * 7919 % 1000, ",");
  StringSink a, b;
  for (StringSink* out : {&a, &b}) {
    GzipSink sink(*out);
    for (std::size_t i = 0; i < text.size(); i += 1000)
      ASSERT_TRUE(sink.write(std::string_view(text).substr(i, 1000)).ok());
    ASSERT_TRUE(sink.finish().ok());
  }
  EXPECT_EQ(a.text, b.text);
  EXPECT_LT(a.text.size(), text.size() / 2);
  EXPECT_EQ(plain(a.text).value_or(""), text);
}

TEST(Compress, Detects) {
  EXPECT_EQ(detect_compression("BZh91AY"), Compression::bzip2);
  EXPECT_EQ(detect_compression("\xfd"
                               "7zXZ\0"sv),
            Compression::xz);
  EXPECT_EQ(detect_compression("\x28\xb5\x2f\xfd"), Compression::zstd);
  EXPECT_EQ(detect_compression("\x5e\x2a\x4d\x18"), Compression::zstd);
  EXPECT_EQ(detect_compression(""), Compression::none);
  EXPECT_EQ(detect_compression("ustar"), Compression::none);
  EXPECT_FALSE(plain("BZh9garbage").ok());
  EXPECT_FALSE(plain("\xfd"
                     "7zXZ\0garbagegarbage"sv)
                   .ok());
  EXPECT_FALSE(plain("\x28\xb5\x2f\xfdgarbage").ok());
}

TEST(Digest, KnownValues) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Hasher hasher(HashKind::sha512);
  hasher.update("a");
  hasher.update("bc");
  EXPECT_EQ(hasher.hex().substr(0, 32), "ddaf35a193617abacc417349ae204131");
}

}  // namespace
}  // namespace minke
