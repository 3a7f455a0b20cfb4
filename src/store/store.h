// Images and layers on disk (docs/formats): an OCI image layout below ROOT/images, layers unpacked
// once below ROOT/layers/CHAINID/diff. Nothing here parses foreign archives: that is minke-image's
// work (store/image_worker.h runs it). Rootless callers stand in the user's user namespace already.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "sys/fd.h"
#include "sys/lock.h"

namespace minke::store {

// One image: a manifest, the names that point to it, its config.
struct Image {
  std::string id;  // hex of the config digest: Podman's image id
  oci::Descriptor manifest_descriptor;
  oci::Manifest manifest;
  oci::ImageConfig config;
  std::string config_json, manifest_json;  // the raw bytes
  std::vector<std::string> names;    // "docker.io/library/debian:12", in the order they were given
  std::vector<std::string> digests;  // "docker.io/library/debian@sha256:..."
  bool docker_format = false;        // made by commit or build with Docker's format
  TimeNs created = 0;
  std::int64_t size = 0;  // as Podman counts: the layers as plain tar, the manifest, the config
  std::vector<std::string> chain_ids;  // bottom first; one per layer
  // A list of images (an index), with an id of its own that stays when the list changes: only
  // `manifest_json`, names, size and time are filled.
  bool is_list = false;
};

// A list of images as it is to be kept.
struct ListContent {
  std::string id;    // 64 hex digits
  std::string json;  // an OCI index or Docker's manifest list
  TimeNs created = 0;
  std::map<std::string, std::string> sources;  // digest -> reference, of images that are elsewhere
};

// A fresh directory below ROOT/staging. Its lock lasts as long as this object, and as the processes
// that were given lock_fd(); what is still there at the end is removed.
class Staging {
 public:
  Staging(Staging&& o) noexcept = default;
  Staging& operator=(Staging&&) = delete;
  ~Staging();
  const std::string& path() const { return path_; }
  int lock_fd() const { return lock_.get(); }  // the directory itself, open for reading
  // Keeps the lock until the directory has left staging, and gives up the removal.
  std::string release();

 private:
  friend class Store;
  Staging(std::string path, sys::UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  sys::UniqueFd lock_;
};

// What minke-image leaves in a staging directory: blobs/HEX, layers/CHAINID, and which images they
// make.
struct NewContent {
  struct Entry {
    oci::Descriptor manifest;
    std::vector<std::string> names;  // full names; none: untagged
  };
  std::vector<Entry> images;
};

class Store {
 public:
  // Opens or makes ROOT/{images,layers,staging,trash}; checks ROOT/version (a newer layout is
  // refused).
  static Result<Store> open(const std::string& root, bool rootless);

  const std::string& root() const { return root_; }
  bool rootless() const { return rootless_; }

  Result<std::vector<Image>> list_images() const;
  // By full or short id (at least 3 hex digits, unambiguous), "sha256:ID", name with or without
  // registry and tag, name@digest. Short names are tried as localhost/NAME, docker.io/library/NAME
  // and against all repositories that end in it. not_found: "NAME: image not known" as Podman says.
  // Of a list, the image for this host that is in the store.
  Result<Image> find_image(std::string_view name) const;
  // The same, but a list is itself.
  Result<Image> find_image_or_list(std::string_view name) const;
  // The manifest and config only, for `run`: one look at the index, two small files.
  Result<Image> load_for_run(std::string_view name) const { return find_image(name); }

  Status tag_image(const Image& image, const oci::Reference& name);  // moves the name when taken
  Status untag_image(const Image& image, const std::string& name);   // full name
  // Removes the image's names; then its manifest, config and layers that no other image uses go to
  // trash. `removed` gets "Untagged: NAME" and "Deleted: ID" lines in order. Layers named in
  // `keep_chain_ids` (used by containers) stay on disk until the next collection. With `prune` the
  // untagged images that it was built from go as well, when nothing else stands on them.
  Status remove_image(const Image& image, const std::vector<std::string>& keep_chain_ids,
                      std::vector<std::string>* removed, bool prune = true);
  // Sends to trash every blob and layer that no image needs and that is not in `keep_chain_ids`:
  // what a killed remove or load left behind. `freed` (may be null) gets their number.
  Status collect(const std::vector<std::string>& keep_chain_ids, int* freed);
  // Adds a manifest whose blobs and layers are already in place; replaces an equal one. `name` may
  // be empty.
  Status add_manifest(const oci::Descriptor& manifest, const std::string& name);

  // Keeps a list: a new one under `name` (already_exists when something has it), or, with an empty
  // name, in place of the one with that id.
  Status put_list(const ListContent& list, const std::string& name);
  static std::map<std::string, std::string> list_sources(const Image& list);

  // Moves blobs and layers of `staging` to their places (what is there already stays) and then adds
  // the images, all under the index's lock. unavailable when something that was not staged has been
  // removed meanwhile.
  Status commit(const Staging& staging, const NewContent& content);

  // ROOT/layers/CHAINID/diff; topmost first, as overlay's lowerdir wants them.
  std::vector<std::string> lower_dirs(const Image& image) const;
  bool has_layer(const std::string& chain_id) const;
  Result<std::int64_t> layer_size(const std::string& chain_id) const;  // as plain tar
  Result<std::string> read_blob(const oci::Digest& digest, std::size_t max = 16 << 20) const;
  std::string blob_path(const oci::Digest& digest) const;

  // Staging and trash, for all of the engine: a fresh directory (0700) below ROOT/staging, removed
  // again by whoever finds it abandoned (its lock file is free); rename into ROOT/trash, emptied by
  // a detached helper.
  Result<std::string> make_staging(std::string_view what) const;
  Result<Staging> stage(std::string_view what) const;
  Status move_to_trash(const std::string& path) const;
  // Moves abandoned staging to trash: cheap, so that whoever stages something may do it first.
  Status clear_abandoned() const;
  // True when empty_trash() has something to do (two short listings).
  bool has_trash() const;
  // Empties trash and abandoned staging; called by the detached `minke system empty-trash` process.
  Status empty_trash() const;

 private:
  Store(std::string root, bool rootless) : root_(std::move(root)), rootless_(rootless) {}
  std::string root_;
  bool rootless_ = false;
};

}  // namespace minke::store
