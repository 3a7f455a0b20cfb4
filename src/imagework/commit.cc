// commit: a container's tree becomes a layer, and an image on top of its own.
#include <unistd.h>

#include "base/str.h"
#include "codec/digest.h"
#include "imagework/tar_sink.h"
#include "imagework/verbs.h"
#include "store/layout.h"

namespace minke::imagework {
namespace {

// Paths of opaque directories, each ended by NUL: overlay's marks are read by who may read them.
Result<std::unordered_set<std::string>> read_opaque(int staging,
                                                    const std::string& name = store::kOpaqueFile) {
  std::unordered_set<std::string> paths;
  sys::UniqueFd file = TRY(sys::open_beneath(staging, name.c_str(), O_RDONLY, 0, true));
  std::string text = TRY(sys::read_all(file.get(), std::size_t{1} << 30, name));
  for (std::string_view path : split(text, '\0'))
    if (!path.empty()) paths.emplace(path);
  return paths;
}

// The tree as tar, written on a thread of its own.
ThreadedSource::Producer tar_of(int tree, TreeOptions options, std::vector<std::string>* notes) {
  return [=, options = std::move(options)](ByteSink& out) mutable -> Status {
    BufferedSink buffered(out);
    TarSink sink(buffered, notes);
    TRY(TreeReader(sink, std::move(options), notes).read(tree));
    TRY(sink.finish());
    return buffered.flush();
  };
}

// A layer that is in the store, unpacked, as a blob.
Status pack_layer(Session& session, const store::WorkerLayer& layer, int staging,
                  std::vector<std::string>* notes) {
  std::string path = concat(store::kLayersDir, "/", layer.chain_id, "/", store::kDiffDir);
  sys::UniqueFd tree =
      TRY(sys::open_beneath(session.store(), path.c_str(), O_RDONLY | O_DIRECTORY, 0, true));
  TreeOptions options;
  options.layer = options.one_mount = true;
  options.opaque = TRY(read_opaque(staging, concat(store::kOpaqueFile, "-", layer.chain_id)));
  ThreadedSource tar(tar_of(tree.get(), std::move(options), notes));
  return session.take_plain(tar, layer.diff_id);
}

}  // namespace

Status commit_tree(Session& session, const store::WorkerRequest& request, int tree, int staging) {
  TreeOptions options;
  options.owners = request.tree.read_as;
  options.layer = request.layer;
  options.one_mount = true;
  options.container_root = !request.layer;
  if (request.layer) options.opaque = TRY(read_opaque(staging));
  std::vector<std::string> notes;
  ThreadedSource tar(tar_of(tree, std::move(options), &notes));
  LayerBlob layer = TRY(session.take_layer(tar, {}));
  oci::Manifest base;
  if (!request.base_manifest.empty()) base = TRY(oci::parse_manifest(request.base_manifest));
  oci::ImageConfig config = TRY(oci::parse_image_config(request.config_json));
  config.diff_ids.push_back(layer.diff_id);
  std::string config_json = oci::dump_image_config(config);
  oci::Manifest manifest;
  manifest.media_type = oci::kMediaManifest;
  manifest.layers = base.layers;
  manifest.config.media_type = oci::kMediaConfig;
  manifest.config.digest = TRY(session.take_blob(config_json, {}));
  manifest.config.size = static_cast<std::int64_t>(config_json.size());
  oci::Descriptor& top = manifest.layers.emplace_back();
  top.media_type = oci::kMediaLayerTar;
  top.digest = layer.digest;
  top.size = layer.size;
  std::vector<std::string> names;
  if (!request.name.empty()) names.push_back(request.name);
  TRY(session.finish_image(manifest, oci::dump_manifest(manifest), config, std::move(names)));
  std::vector<std::string>& told = session.reply().notes;
  told.insert(told.end(), notes.begin(), notes.end());
  return {};
}

Status seal_tree(int tree, int staging, store::WorkerReply* reply) {
  TreeOptions options;
  options.layer = options.one_mount = true;
  options.opaque = TRY(read_opaque(staging));
  std::vector<std::string> notes;
  Hasher hasher(HashKind::sha256);
  {
    ThreadedSource tar(tar_of(tree, std::move(options), &notes));
    for (;;) {
      std::string_view piece = TRY(tar.next());
      if (piece.empty()) break;
      hasher.update(piece);
      reply->size += static_cast<std::int64_t>(piece.size());
    }
  }
  reply->diff_id = oci::Digest::sha256(hasher.hex());
  reply->notes.insert(reply->notes.end(), notes.begin(), notes.end());
  return {};
}

Status assemble_image(Session& session, const store::WorkerRequest& request, int staging) {
  std::vector<const store::WorkerLayer*> missing;
  for (const store::WorkerLayer& layer : request.layers) {
    bool known = !layer.blob.digest.empty() || session.has_blob(layer.diff_id);
    for (const store::WorkerLayer* other : missing)
      known = known || other->diff_id == layer.diff_id;
    if (!known) missing.push_back(&layer);
  }
  std::vector<std::vector<std::string>> notes(missing.size());
  TRY(session.parallel(missing.size(), [&](std::size_t i) {
    return pack_layer(session, *missing[i], staging, &notes[i]);
  }));
  oci::Manifest manifest;
  manifest.media_type = oci::kMediaManifest;
  manifest.annotations = request.annotations;
  for (const store::WorkerLayer& layer : request.layers) {
    oci::Descriptor& out = manifest.layers.emplace_back(layer.blob);
    if (!out.digest.empty()) continue;
    out.media_type = oci::kMediaLayerTar;
    out.digest = layer.diff_id;
    out.size = TRY(session.blob_size(layer.diff_id));
  }
  oci::ImageConfig config = TRY(oci::parse_image_config(request.config_json));
  manifest.config.media_type = oci::kMediaConfig;
  manifest.config.digest = TRY(session.take_blob(request.config_json, {}));
  manifest.config.size = static_cast<std::int64_t>(request.config_json.size());
  TRY(session.finish_image(manifest, oci::dump_manifest(manifest), config, request.names));
  return {};
}

}  // namespace minke::imagework
