// What minke and minke-image say to each other: one request by a memory file, one reply by a pipe,
// both JSON.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/image.h"

namespace minke::store {

// Descriptors of the worker, in the order of SpawnOptions::pass_fds. What a verb does not need is
// /dev/null.
enum WorkerFd : int {
  kRequestFd = 3,  // the request, a memory file
  kReplyFd = 4,    // the reply, a pipe
  kStoreFd = 5,    // ROOT, a directory
  kStagingFd = 6,  // the staging directory; the lock on it lives in this description; of unpack,
                   // the folder
  kDataFd = 7,  // the archive to read or write; the layout's or the output's directory; the root of
                // an export, a copy or a commit
};
// kStoreFd of copy-tree and put-tree: the root of the tree that is written.

struct WorkerImage {  // of save and restore
  oci::Digest manifest;
  std::vector<std::string> names, chain_ids;
};
// Ids from..from+count-1 become to..to+count-1.
struct WorkerIdRange {
  std::uint64_t from = 0, to = 0, count = 0;
};
// All files get one owner, or each by the maps (empty: as they are).
struct WorkerOwners {
  bool fixed = false;
  std::uint64_t uid = 0, gid = 0;
  std::vector<WorkerIdRange> uids, gids;
};
struct WorkerTree {  // export, read-tree, copy-tree, put-tree, commit
  std::string name;  // of what is read; empty: only what is in the directory
  WorkerOwners read_as, write_as;
  bool container_root = false;  // leave out /dev, /proc, /sys
  std::string folder;           // where it goes, below the root that is written
  bool overwrite = false, skip_devices = false;
  bool make_folder = false;  // put-tree: `folder` is made; what is no archive is `unsupported`
};
struct WorkerLayer {  // assemble: bottom first
  std::string chain_id;
  oci::Digest diff_id;
  oci::Descriptor blob;  // without a digest: the plain tar, made anew where there is none
};
// How layers are packed that are plain, or with `force` all that are packed otherwise.
struct WorkerPacking {
  std::string format;  // gzip, zstd; empty: gzip
  std::int32_t level = 0;
  bool force = false;
};
struct WorkerRequest {
  // load, load-dir, import, restore (layers of images[0]), save, export; commit; read-tree (to an
  // archive), copy-tree, put-tree (from an archive); unpack (an archive into kStagingFd);
  // seal (what an overlay's upper folder would be as a layer), assemble (an image of layers that
  // are there)
  // load, load-dir, import, pull, pack, restore (layers of images[0]), save, export; commit;
  // read-tree (to an archive), copy-tree, put-tree (from an archive); unpack (an archive into
  // kStagingFd)
  std::string verb;
  bool rootless = false;
  std::string format;               // save: docker-archive, oci-archive, oci-dir, docker-dir
  bool compress = false;            // save docker-dir
  std::vector<WorkerImage> images;  // save, restore
  std::string pick;  // load: which image of several; `name` is what it is called then
  std::string name, message, architecture, os, variant;  // import
  std::string created;                                   // import: RFC 3339
  std::string config_json;  // import: "config" of the image config; commit: all of it
  WorkerTree tree;
  // commit: the manifest to stand upon (empty: none); whether the tree is an overlay's upper
  // folder, whose opaque directories are in kOpaqueFile of the staging directory; Docker's media
  // types.
  std::string base_manifest;
  bool layer = false;
  std::vector<WorkerLayer> layers;  // assemble; opaque directories of CHAINID: a file
  std::map<std::string, std::string> annotations;  // kOpaqueFile-CHAINID; of the manifest
  std::vector<std::string> names;                  // assemble
  // pull: base_manifest and config_json are of the image; these layers come from minke-transfer,
  // told of on kDataFd, the others are in the store.
  std::vector<std::string> wanted;
  WorkerPacking packing;  // pack; `format`: v2s2, else OCI
};
struct WorkerResult {  // one image
  oci::Descriptor manifest;
  std::string id;
  std::vector<std::string> names;
};
struct WorkerReply {
  bool done = false;  // false with no error: the worker was cut off
  std::string error;
  std::int32_t error_code = 0, error_errno = 0;
  std::vector<WorkerResult> images;
  std::vector<std::string> notes;  // for the debug level
  oci::Digest diff_id;             // seal
  std::int64_t size = 0;           // seal: bytes of the plain tar
};

void bind(json::Binder& b, WorkerImage& image);
void bind(json::Binder& b, WorkerIdRange& range);
void bind(json::Binder& b, WorkerOwners& owners);
void bind(json::Binder& b, WorkerTree& tree);
void bind(json::Binder& b, WorkerPacking& packing);
void bind(json::Binder& b, WorkerLayer& layer);
void bind(json::Binder& b, WorkerRequest& request);
void bind(json::Binder& b, WorkerResult& result);
void bind(json::Binder& b, WorkerReply& reply);

}  // namespace minke::store
