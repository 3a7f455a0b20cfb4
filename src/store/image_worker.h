// Runs minke-image, the confined program that reads foreign archives: load, import, save, export.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/step_cache.h"
#include "store/store.h"
#include "store/worker_protocol.h"

namespace minke::store {

struct LoadResult {
  std::vector<std::string> image_ids;  // in order of the archive
  std::vector<std::string> names;      // the names given; an id where there was none
};
// docker-archive, oci-archive, an OCI layout directory, plain or compressed by gzip, bzip2, xz,
// zstd. `input_fd` is read to its end (a file or a pipe); with `directory` an OCI layout is read
// from that path.
// `pick`: of several images the one of that name inside (not_found when there is none); `as`: the
// full name that it gets instead of its own.
Result<LoadResult> load_archive(const Store& store, int input_fd, const std::string& directory,
                                const std::string& pick = "", const std::string& as = "");

// The image as a registry is to get it: plain layers packed (`force`: all that are packed
// otherwise), in Docker's dialect or OCI's. Returns the staging directory with what is new, and the
// manifest.
struct PackRequest {
  bool docker = false;
  std::string compression;  // gzip, zstd; empty: gzip
  std::int32_t level = 0;   // 0: the format's own default
  bool force = false;
};
Result<Staging> pack_image(const Store& store, const Image& image, const PackRequest& how,
                           std::string* manifest_json);

// Unpacks the layers of an image that are not there (any more) from its blobs, which are read
// against their digests.
Status restore_layers(const Store& store, const Image& image);

struct ImportRequest {
  int input_fd = -1;  // a root file system as tar, plain or compressed
  std::string name;   // reference or empty
  std::vector<std::string>
      changes;  // CMD ENTRYPOINT ENV EXPOSE LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR
  std::string message, architecture, os, variant;
};
Result<std::string> import_rootfs(const Store& store,
                                  const ImportRequest& request);  // the image id

enum class ArchiveFormat { docker_archive, oci_archive, oci_dir, docker_dir };
struct SaveRequest {
  std::vector<Image> images;                    // more than one only for the archives
  std::vector<std::vector<std::string>> names;  // for each image, what it is to be called inside
  ArchiveFormat format = ArchiveFormat::docker_archive;
  int output_fd = -1;      // archives
  std::string output_dir;  // the dir formats
  bool compress = false;   // docker_dir: gzip layers
};
Status save_images(const Store& store, const SaveRequest& request);

// A tar archive, plain or compressed, into the folder: what it names is replaced, the rest stays,
// and no entry and no link made meanwhile leads out of it.
Status unpack_archive(const Store& store, int input_fd, int folder_fd);
// A container's tree as the top layer of a new image.
struct CommitRequest {
  int tree_fd = -1;             // an overlay's upper folder; without a base, the whole root
  const Image* base = nullptr;  // the image below
  std::string opaque;           // opaque directories of the upper folder, each ended by NUL
  WorkerOwners read_as;
  oci::ImageConfig config;        // with the diff ids of the base; the new one is added
  std::string name;               // full, or empty
  bool docker = false;            // Docker's media types
  std::function<Status()> check;  // asked before anything becomes visible
};
Result<std::string> commit_tree(const Store& store, const CommitRequest& request);  // the image id

// A folder of changes (an overlay's upper folder) as a layer of the store.
struct SealRequest {
  std::string upper;               // a folder of ROOT's file system; it moves into the store
  std::string opaque;              // its opaque directories, each ended by NUL
  std::vector<oci::Digest> below;  // diff ids of the layers below, bottom first
  CachedStep step;                 // recorded when it has a key; the layer's part is filled in
};
Result<CachedStep> seal_layer(const Store& store, const SealRequest& request);

// An image of layers that are in the store.
struct AssembleRequest {
  std::vector<WorkerLayer> layers;  // bottom first
  oci::ImageConfig config;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> names;  // full; none: untagged
  bool docker = false;
  // The opaque directories of a layer's folder, each ended by NUL.
  std::function<Result<std::string>(int)> opaque_directories;
};
Result<std::string> assemble_image(const Store& store, const AssembleRequest& request);  // the id

// cp (worker_protocol.h says what each part of `how` does). `source_fd`: a directory, a regular
// file, or an O_PATH descriptor of anything else. `root_fd`: links are followed inside of it.
Status copy_tree(const WorkerTree& how, int source_fd, int root_fd);
Status put_archive(const WorkerTree& how, int input_fd, int root_fd);
Status read_tree(const WorkerTree& how, int source_fd, int output_fd);

// The file system at `root_fd` as tar to `output_fd` (export); `root_fd` is a mounted overlay view.
Status export_rootfs(int root_fd, int output_fd);

}  // namespace minke::store
