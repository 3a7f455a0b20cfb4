#include "store/worker_protocol.h"

namespace minke::store {
namespace {

void bind_digest(json::Binder& b, const char* key, oci::Digest& digest) {
  std::string text = digest.str();
  b(key, text);
  if (!b.reading() || text.empty()) return;
  auto parsed = oci::Digest::parse(text);
  if (parsed)
    digest = std::move(*parsed);
  else
    b.fail_at(key, parsed.error().message());
}

}  // namespace

void bind(json::Binder& b, WorkerImage& image) {
  bind_digest(b, "manifest", image.manifest);
  b("names", image.names);
  b("chainIds", image.chain_ids);
}
void bind(json::Binder& b, WorkerIdRange& range) {
  b("from", range.from);
  b("to", range.to);
  b("count", range.count);
}
void bind(json::Binder& b, WorkerOwners& owners) {
  b("fixed", owners.fixed);
  b("uid", owners.uid);
  b("gid", owners.gid);
  b("uids", owners.uids);
  b("gids", owners.gids);
}
void bind(json::Binder& b, WorkerTree& tree) {
  b("name", tree.name);
  b("readAs", tree.read_as);
  b("writeAs", tree.write_as);
  b("containerRoot", tree.container_root);
  b("makeFolder", tree.make_folder);
  b("folder", tree.folder);
  b("overwrite", tree.overwrite);
  b("skipDevices", tree.skip_devices);
}
void bind(json::Binder& b, WorkerLayer& layer) {
  b("chainId", layer.chain_id);
  bind_digest(b, "diffId", layer.diff_id);
  b("mediaType", layer.blob.media_type);
  bind_digest(b, "digest", layer.blob.digest);
  b("size", layer.blob.size);
}
void bind(json::Binder& b, WorkerPacking& packing) {
  b("format", packing.format);
  b("level", packing.level);
  b("force", packing.force);
}
void bind(json::Binder& b, WorkerRequest& request) {
  b("verb", request.verb);
  b("rootless", request.rootless);
  b("format", request.format);
  b("compress", request.compress);
  b("images", request.images);
  b("pick", request.pick);
  b("name", request.name);
  b("message", request.message);
  b("architecture", request.architecture);
  b("os", request.os);
  b("variant", request.variant);
  b("created", request.created);
  b("config", request.config_json);
  b("tree", request.tree);
  b("baseManifest", request.base_manifest);
  b("layer", request.layer);
  b("layers", request.layers);
  b("annotations", request.annotations);
  b("allNames", request.names);
  b("wanted", request.wanted);
  b("packing", request.packing);
}
void bind(json::Binder& b, WorkerResult& result) {
  b("manifest", result.manifest);
  b("id", result.id);
  b("names", result.names);
}
void bind(json::Binder& b, WorkerReply& reply) {
  b("done", reply.done);
  b("error", reply.error);
  b("errorCode", reply.error_code);
  b("errno", reply.error_errno);
  b("images", reply.images);
  b("notes", reply.notes);
  bind_digest(b, "diffId", reply.diff_id);
  b("size", reply.size);
}

}  // namespace minke::store
