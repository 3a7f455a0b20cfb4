// commit: a container's tree becomes a layer, and an image on top of its own.
#include <unistd.h>

#include "base/str.h"
#include "imagework/tar_sink.h"
#include "imagework/verbs.h"
#include "store/layout.h"

namespace minke::imagework {
namespace {

// Paths of opaque directories, each ended by NUL: overlay's marks are read by who may read them.
Result<std::unordered_set<std::string>> read_opaque(int staging) {
  std::unordered_set<std::string> paths;
  sys::UniqueFd file = TRY(sys::open_beneath(staging, store::kOpaqueFile, O_RDONLY, 0, true));
  std::string text = TRY(sys::read_all(file.get(), std::size_t{1} << 30, store::kOpaqueFile));
  for (std::string_view path : split(text, '\0'))
    if (!path.empty()) paths.emplace(path);
  return paths;
}

Result<LayerBlob> take_tree(Session& session, int tree, TreeOptions options,
                            std::vector<std::string>* notes) {
  ThreadedSource tar([&](ByteSink& out) -> Status {
    BufferedSink buffered(out);
    TarSink sink(buffered, notes);
    TRY(TreeReader(sink, std::move(options), notes).read(tree));
    TRY(sink.finish());
    return buffered.flush();
  });
  return session.take_layer(tar, {});
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
  LayerBlob layer = TRY(take_tree(session, tree, std::move(options), &notes));
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

}  // namespace minke::imagework
