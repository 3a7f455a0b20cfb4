// Entries as one digest: names, kinds, modes, contents, links, extended attributes; no times, and
// owners only where they are kept.
#pragma once

#include <string>
#include <vector>

#include "build/file_digests.h"
#include "codec/digest.h"
#include "imagework/tree_reader.h"

namespace minke::build {

class DigestSink final : public imagework::EntrySink {
 public:
  enum class OwnerRule { left_out, counted };
  // `files` knows large ones; it outlives this.
  DigestSink(OwnerRule owners, FileDigests& files) : owners_(owners), files_(files) {}
  Status add(const TarEntry& entry, int fd) override;
  // Something that is no entry.
  DigestSink& note(std::string_view text);
  std::string hex() { return hasher_.hex(); }

 private:
  Status add_content(const TarEntry& entry, int fd);
  OwnerRule owners_;
  FileDigests& files_;
  Hasher hasher_;
  std::vector<char> buffer_;
};

}  // namespace minke::build
