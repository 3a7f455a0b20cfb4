// save: docker-archive and docker-dir as Podman writes them, OCI archives and layouts byte for
// byte.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/str.h"
#include "codec/digest.h"
#include "codec/tar_writer.h"
#include "imagework/source.h"
#include "imagework/stored_image.h"
#include "imagework/verbs.h"
#include "oci/convert.h"
#include "oci/reference.h"
#include "store/layout.h"

namespace minke::imagework {
namespace {

using sys::UniqueFd;

// Where the files of the result go: into a tar, or below a directory.
class Output {
 public:
  virtual ~Output() = default;
  virtual Status folder(const std::string& path) = 0;
  // A file whose bytes come from `source` (exactly `size`).
  virtual Status file(const std::string& path, std::uint64_t size, ByteSource& source) = 0;
  virtual Status link(const std::string& path, const std::string& target) = 0;
  virtual Status finish() = 0;
  Status text(const std::string& path, std::string_view bytes) {
    MemorySource source(bytes);
    return file(path, bytes.size(), source);
  }
};

class TarOutput final : public Output {
 public:
  explicit TarOutput(int fd) : sink_(fd), writer_(sink_) {}
  Status folder(const std::string& path) override {
    TarEntry entry;
    entry.type = TarEntry::Type::directory;
    entry.path = path + "/";
    entry.mode = 0755;
    return writer_.add(entry);
  }
  Status file(const std::string& path, std::uint64_t size, ByteSource& source) override {
    TarEntry entry;
    entry.path = path;
    entry.mode = 0444;
    entry.size = size;
    TRY(writer_.add(entry));
    for (std::string_view chunk = TRY(source.next()); !chunk.empty(); chunk = TRY(source.next())) {
      TRY(writer_.data(chunk));
      size -= chunk.size();
    }
    if (size != 0)
      return Error(Errc::corrupt, concat(path, ": the blob is shorter than it should be"));
    return {};
  }
  Status link(const std::string& path, const std::string& target) override {
    TarEntry entry;
    entry.type = TarEntry::Type::symlink;
    entry.path = path;
    entry.link = target;
    return writer_.add(entry);
  }
  Status finish() override {
    TRY(writer_.finish());
    return sink_.flush();
  }

 private:
  BufferedSink sink_;
  TarWriter writer_;
};

class DirOutput final : public Output {
 public:
  explicit DirOutput(int dir) : dir_(dir) {}
  Status folder(const std::string& path) override {
    if (::mkdirat(dir_, path.c_str(), 0755) < 0 && errno != EEXIST)
      return Error::from_errno(errno, concat("mkdir ", path));
    return {};
  }
  // Put in place when it is whole: a file of that name may be another image's too.
  Status file(const std::string& path, std::uint64_t, ByteSource& source) override {
    std::string growing = concat(path, ".tmp");
    UniqueFd fd =
        TRY(sys::open_beneath(dir_, growing.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644, true));
    for (std::string_view chunk = TRY(source.next()); !chunk.empty(); chunk = TRY(source.next()))
      TRY(sys::write_all(fd.get(), chunk, path));
    if (::renameat(dir_, growing.c_str(), dir_, path.c_str()) < 0)
      return Error::from_errno(errno, concat("rename ", path));
    return {};
  }
  Status link(const std::string&, const std::string&) override {
    return Error(Errc::internal, "no links in a directory format");
  }
  Status finish() override { return {}; }

 private:
  int dir_;
};

Result<std::uint64_t> plain_size(int store, const oci::Digest& blob, const std::string& chain_id) {
  auto fd = sys::open_beneath(
      store, concat(store::kLayersDir, "/", chain_id, "/", store::kSizeFile).c_str(), O_RDONLY, 0,
      true);
  if (fd) {
    std::string text = TRY(sys::read_all(fd->get(), 64, "size"));
    if (auto size = parse_uint(trim(text))) return *size;
  }
  auto layer = TRY(PlainLayer::open(store, blob));
  std::uint64_t size = 0;
  for (std::string_view chunk = TRY(layer->source().next()); !chunk.empty();
       chunk = TRY(layer->source().next()))
    size += chunk.size();
  return size;
}

// Dockers before 1.10 read one directory for each layer; Podman still writes them, and so do we.
Status write_legacy(Output& out, const SavedImage& image, std::set<std::string>* written,
                    std::string* top) {
  std::vector<std::string> chain = store::chain_ids_of(image.config.diff_ids);
  std::string parent;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    bool last = i + 1 == chain.size();
    std::string id = sha256_hex(
        concat(chain[i], " ", last ? image.manifest.config.digest.hex() : std::string_view()));
    json::Object record;
    if (last) {
      json::Value config = TRY(json::parse(image.config_json));
      for (const char* key : {"architecture", "config", "created", "os", "author"})
        if (const json::Value* member = config.find(key)) record.set(key, *member);
    } else {
      record.set("created", "1970-01-01T00:00:00Z");
    }
    record.set("id", id);
    if (!parent.empty()) record.set("parent", parent);
    if (written->insert(id).second) {
      TRY(out.link(concat(id, "/layer.tar"),
                   concat("../", image.config.diff_ids[i].hex(), ".tar")));
      TRY(out.text(concat(id, "/VERSION"), "1.0"));
      TRY(out.text(concat(id, "/json"), json::dump(json::Value(std::move(record)))));
    }
    parent = std::move(id);
  }
  *top = parent;
  return {};
}

Status save_docker_archive(int store, const std::vector<SavedImage>& images, Output& out) {
  std::set<std::string> written, legacy;
  json::Array manifest;
  json::Object repositories;
  for (const SavedImage& image : images) {
    json::Object item;
    json::Array tags, layers;
    for (std::size_t i = 0; i < image.config.diff_ids.size(); ++i) {
      std::string name = concat(image.config.diff_ids[i].hex(), ".tar");
      layers.push_back(name);
      if (!written.insert(name).second) continue;
      std::string chain_id = i < image.request->chain_ids.size() ? image.request->chain_ids[i] : "";
      const oci::Digest& blob = image.manifest.layers[i].digest;
      std::uint64_t size = TRY(plain_size(store, blob, chain_id));
      auto layer = TRY(PlainLayer::open(store, blob));
      TRY(out.file(name, size, layer->source()));
      TRY(layer->check(image.config.diff_ids[i]));
    }
    std::string config_name = concat(image.manifest.config.digest.hex(), ".json");
    if (written.insert(config_name).second) TRY(out.text(config_name, image.config_json));
    std::string top;
    TRY(write_legacy(out, image, &legacy, &top));
    for (const std::string& name : image.request->names) {
      tags.push_back(name);
      oci::Reference ref = TRY(oci::Reference::parse(name));
      if (ref.tag.empty()) continue;
      json::Value& repository = repositories[ref.name()];
      if (repository.is_null()) repository = json::Object();
      repository.as_object()->set(ref.tag, top);
    }
    item.set("Config", config_name);
    item.set("RepoTags", std::move(tags));
    item.set("Layers", std::move(layers));
    manifest.push_back(std::move(item));
  }
  TRY(out.text("manifest.json", json::dump(json::Value(std::move(manifest)))));
  TRY(out.text("repositories", json::dump(json::Value(std::move(repositories)))));
  return out.finish();
}

Status copy_blob(int store, const oci::Digest& digest, Output& out, const std::string& name) {
  UniqueFd fd = TRY(open_blob(store, digest));
  struct stat st {};
  if (::fstat(fd.get(), &st) < 0) return Error::from_errno(errno, concat("blob ", digest.str()));
  FdSource file(fd.get());
  HashingSource source(file);
  TRY(out.file(name, static_cast<std::uint64_t>(st.st_size), source));
  if (source.hex() != digest.hex()) return damaged_blob(digest);
  return {};
}

// The index with what else the layout in `dir` has: only what has the name of one that is added, or
// as that no name, gives way.
Result<std::string> merged_index(int dir, const oci::ImageIndex& added) {
  constexpr std::size_t kMaxIndex = 64 << 20;
  std::string text = oci::dump_index(added);
  auto file = sys::open_beneath(dir, "index.json", O_RDONLY, 0, true);
  if (!file && file.error().code() == Errc::not_found) return text;
  if (!file) return std::move(file.error());
  std::string known = TRY(sys::read_all(file->get(), kMaxIndex, "index.json"));
  json::Value index = TRY_CTX(json::parse(known, {.max_size = kMaxIndex}), "index.json");
  json::Value ours = TRY(json::parse(text));
  json::Value* members =
      index.as_object() != nullptr ? index.as_object()->find("manifests") : nullptr;
  if (members == nullptr || members->as_array() == nullptr)
    return Error(Errc::corrupt, "index.json: it has no list of manifests");
  auto name_of = [](const json::Value& entry) {
    const json::Value* notes = entry.find("annotations");
    const json::Value* name = notes != nullptr ? notes->find(store::kRefName) : nullptr;
    return std::string(name != nullptr ? name->string_or("") : std::string_view());
  };
  json::Array& list = *members->as_array();
  for (const json::Value& entry : *ours.find("manifests")->as_array()) {
    std::erase_if(list, [&](const json::Value& old) { return name_of(old) == name_of(entry); });
    list.push_back(entry);
  }
  return json::dump(index);
}

// `dir`: the layout, when it is a directory.
Status save_oci(int store, const std::vector<SavedImage>& images, Output& out, int dir) {
  TRY(out.folder("blobs"));
  TRY(out.folder("blobs/sha256"));
  std::set<std::string> written;
  oci::ImageIndex index;
  auto blob = [&](const oci::Digest& digest) -> Status {
    if (!written.insert(digest.str()).second) return {};
    return copy_blob(store, digest, out, concat("blobs/sha256/", digest.hex()));
  };
  for (const SavedImage& image : images) {
    for (const oci::Descriptor& layer : image.manifest.layers) TRY(blob(layer.digest));
    TRY(blob(image.manifest.config.digest));
    // A layout has no place for Docker's dialect: others take its config for something unknown.
    std::string manifest = TRY(oci::to_oci_manifest(image.manifest_json));
    oci::Descriptor entry;
    entry.media_type = oci::kMediaManifest;
    entry.digest = manifest == image.manifest_json
                       ? image.request->manifest
                       : TRY(oci::Digest::parse(concat("sha256:", sha256_hex(manifest))));
    entry.size = static_cast<std::int64_t>(manifest.size());
    if (written.insert(entry.digest.str()).second)
      TRY(out.text(concat("blobs/sha256/", entry.digest.hex()), manifest));
    if (image.request->names.empty()) index.manifests.push_back(entry);
    for (const std::string& name : image.request->names) {
      entry.annotations[store::kRefName] = name;
      index.manifests.push_back(entry);
    }
  }
  TRY(out.text("oci-layout", store::kOciLayout));
  std::string text = dir < 0 ? oci::dump_index(index) : TRY(merged_index(dir, index));
  TRY(out.text("index.json", text));
  return out.finish();
}

Status save_docker_dir(int store, const SavedImage& image, bool compress, int dir) {
  DirOutput out(dir);
  TRY(out.text("version", "Directory Transport Version: 1.1\n"));
  oci::Manifest manifest = image.manifest;
  manifest.annotations.clear();
  manifest.artifact_type.clear();
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    oci::Descriptor& layer = manifest.layers[i];
    layer.annotations.clear();
    if (compress && layer.media_type == oci::kMediaLayerTar)
      TRY(pack_layer(store, dir, image.config.diff_ids[i], {}, &layer));
    else
      TRY(copy_blob(store, layer.digest, out, std::string(layer.digest.hex())));
    layer.media_type = oci::docker_media_type(layer.media_type);
  }
  TRY(out.text(std::string(manifest.config.digest.hex()), image.config_json));
  manifest.config.media_type = oci::docker_media_type(oci::kMediaConfig);
  manifest.media_type = oci::docker_media_type(oci::kMediaManifest);
  return out.text("manifest.json", oci::dump_manifest(manifest));
}

}  // namespace

Status save_images(int store, const store::WorkerRequest& request, int output) {
  std::vector<SavedImage> images;
  for (const store::WorkerImage& item : request.images) {
    SavedImage image = TRY(read_image(store, item));
    images.push_back(std::move(image));
  }
  if (images.empty()) return Error(Errc::invalid_argument, "no image to save");
  bool directory = request.format == "oci-dir" || request.format == "docker-dir";
  if (directory && images.size() > 1)
    return Error(Errc::invalid_argument, concat(request.format, " holds one image only"));
  if (request.format == "docker-dir")
    return save_docker_dir(store, images[0], request.compress, output);
  if (request.format == "oci-dir") {
    DirOutput out(output);
    return save_oci(store, images, out, output);
  }
  TarOutput out(output);
  if (request.format == "oci-archive") return save_oci(store, images, out, -1);
  if (request.format == "docker-archive") return save_docker_archive(store, images, out);
  return Error(Errc::invalid_argument, concat("unknown format ", quote(request.format)));
}

}  // namespace minke::imagework
