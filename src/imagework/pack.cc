// pack: an image as a registry is to get it: plain layers packed, media types of one dialect. What
// changes is left in the staging directory; nothing becomes part of the store.
#include "base/str.h"
#include "imagework/stored_image.h"
#include "imagework/verbs.h"

namespace minke::imagework {
namespace {

Compression packed_as(std::string_view media_type) {
  if (media_type == oci::kMediaLayerGzip) return Compression::gzip;
  if (media_type == oci::kMediaLayerZstd) return Compression::zstd;
  return Compression::none;
}

}  // namespace

Status pack_image(Session& session, const store::WorkerRequest& request) {
  if (request.images.size() != 1) return Error(Errc::internal, "pack: not one image");
  SavedImage image = TRY(read_image(session.store(), request.images[0]));
  bool docker = request.format == "v2s2";
  Packing how;
  if (request.packing.format == "zstd") how.format = Compression::zstd;
  how.level = static_cast<int>(request.packing.level);
  if (docker && how.format == Compression::zstd)
    return Error(Errc::invalid_argument,
                 "the format v2s2 knows no zstd: use --format oci, or gzip");
  oci::Manifest& manifest = image.manifest;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    Compression now = packed_as(manifest.layers[i].media_type);
    bool unknown = docker && now == Compression::zstd;
    if (now == Compression::none || unknown || (request.packing.force && now != how.format))
      places.push_back(i);
  }
  TRY(session.parallel(places.size(), [&](std::size_t n) {
    std::size_t i = places[n];
    return pack_layer(session.store(), session.blobs_folder(), image.config.diff_ids[i], how,
                      &manifest.layers[i]);
  }));
  manifest.media_type = oci::kMediaManifest;
  if (docker) {
    manifest.annotations.clear();
    manifest.media_type = oci::docker_media_type(oci::kMediaManifest);
    manifest.config.media_type = oci::docker_media_type(oci::kMediaConfig);
    for (oci::Descriptor& layer : manifest.layers)
      layer.media_type = oci::docker_media_type(layer.media_type);
  }
  std::string json = oci::dump_manifest(manifest);
  store::WorkerResult result;
  result.manifest.media_type = manifest.media_type;
  result.manifest.digest = TRY(session.take_blob(json, {}));
  result.manifest.size = static_cast<std::int64_t>(json.size());
  result.id = manifest.config.digest.hex();
  session.reply().images.push_back(std::move(result));
  return {};
}

}  // namespace minke::imagework
