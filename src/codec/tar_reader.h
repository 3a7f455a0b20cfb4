// Reads tar streams: v7, ustar, pax, GNU (long names, sparse files, base-256 numbers). Names are
// bytes and come out as they stand in the archive: nothing is converted, cleaned or followed. Not
// libarchive: that one sends names through the locale, and its limits are not ours to set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "codec/stream.h"

namespace minke {

struct TarEntry {
  enum class Type { file, hard_link, symlink, char_device, block_device, directory, fifo };
  struct Extent {
    std::uint64_t offset = 0, size = 0;
  };
  Type type = Type::file;
  std::string path, link;
  std::uint32_t mode = 0;  // permission bits with setuid, setgid, sticky
  std::uint64_t uid = 0, gid = 0, size = 0;
  TimeNs mtime = 0, atime = 0;
  bool has_atime = false;
  std::uint32_t major = 0, minor = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;
  bool sparse = false;
  std::vector<Extent> extents;  // of sparse files: where the data lies; the rest are holes
};

struct TarLimits {
  std::size_t header_bytes = 1 << 20;    // one pax header or long name (Go's limit)
  std::size_t special_headers = 64;      // that may stand before one entry
  std::size_t sparse_extents = 1 << 20;  // of one file
};

class TarReader {
 public:
  explicit TarReader(ByteSource& source, TarLimits limits = {})
      : source_(source), limits_(limits) {}

  // The next entry, after what is left of the data of the last one; false at the end of the
  // archive.
  Result<bool> next(TarEntry* entry);
  // A piece of the current entry's data, empty at its end; `offset` is its place in the file.
  struct Piece {
    std::uint64_t offset = 0;
    std::string_view bytes;
  };
  Result<Piece> data();
  // Reads what follows the end of the archive, so that digests and pipes see every byte.
  Status drain();
  // Bytes of the stream before the current entry's data.
  std::uint64_t offset() const { return offset_; }

 private:
  struct Pax;
  Status fill();
  Result<std::size_t> read_block(char* block);
  Result<std::string> read_special(std::uint64_t size);
  Status skip(std::uint64_t count);
  Status skip_rest();
  Status parse_pax(std::string_view text, Pax* pax) const;
  Status read_header(const char* block, const Pax& pax, TarEntry* entry);
  Status read_old_sparse_map(const char* block, TarEntry* entry);
  Status read_new_sparse_map(TarEntry* entry);
  Status check_extents(const TarEntry& entry) const;

  ByteSource& source_;
  TarLimits limits_;
  std::string_view chunk_;
  bool source_ended_ = false;
  std::uint64_t offset_ = 0;
  std::uint64_t data_left_ = 0, padding_ = 0;
  std::uint64_t position_ = 0;  // in the current file
  bool sparse_ = false;
  std::vector<TarEntry::Extent> extents_;  // of the current entry
  std::size_t extent_ = 0;
  std::string global_pax_;
};

}  // namespace minke
