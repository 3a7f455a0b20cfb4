// Entries into a tar stream.
#pragma once

#include <string>
#include <vector>

#include "codec/tar_writer.h"
#include "imagework/source.h"
#include "imagework/tree_reader.h"

namespace minke::imagework {

class TarSink final : public EntrySink {
 public:
  TarSink(ByteSink& out, std::vector<std::string>* notes)
      : writer_(out), notes_(notes), buffer_(kBufferSize) {}
  Status add(const TarEntry& entry, int fd) override;
  Status finish() { return writer_.finish(); }

 private:
  static constexpr std::size_t kBufferSize = 256 << 10;
  Status copy_extent(int fd, TarEntry::Extent extent, const std::string& path);
  TarWriter writer_;
  std::vector<std::string>* notes_;
  std::vector<char> buffer_;
};

}  // namespace minke::imagework
