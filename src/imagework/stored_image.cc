#include "imagework/stored_image.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/str.h"
#include "store/layout.h"

namespace minke::imagework {

using sys::UniqueFd;

Result<UniqueFd> open_blob(int store, const oci::Digest& digest) {
  auto fd = sys::open_beneath(store, concat(store::kBlobsDir, "/", digest.hex()).c_str(), O_RDONLY,
                              0, true);
  if (!fd) return std::move(fd.error()).wrap(concat("blob ", digest.str()));
  return fd;
}

Error damaged_blob(const oci::Digest& digest) {
  return {Errc::corrupt,
          concat("blob ", digest.str(), " is damaged on disk; remove the image and get it again")};
}

static Result<std::string> read_blob(int store, const oci::Digest& digest) {
  UniqueFd fd = TRY(open_blob(store, digest));
  std::string bytes = TRY(sys::read_all(fd.get(), 16 << 20, digest.str()));
  if (sha256_hex(bytes) != digest.hex()) return damaged_blob(digest);
  return bytes;
}

Result<SavedImage> read_image(int store, const store::WorkerImage& request) {
  SavedImage image;
  image.request = &request;
  image.manifest_json = TRY(read_blob(store, request.manifest));
  image.manifest = TRY(oci::parse_manifest(image.manifest_json));
  image.config_json = TRY(read_blob(store, image.manifest.config.digest));
  image.config = TRY(oci::parse_image_config(image.config_json));
  if (image.config.diff_ids.size() != image.manifest.layers.size())
    return Error(Errc::corrupt, concat("image ", image.manifest.config.digest.hex(),
                                       ": its config and manifest disagree"));
  return image;
}

Result<std::unique_ptr<PlainLayer>> PlainLayer::open(int store, const oci::Digest& blob) {
  auto layer = std::make_unique<PlainLayer>();
  layer->digest_ = blob;
  layer->fd_ = TRY(open_blob(store, blob));
  layer->file_ = std::make_unique<FdSource>(layer->fd_.get());
  layer->peek_ = std::make_unique<PeekSource>(*layer->file_);
  Compression compression = detect_compression(TRY(layer->peek_->head(kMagicSize)));
  layer->plain_ = make_decompressor(compression, *layer->peek_);
  layer->hashing_ = std::make_unique<HashingSource>(*layer->plain_);
  return layer;
}

namespace {

Status pack(ByteSource& plain, ByteSink& out, const Packing& how) {
  auto copy = [&plain](auto& sink) -> Status {
    for (std::string_view chunk = TRY(plain.next()); !chunk.empty(); chunk = TRY(plain.next()))
      TRY(sink.write(chunk));
    return sink.finish();
  };
  if (how.format == Compression::zstd) {
    ZstdSink zstd(out, how.level == 0 ? 3 : how.level);
    return copy(zstd);
  }
  GzipSink gzip(out, how.level == 0 ? 6 : how.level);
  return copy(gzip);
}

}  // namespace

Status pack_layer(int store, int dir, const oci::Digest& diff_id, const Packing& how,
                  oci::Descriptor* layer) {
  auto plain = TRY(PlainLayer::open(store, layer->digest));
  std::string temporary = concat("tmp-", diff_id.hex());
  UniqueFd fd =
      TRY(sys::open_beneath(dir, temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644, true));
  FdSink file(fd.get(), temporary);
  {
    // Reading, decompressing and hashing run ahead on a thread of their own.
    ThreadedSource ahead(plain->source());
    TRY(pack(ahead, file, how));
  }
  TRY(plain->check(diff_id));
  FdSource written(fd.get(), 0, static_cast<std::uint64_t>(::lseek(fd.get(), 0, SEEK_END)));
  HashingSource hashing(written);
  while (!TRY(hashing.next()).empty()) {
  }
  layer->size = static_cast<std::int64_t>(hashing.size());
  layer->digest = oci::Digest::sha256(hashing.hex());
  layer->media_type = how.format == Compression::zstd ? oci::kMediaLayerZstd : oci::kMediaLayerGzip;
  if (::renameat(dir, temporary.c_str(), dir, std::string(layer->digest.hex()).c_str()) < 0)
    return Error::from_errno(errno, concat("rename ", temporary));
  return {};
}

}  // namespace minke::imagework
