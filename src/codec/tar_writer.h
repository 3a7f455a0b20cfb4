// Writes tar streams: ustar, with pax records where ustar has no room (long names, big numbers,
// fractions of a second, extended attributes, sparse files). The same entries give the same bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "codec/stream.h"
#include "codec/tar_reader.h"

namespace minke {

class TarWriter {
 public:
  explicit TarWriter(ByteSink& sink) : sink_(sink) {}
  // The header of `entry`; exactly entry.size bytes of data (for sparse files: those of the
  // extents) follow.
  Status add(const TarEntry& entry);
  Status data(std::string_view bytes);
  Status finish();  // the two blocks of zeros

 private:
  Status end_entry();
  ByteSink& sink_;
  std::uint64_t data_left_ = 0;
  std::size_t padding_ = 0;
};

}  // namespace minke
