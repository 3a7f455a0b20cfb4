// gzip, bzip2, xz, zstd; the output is bounded, since a bomb is no fault of the decoder.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "codec/compress.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  minke::MemorySource source(bytes, size % 61 + 1);
  auto plain = minke::make_decompressor(minke::detect_compression(bytes), source);
  for (std::size_t total = 0; total < (std::size_t{8} << 20);) {
    auto chunk = plain->next();
    if (!chunk || chunk->empty()) break;
    total += chunk->size();
  }
  return 0;
}
