// Images and layers on disk (docs/formats): an OCI image layout below ROOT/images, layers unpacked once below
// ROOT/layers/CHAINID/diff. Nothing here parses foreign archives: that is minke-image's work (store/image_worker.h
// runs it). Rootless callers stand in the user's user namespace already.
#pragma once

#include <cstdint>
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
  std::string id;                          // hex of the config digest: Podman's image id
  oci::Descriptor manifest_descriptor;
  oci::Manifest manifest;
  oci::ImageConfig config;
  std::string config_json, manifest_json;  // the raw bytes
  std::vector<std::string> names;          // "docker.io/library/debian:12", in the order they were given
  std::vector<std::string> digests;        // "docker.io/library/debian@sha256:..."
  TimeNs created = 0;
  std::int64_t size = 0;                   // bytes of the unpacked layers
  std::vector<std::string> chain_ids;      // bottom first; one per layer
};

class Store {
 public:
  // Opens or makes ROOT/{images,layers,staging,trash}; checks ROOT/version (a newer layout is refused).
  static Result<Store> open(const std::string& root, bool rootless);

  const std::string& root() const { return root_; }
  bool rootless() const { return rootless_; }

  Result<std::vector<Image>> list_images() const;
  // By full or short id (at least 3 hex digits, unambiguous), "sha256:ID", name with or without registry and
  // tag, name@digest. Short names are tried as localhost/NAME, docker.io/library/NAME and against all
  // repositories that end in it. not_found: "NAME: image not known" as Podman says.
  Result<Image> find_image(std::string_view name) const;
  // The manifest and config only, for `run`: one look at the index, two small files.
  Result<Image> load_for_run(std::string_view name) const { return find_image(name); }

  Status tag_image(const Image& image, const oci::Reference& name);         // moves the name when taken
  Status untag_image(const Image& image, const std::string& name);          // full name
  // Removes the image's names; then its manifest, config and layers that no other image uses go to trash.
  // `removed` gets "Untagged: NAME" and "Deleted: ID" lines in order. Layers named in `keep_chain_ids` (used by
  // containers) stay on disk until the next collection.
  Status remove_image(const Image& image, const std::vector<std::string>& keep_chain_ids,
                      std::vector<std::string>* removed);
  // Adds a manifest whose blobs and layers are already in place; replaces an equal one. `name` may be empty.
  Status add_manifest(const oci::Descriptor& manifest, const std::string& name);

  // ROOT/layers/CHAINID/diff; topmost first, as overlay's lowerdir wants them.
  std::vector<std::string> lower_dirs(const Image& image) const;
  bool has_layer(const std::string& chain_id) const;
  Result<std::string> read_blob(const oci::Digest& digest, std::size_t max = 16 << 20) const;
  std::string blob_path(const oci::Digest& digest) const;

  // Staging and trash, for all of the engine: a fresh directory (0700) below ROOT/staging, removed again by
  // whoever finds it abandoned (its lock file is free); rename into ROOT/trash, emptied by a detached helper.
  Result<std::string> make_staging(std::string_view what) const;
  Status move_to_trash(const std::string& path) const;
  // Empties trash and abandoned staging; called by the detached `minke system empty-trash` process.
  Status empty_trash() const;

 private:
  Store(std::string root, bool rootless) : root_(std::move(root)), rootless_(rootless) {}
  std::string root_;
  bool rootless_ = false;
};

}  // namespace minke::store
