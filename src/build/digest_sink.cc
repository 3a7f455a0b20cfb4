#include "build/digest_sink.h"

#include <unistd.h>

#include <algorithm>

#include "base/str.h"

namespace minke::build {

// Each with its length in front, so that no two lists of texts are the same bytes.
DigestSink& DigestSink::note(std::string_view text) {
  hasher_.update(concat(text.size(), ":"));
  hasher_.update(text);
  return *this;
}

Status DigestSink::add(const TarEntry& entry, int fd) {
  note(entry.path).note(concat(static_cast<int>(entry.type), " ", entry.mode)).note(entry.link);
  if (owners_ == OwnerRule::counted) note(concat(entry.uid, ":", entry.gid));
  if (entry.type == TarEntry::Type::char_device || entry.type == TarEntry::Type::block_device)
    note(concat(entry.major, ":", entry.minor));
  for (const auto& [name, value] : entry.xattrs) note(name).note(value);
  return fd < 0 ? Status() : add_content(entry, fd);
}

// Holes count as what they read as: whether a file has some says nothing of its content.
Status DigestSink::add_content(const TarEntry& entry, int fd) {
  note(concat(entry.size));
  if (entry.size >= FileDigests::kLeast) {
    note(TRY(files_.digest_of(fd, entry.path)));
    return {};
  }
  buffer_.resize(FileDigests::kLeast);
  for (std::uint64_t at = 0; at < entry.size;) {
    const auto want = std::min<std::uint64_t>(entry.size - at, buffer_.size());
    ssize_t n = ::pread(fd, buffer_.data(), want, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, concat("read ", entry.path));
    if (n == 0) return Error(Errc::conflict, concat(entry.path, ": changed while it was read"));
    hasher_.update({buffer_.data(), static_cast<std::size_t>(n)});
    at += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace minke::build
