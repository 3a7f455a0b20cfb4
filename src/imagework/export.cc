// Trees as tar: export, and cp to standard output.
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "imagework/tar_sink.h"
#include "imagework/verbs.h"

namespace minke::imagework {

Status TarSink::add(const TarEntry& entry, int fd) {
  TRY(writer_.add(entry));
  if (fd < 0 || entry.type != TarEntry::Type::file) return {};
  if (!entry.sparse) return copy_extent(fd, {0, entry.size}, entry.path);
  for (const TarEntry::Extent& extent : entry.extents) TRY(copy_extent(fd, extent, entry.path));
  return {};
}

Status TarSink::copy_extent(int fd, TarEntry::Extent extent, const std::string& path) {
  while (extent.size != 0) {
    std::size_t want = std::min<std::uint64_t>(extent.size, buffer_.size());
    ssize_t n;
    do {
      n = ::pread(fd, buffer_.data(), want, static_cast<off_t>(extent.offset));
    } while (n < 0 && errno == EINTR);
    if (n < 0) return Error::from_errno(errno, concat("read ", path));
    // A file that shrinks while it is read: the header has promised its size, so zeros follow.
    if (n == 0) {
      std::fill_n(buffer_.begin(), want, '\0');
      n = static_cast<ssize_t>(want);
      if (notes_->size() < 100) notes_->push_back(concat(path, ": file shrank while it was read"));
    }
    TRY(writer_.data({buffer_.data(), static_cast<std::size_t>(n)}));
    extent.offset += static_cast<std::uint64_t>(n);
    extent.size -= static_cast<std::uint64_t>(n);
  }
  return {};
}

Status write_tree(int root, int output, TreeOptions options, std::vector<std::string>* notes) {
  BufferedSink sink(output);
  TarSink tar(sink, notes);
  TRY(TreeReader(tar, std::move(options), notes).read(root));
  TRY(tar.finish());
  return sink.flush();
}

}  // namespace minke::imagework
