// load: docker-archive, oci-archive, OCI layouts and docker-dir. A regular file is indexed first
// and only what is missing is read, layers side by side; a pipe is read once, and every layer
// unpacked as it passes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "base/str.h"
#include "codec/tar_reader.h"
#include "imagework/source.h"
#include "imagework/verbs.h"
#include "oci/reference.h"
#include "store/layout.h"

namespace minke::imagework {
namespace {

constexpr std::size_t kMaxJson = 8 << 20;

Error corrupt(std::string_view what) { return {Errc::corrupt, std::string(what)}; }

std::string_view layer_media_type(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return oci::kMediaLayerGzip;
    case Compression::zstd:
      return oci::kMediaLayerZstd;
    default:
      return oci::kMediaLayerTar;
  }
}

std::string folder_of(const std::string& name) {
  std::size_t slash = name.rfind('/');
  return name.substr(0, slash == std::string::npos ? 0 : slash + 1);
}

// Old archives have one directory a layer, whose layer.tar links to that of another: the member
// that the symbolic link `name` means. Only a name of the same archive ever comes of it.
std::string link_target(const std::string& name, std::string target) {
  std::string folder = folder_of(name);
  while (target.starts_with("../") && !folder.empty()) {
    target.erase(0, 3);
    folder.pop_back();
    folder = folder_of(folder);
  }
  return folder + target;
}

// Where the pieces of an image come from: members of an archive, or files of a directory.
class Members {
 public:
  virtual ~Members() = default;
  virtual bool has(const std::string& name) const = 0;
  virtual Result<std::string> text(const std::string& name) = 0;
  // The layer of that name, read and taken by the session (or before, as it passed by).
  virtual Result<LayerBlob> layer(Session& session, const std::string& name,
                                  const oci::Digest& expected) = 0;
};

// One regular file that can be read in any order.
class FileMembers final : public Members {
 public:
  static Result<std::unique_ptr<FileMembers>> index(int fd, const Limits& limits) {
    auto members = std::make_unique<FileMembers>();
    members->fd_ = fd;
    FdSource source(fd);
    TarReader reader(source);
    TarEntry entry;
    while (TRY(reader.next(&entry))) {
      if (members->members_.size() > limits.members) return corrupt("archive: too many members");
      Member member;
      if (entry.type == TarEntry::Type::file && !entry.sparse) {
        member.offset = reader.offset();
        member.size = entry.size;
      } else if (entry.type == TarEntry::Type::symlink || entry.type == TarEntry::Type::hard_link) {
        member.link = entry.link;
        member.symlink = entry.type == TarEntry::Type::symlink;
      } else {
        continue;
      }
      while (entry.path.starts_with("./")) entry.path.erase(0, 2);
      members->members_[entry.path] = std::move(member);
    }
    return members;
  }
  bool has(const std::string& name) const override { return members_.contains(name); }
  Result<std::string> text(const std::string& name) override {
    const Member* member = TRY(find(name));
    if (member->size > kMaxJson)
      return corrupt(concat("archive: ", quote(name), " is larger than 8 MiB"));
    FdSource source(fd_, member->offset, member->size);
    std::string out;
    for (std::string_view chunk = TRY(source.next()); !chunk.empty(); chunk = TRY(source.next()))
      out += chunk;
    return out;
  }
  Result<LayerBlob> layer(Session& session, const std::string& name,
                          const oci::Digest& expected) override {
    const Member* member = TRY(find(name));
    FdSource source(fd_, member->offset, member->size);
    return session.take_layer(source, expected);
  }

 private:
  struct Member {
    std::uint64_t offset = 0, size = 0;
    std::string link;
    bool symlink = false;
  };
  Result<const Member*> find(std::string name) const {
    for (int hops = 0; hops < 8; ++hops) {
      auto it = members_.find(name);
      if (it == members_.end()) return corrupt(concat("archive: ", quote(name), " is missing"));
      if (it->second.link.empty()) return &it->second;
      name = it->second.symlink ? link_target(name, it->second.link) : it->second.link;
    }
    return corrupt(concat("archive: ", quote(name), " is a loop of links"));
  }
  int fd_ = -1;
  std::map<std::string, Member> members_;
};

// A stream that passes once: JSON is kept, everything else is taken for a layer.
class StreamMembers final : public Members {
 public:
  static Result<std::unique_ptr<StreamMembers>> read(Session& session, ByteSource& source) {
    auto members = std::make_unique<StreamMembers>();
    TarReader reader(source);
    TarEntry entry;
    std::uint64_t kept = 0;
    while (TRY(reader.next(&entry))) {
      if (members->members_.size() + members->links_.size() > session.limits().members)
        return corrupt("archive: too many members");
      while (entry.path.starts_with("./")) entry.path.erase(0, 2);
      if (entry.type == TarEntry::Type::symlink)
        members->links_[entry.path] = link_target(entry.path, entry.link);
      if (entry.type == TarEntry::Type::hard_link) members->links_[entry.path] = entry.link;
      if (entry.type != TarEntry::Type::file || entry.sparse) continue;
      MemberSource member(reader);
      PeekSource peek(member);
      std::string_view head = TRY(peek.head(512));
      bool tar = head.size() >= 262 && head.substr(257, 5) == "ustar";
      bool json =
          !tar && entry.size <= kMaxJson && !head.empty() && (head[0] == '{' || head[0] == '[');
      // The smallest tar is one block; VERSION files of old archives are smaller.
      bool other = entry.size < 512 && detect_compression(head) == Compression::none;
      Member item;
      if (json) {
        kept += entry.size;
        if (kept > session.limits().metadata)
          return corrupt("archive: too many large JSON members");
        for (std::string_view chunk = TRY(peek.next()); !chunk.empty(); chunk = TRY(peek.next()))
          item.text += chunk;
      } else if (!other) {
        item.layer = TRY_CTX(session.take_layer(peek, {}), quote(entry.path.substr(0, 200)));
      }
      members->members_[entry.path] = std::move(item);
    }
    TRY(reader.drain());
    return members;
  }
  bool has(const std::string& name) const override { return members_.contains(name); }
  Result<std::string> text(const std::string& name) override {
    auto it = members_.find(name);
    if (it == members_.end()) return corrupt(concat("archive: ", quote(name), " is missing"));
    return it->second.text;
  }
  Result<LayerBlob> layer(Session&, const std::string& name, const oci::Digest& expected) override {
    auto link = links_.find(name);
    auto it = members_.find(link == links_.end() ? name : link->second);
    if (it == members_.end() || it->second.layer.digest.empty())
      return corrupt(concat("archive: the layer ", quote(name), " is missing"));
    if (!expected.empty() && it->second.layer.digest != expected)
      return corrupt(concat("layer: digest mismatch: expected ", expected.str(), ", found ",
                            it->second.layer.digest.str()));
    return it->second.layer;
  }

 private:
  struct Member {
    std::string text;
    LayerBlob layer;
  };
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> links_;
};

class DirectoryMembers final : public Members {
 public:
  explicit DirectoryMembers(int dir) : dir_(dir) {}
  bool has(const std::string& name) const override { return static_cast<bool>(open(name)); }
  Result<std::string> text(const std::string& name) override {
    sys::UniqueFd fd = TRY(open(name));
    return sys::read_all(fd.get(), kMaxJson, name);
  }
  Result<LayerBlob> layer(Session& session, const std::string& name,
                          const oci::Digest& expected) override {
    sys::UniqueFd fd = TRY(open(name));
    FdSource source(fd.get());
    return session.take_layer(source, expected);
  }

 private:
  Result<sys::UniqueFd> open(const std::string& name) const {
    sys::UniqueFd fd = TRY(sys::open_beneath(dir_, name.c_str(), O_RDONLY | O_NONBLOCK));
    struct stat st {};
    if (::fstat(fd.get(), &st) < 0) return Error::from_errno(errno, concat("stat ", name));
    if (!S_ISREG(st.st_mode)) return corrupt(concat(quote(name), " is not a regular file"));
    return fd;
  }
  int dir_;
};

struct DockerImage {  // an item of manifest.json
  std::string config;
  std::vector<std::string> tags, layers;
};
void bind(json::Binder& b, DockerImage& i) {
  b("Config", i.config);
  b("RepoTags", i.tags);
  b("Layers", i.layers);
}
struct DockerManifest {
  std::vector<DockerImage> images;
};
void bind(json::Binder& b, DockerManifest& m) { b("images", m.images); }

Result<std::string> full_name(const std::string& text, const char* registry) {
  oci::Reference ref = TRY_CTX(oci::Reference::parse(text), quote(text.substr(0, 300)));
  return ref.normalized(registry).str();
}

// The image of that name in an archive or layout with several; the name as it stands there, or in
// full.
bool is_picked(const LoadChoice& choice, const std::string& name) {
  if (choice.pick.empty() || name == choice.pick) return true;
  auto wanted = oci::Reference::parse(choice.pick), found = oci::Reference::parse(name);
  return wanted && found &&
         wanted->normalized("docker.io").str() == found->normalized("docker.io").str();
}

Error not_picked(const LoadChoice& choice) {
  return {Errc::not_found, concat("no image of the name ", quote(choice.pick), " is there")};
}

// Reads the layers of `wanted` that are not known yet, side by side where the source allows it.
Status load_docker_image(Session& session, Members& members, const DockerImage& item,
                         const LoadChoice& choice) {
  std::string config_json = TRY(members.text(item.config));
  oci::ImageConfig config = TRY(oci::parse_image_config(config_json));
  if (config.diff_ids.size() != item.layers.size())
    return corrupt(concat("archive: ", quote(item.config), " names ", config.diff_ids.size(),
                          " layers, manifest.json ", item.layers.size()));
  oci::Manifest manifest;
  manifest.media_type = oci::kMediaManifest;
  manifest.config.media_type = oci::kMediaConfig;
  manifest.config.digest = TRY(session.take_blob(config_json, {}));
  manifest.config.size = static_cast<std::int64_t>(config_json.size());
  // A name that is a digest must tell the truth.
  std::string_view stem = std::string_view(item.config).substr(folder_of(item.config).size());
  if (stem.ends_with(".json")) stem.remove_suffix(5);
  if (stem.size() == 64 && is_hex(stem) && stem != manifest.config.digest.hex())
    return corrupt(concat("config: digest mismatch: expected sha256:", stem, ", found ",
                          manifest.config.digest.str()));
  std::vector<std::string> chain = store::chain_ids_of(config.diff_ids);
  manifest.layers.resize(chain.size());
  std::set<std::string> started;
  std::vector<std::size_t> wanted;
  std::map<std::string, LayerBlob> read;  // by name
  for (std::size_t i = 0; i < chain.size(); ++i) {
    oci::Descriptor& layer = manifest.layers[i];
    layer.media_type = oci::kMediaLayerTar;
    layer.digest = config.diff_ids[i];
    if (session.knows_pair(layer.digest, config.diff_ids[i], chain[i])) continue;
    if (started.insert(item.layers[i]).second) wanted.push_back(i);
  }
  std::mutex mutex;
  auto job = [&](std::size_t n) -> Status {
    const std::string& name = item.layers[wanted[n]];
    LayerBlob blob = TRY_CTX(members.layer(session, name, {}), concat("layer ", name));
    std::lock_guard guard(mutex);
    read[name] = std::move(blob);
    return {};
  };
  TRY(session.parallel(wanted.size(), job));
  for (std::size_t i = 0; i < chain.size(); ++i) {
    oci::Descriptor& layer = manifest.layers[i];
    auto it = read.find(item.layers[i]);
    if (it == read.end()) {
      layer.size = TRY(session.blob_size(layer.digest));
      continue;
    }
    if (it->second.diff_id != config.diff_ids[i])
      return corrupt(concat("layer ", item.layers[i], ": digest mismatch: expected ",
                            config.diff_ids[i].str(), ", found ", it->second.diff_id.str()));
    layer.media_type = layer_media_type(it->second.compression);
    layer.digest = it->second.digest;
    layer.size = it->second.size;
  }
  std::vector<std::string> names;
  for (const std::string& tag : item.tags) {
    std::string full = TRY(full_name(tag, "docker.io"));
    names.push_back(std::move(full));
  }
  if (!choice.as.empty()) names = {choice.as};
  return session.finish_image(manifest, oci::dump_manifest(manifest), config, std::move(names));
}

Status load_docker(Session& session, Members& members, const LoadChoice& choice) {
  std::string text = TRY(members.text("manifest.json"));
  json::Value list =
      TRY_CTX(json::parse(text, {.max_depth = 64, .max_size = kMaxJson}), "manifest.json");
  if (list.as_array() == nullptr) return corrupt("manifest.json: expected an array");
  json::Object wrapped;
  wrapped.set("images", std::move(list));
  DockerManifest manifest =
      TRY_CTX(json::from_value<DockerManifest>(json::Value(std::move(wrapped))), "manifest.json");
  if (manifest.images.empty()) return corrupt("manifest.json: no image");
  bool any = false;
  for (const DockerImage& item : manifest.images) {
    bool picked = choice.pick.empty();
    for (const std::string& tag : item.tags) picked = picked || is_picked(choice, tag);
    if (!picked) continue;
    any = true;
    TRY(load_docker_image(session, members, item, choice));
  }
  if (!any) return not_picked(choice);
  return {};
}

std::string blob_name(const oci::Digest& digest) {
  return concat("blobs/", digest.algorithm(), "/", digest.hex());
}

// `path_of`: where the bytes of a digest lie (blobs/sha256/HEX of a layout, HEX of a docker-dir).
using PathOf = std::string (*)(const oci::Digest&);

Status load_oci_image(Session& session, Members& members, PathOf path_of,
                      const std::string& manifest_json, std::vector<std::string> names) {
  oci::Manifest manifest = TRY(oci::parse_manifest(manifest_json));
  std::string config_json = TRY(members.text(path_of(manifest.config.digest)));
  TRY_CTX(session.take_blob(config_json, manifest.config.digest), "config");
  oci::ImageConfig config = TRY(oci::parse_image_config(config_json));
  if (config.diff_ids.size() != manifest.layers.size())
    return Error(Errc::unsupported,
                 concat("the manifest names ", manifest.layers.size(), " layers, its config ",
                        config.diff_ids.size(), ": not a container image"));
  std::vector<std::string> chain = store::chain_ids_of(config.diff_ids);
  std::vector<const oci::Descriptor*> wanted;
  std::set<std::string> started;
  for (std::size_t i = 0; i < chain.size(); ++i)
    if (!session.knows_pair(manifest.layers[i].digest, config.diff_ids[i], chain[i]) &&
        started.insert(manifest.layers[i].digest.str()).second)
      wanted.push_back(&manifest.layers[i]);
  auto job = [&](std::size_t n) -> Status {
    const oci::Descriptor& layer = *wanted[n];
    LayerBlob blob = TRY(members.layer(session, path_of(layer.digest), layer.digest));
    if (blob.size != layer.size)
      return corrupt(concat("layer ", layer.digest.str(), ": ", blob.size,
                            " bytes, the manifest says ", layer.size));
    return {};
  };
  TRY(session.parallel(wanted.size(), job));
  return session.finish_image(manifest, manifest_json, config, std::move(names));
}

std::string annotation(const oci::Descriptor& d, const char* key) {
  auto it = d.annotations.find(key);
  return it == d.annotations.end() ? std::string() : it->second;
}

bool fits_host(const oci::Descriptor& d, const oci::Platform& host) {
  return !d.platform ||
         (d.platform->os == host.os && d.platform->architecture == host.architecture);
}

Status load_index(Session& session, Members& members, const oci::ImageIndex& index,
                  const std::vector<std::string>& outer_names, const LoadChoice& choice,
                  int depth) {
  if (depth > 3) return corrupt("image index: nested too deep");
  oci::Platform host = oci::host_platform();
  std::size_t loaded = 0;
  // Below the top, an index is one image for several platforms: take ours.
  bool one = depth > 0;
  for (const oci::Descriptor& entry : index.manifests) {
    if (depth == 0 && !choice.pick.empty() &&
        !is_picked(choice, annotation(entry, store::kRefName)))
      continue;
    if (one && (loaded != 0 || !fits_host(entry, host))) continue;
    std::vector<std::string> names = outer_names;
    std::string name = annotation(entry, "io.containerd.image.name");
    if (name.empty()) name = annotation(entry, store::kRefName);
    if (depth == 0 && !choice.as.empty()) names = {choice.as};
    if (!name.empty() && names.empty()) {
      std::string full = TRY(full_name(name, "localhost"));
      names.push_back(std::move(full));
    }
    std::string text = TRY(members.text(blob_name(entry.digest)));
    TRY_CTX(session.check_digest(text, entry.digest), "manifest");
    ++loaded;
    auto nested = oci::parse_index(text);
    // What the descriptor calls it is what it must be (CVE-2021-41190).
    if (entry.media_type == (nested ? oci::kMediaManifest : oci::kMediaIndex))
      return corrupt(concat("image index: ", entry.digest.str(), " is not of the media type ",
                            quote(entry.media_type)));
    if (nested)
      TRY(load_index(session, members, *nested, names, choice, depth + 1));
    else
      TRY(load_oci_image(session, members, blob_name, text, std::move(names)));
  }
  if (loaded == 0 && depth == 0 && !choice.pick.empty()) return not_picked(choice);
  if (loaded == 0)
    return Error(Errc::not_found,
                 concat("no image for ", host.os, "/", host.architecture, " in the image index"));
  return {};
}

Status load_layout(Session& session, Members& members, const LoadChoice& choice) {
  std::string text = TRY(members.text("index.json"));
  oci::ImageIndex index = TRY(oci::parse_index(text));
  return load_index(session, members, index, {}, choice, 0);
}

std::string dir_name(const oci::Digest& digest) { return std::string(digest.hex()); }

Status load_members(Session& session, Members& members, const LoadChoice& choice) {
  // Docker 25 and later write both; manifest.json then has the full names.
  if (members.has("manifest.json") && !members.has("version"))
    return load_docker(session, members, choice);
  if (members.has("index.json")) return load_layout(session, members, choice);
  if (members.has("repositories"))
    return Error(
        Errc::unsupported,
        "an archive of Docker before 1.10 (no manifest.json): save it again with a later Docker");
  return Error(
      Errc::invalid_argument,
      "payload does not match any of the supported image formats: oci-archive, docker-archive");
}

}  // namespace

Status restore_layers(Session& session, const store::WorkerRequest& request) {
  if (request.images.size() != 1) return corrupt("restore: not one image");
  std::string text = TRY(session.read_blob(request.images[0].manifest, kMaxJson));
  oci::Manifest manifest = TRY(oci::parse_manifest(text));
  std::string config_json = TRY(session.read_blob(manifest.config.digest, kMaxJson));
  oci::ImageConfig config = TRY(oci::parse_image_config(config_json));
  return session.finish_image(manifest, text, config, {});
}

Status load_archive(Session& session, int input, const LoadChoice& choice) {
  FdSource source(input);
  PeekSource peek(source);
  std::string_view head = TRY(peek.head(kMagicSize));
  if (head.empty()) return corrupt("the archive is empty");
  Compression compression = detect_compression(head);
  struct stat st {};
  if (compression == Compression::none && ::fstat(input, &st) == 0 && S_ISREG(st.st_mode)) {
    auto members = TRY(FileMembers::index(input, session.limits()));
    return load_members(session, *members, choice);
  }
  std::unique_ptr<ByteSource> plain = make_decompressor(compression, peek);
  auto members = TRY(StreamMembers::read(session, *plain));
  return load_members(session, *members, choice);
}

Status load_directory(Session& session, int directory, const LoadChoice& choice) {
  DirectoryMembers members(directory);
  if (members.has("version") && members.has("manifest.json")) {
    std::string manifest = TRY(members.text("manifest.json"));
    std::vector<std::string> names;
    if (!choice.as.empty()) names.push_back(choice.as);
    return load_oci_image(session, members, dir_name, manifest, std::move(names));
  }
  if (members.has("index.json")) return load_layout(session, members, choice);
  return Error(Errc::invalid_argument,
               "payload does not match any of the supported image formats: oci, dir");
}

}  // namespace minke::imagework
