#include "base/str.h"
#include "imagework/source.h"
#include "imagework/verbs.h"

namespace minke::imagework {

Status import_rootfs(Session& session, const store::WorkerRequest& request, int input) {
  FdSource source(input);
  PeekSource peek(source);
  if (TRY(peek.head(1)).empty()) return Error(Errc::corrupt, "the archive is empty");
  LayerBlob layer = TRY(session.take_layer(peek, {}));
  oci::ImageConfig config;
  config.created = request.created;
  config.architecture = request.architecture;
  config.variant = request.variant;
  config.os = request.os;
  config.config =
      TRY_CTX(json::parse_struct<oci::ImageProcessConfig>(request.config_json), "change");
  config.diff_ids = {layer.diff_id};
  oci::History history;
  history.created = request.created;
  history.created_by = concat("/bin/sh -c #(nop) ADD file:", layer.diff_id.hex(), " in /");
  history.comment = request.message;
  config.history = {history};
  std::string config_json = oci::dump_image_config(config);
  oci::Manifest manifest;
  manifest.media_type = oci::kMediaManifest;
  manifest.config.media_type = oci::kMediaConfig;
  manifest.config.digest = TRY(session.take_blob(config_json, {}));
  manifest.config.size = static_cast<std::int64_t>(config_json.size());
  oci::Descriptor descriptor;
  descriptor.media_type = layer.compression == Compression::gzip   ? oci::kMediaLayerGzip
                          : layer.compression == Compression::zstd ? oci::kMediaLayerZstd
                                                                   : oci::kMediaLayerTar;
  descriptor.digest = layer.digest;
  descriptor.size = layer.size;
  manifest.layers = {descriptor};
  std::vector<std::string> names;
  if (!request.name.empty()) names.push_back(request.name);
  return session.finish_image(manifest, oci::dump_manifest(manifest), config, std::move(names));
}

}  // namespace minke::imagework
