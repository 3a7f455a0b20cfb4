// volume import: an archive into a folder that somebody else may be changing at the same time.
// Every entry is put in place by the descriptor of its parent, resolved beneath the folder.
#include "codec/compress.h"
#include "codec/tar_reader.h"
#include "imagework/extract.h"
#include "imagework/source.h"
#include "imagework/verbs.h"

namespace minke::imagework {

Status unpack_archive(int input, int folder, bool rootless, std::vector<std::string>* notes) {
  FdSource bytes(input);
  PeekSource peek(bytes);
  std::string_view head = TRY(peek.head(kMagicSize));
  if (head.empty()) return Error(Errc::corrupt, "the archive is empty");
  std::unique_ptr<ByteSource> plain = make_decompressor(detect_compression(head), peek);
  Extractor extractor(folder, rootless, limits_from_environment(), Extractor::Kind::folder);
  TarReader reader(*plain);
  TarEntry entry;
  while (TRY(reader.next(&entry))) TRY(extractor.apply(entry, reader));
  TRY(extractor.finish());
  TRY(reader.drain());
  notes->insert(notes->end(), extractor.notes().begin(), extractor.notes().end());
  return {};
}

}  // namespace minke::imagework
