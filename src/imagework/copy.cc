// cp: trees and archives into a container or out of it.
#include "base/str.h"
#include "codec/compress.h"
#include "imagework/source.h"
#include "imagework/tree_sink.h"
#include "imagework/verbs.h"

namespace minke::imagework {
namespace {

Result<TreeSink> open_sink(int root, const store::WorkerTree& how,
                           std::vector<std::string>* notes) {
  PutOptions options;
  options.owners = how.write_as;
  options.overwrite = how.overwrite;
  options.skip_devices = how.skip_devices;
  options.make_folder = how.make_folder;
  return TreeSink::open(root, how.folder, std::move(options), notes);
}

}  // namespace

Status copy_tree(int source, int root, const store::WorkerTree& how,
                 std::vector<std::string>* notes) {
  TreeSink sink = TRY(open_sink(root, how, notes));
  TreeOptions options;
  options.name = how.name;
  options.owners = how.read_as;
  options.container_root = how.container_root;
  TRY(TreeReader(sink, std::move(options), notes).read(source));
  return sink.finish();
}

Status put_archive(int input, int root, const store::WorkerTree& how,
                   std::vector<std::string>* notes) {
  FdSource bytes(input);
  PeekSource peek(bytes);
  Compression compression = detect_compression(TRY(peek.head(kMagicSize)));
  std::unique_ptr<ByteSource> plain = make_decompressor(compression, peek);
  TarReader reader(*plain);
  TarEntry entry;
  auto first = reader.next(&entry);
  if (first ? !*first : first.error().code() == Errc::corrupt)
    return Error(how.make_folder ? Errc::unsupported : Errc::corrupt,
                 "source must be a (compressed) tar archive when copying from stdin");
  TRY(std::move(first));
  TreeSink sink = TRY(open_sink(root, how, notes));
  do TRY(sink.add_from(entry, reader));
  while (TRY(reader.next(&entry)));
  TRY(reader.drain());
  return sink.finish();
}

}  // namespace minke::imagework
