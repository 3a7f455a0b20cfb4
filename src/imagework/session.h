// The worker's desk: blobs and unpacked layers in the staging directory, and what the store has
// already.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/compress.h"
#include "codec/stream.h"
#include "imagework/limits.h"
#include "oci/image.h"
#include "store/worker_protocol.h"
#include "sys/fd.h"

namespace minke::imagework {

// A layer that has been read once: its blob and its plain bytes.
struct LayerBlob {
  oci::Digest digest, diff_id;
  std::int64_t size = 0, plain_size = 0;
  Compression compression = Compression::none;  // of the blob as stored
};

class Session {
 public:
  // `store` is ROOT, `staging` the new directory; both stay with the caller.
  Session(int store, int staging, bool rootless);

  const Limits& limits() const { return limits_; }
  int store() const { return store_; }
  int blobs_folder() const { return blobs_.get(); }  // of the staging directory

  // Reads a whole layer: verifies and keeps the bytes as a blob, unpacks them at once. `expected`
  // (may be empty) is what the bytes must hash to. `keep_plain`: the blob is the plain tar where
  // the format as it came is none that a manifest may name (bzip2, xz).
  Result<LayerBlob> take_layer(ByteSource& bytes, const oci::Digest& expected);
  // A plain layer as a blob only: what it unpacks to is in the store already.
  Status take_plain(ByteSource& bytes, const oci::Digest& expected);
  // The same of bytes that are kept elsewhere: a file that add_blob_file() names afterwards.
  Result<LayerBlob> take_arriving_layer(ByteSource& bytes, const oci::Digest& expected);
  void add_blob_file(const oci::Digest& digest, sys::UniqueFd file);
  // A small blob from memory (config, manifest); empty `expected`: computed.
  Result<oci::Digest> take_blob(std::string_view bytes, const oci::Digest& expected);
  // True when the blob is in the store or was taken.
  bool has_blob(const oci::Digest& digest) const;
  bool has_layer(const std::string& chain_id) const;
  Result<std::int64_t> blob_size(const oci::Digest& digest) const;
  Status check_digest(std::string_view bytes, const oci::Digest& expected) const;
  Result<std::string> read_blob(const oci::Digest& digest, std::size_t max) const;

  // True when neither the blob nor the layer need to be read: both are there, and the one is known
  // to be the other's packed form.
  bool knows_pair(const oci::Digest& digest, const oci::Digest& diff_id,
                  const std::string& chain_id) const;

  // Names the unpacked layers of an image by their chain ids, unpacks what is missing from its
  // blob, and gives directories that a layer did not describe the looks of those below. `diff_ids`
  // is verified against what was read. Keeps the manifest as a blob and adds it to the reply.
  Status finish_image(const oci::Manifest& manifest, std::string_view manifest_json,
                      const oci::ImageConfig& config, std::vector<std::string> names);

  // Runs `job(i)` for 0 <= i < count on up to two threads; the first failure stops the others.
  Status parallel(std::size_t count, const std::function<Status(std::size_t)>& job);

  store::WorkerReply& reply() { return reply_; }

 private:
  struct Unpacked {
    std::string name;  // below staging/layers
    std::int64_t plain_size = 0;
    std::set<std::string> implied;
    bool root_opaque = false;
  };
  struct PlacedLayer {
    std::set<std::string> implied;
    bool root_opaque = false;
  };
  Result<LayerBlob> read_layer(ByteSource& bytes, const oci::Digest& expected, bool keep_blob);
  Result<LayerBlob> reread_layer(const oci::Digest& digest);
  Status check_pair(const oci::Digest& diff_id, const oci::Digest& digest,
                    const std::string& chain_id);
  Status unpack(ByteSource& plain, const std::string& name, Unpacked* out);
  Status place_layer(const oci::Digest& diff_id, const oci::Descriptor& layer,
                     const std::string& chain_id, const std::string& below, PlacedLayer* placed);
  Status copy_looks(const std::string& chain_id, const std::vector<std::string>& below,
                    const PlacedLayer& placed);
  Result<sys::UniqueFd> open_diff(const std::string& chain_id) const;
  std::string temporary_name();
  void add_notes(const std::vector<std::string>& notes);

  int store_, staging_;
  bool rootless_;
  Limits limits_;
  sys::UniqueFd blobs_, layers_;  // of the staging directory
  Status ready_;
  std::mutex mutex_;                                 // of what follows
  std::map<std::string, Unpacked> unpacked_;         // by diff id
  std::map<std::string, LayerBlob> blobs_read_;      // by digest
  std::map<std::string, sys::UniqueFd> blob_files_;  // by digest, verified
  int next_name_ = 0;
  store::WorkerReply reply_;
  std::atomic<bool> failed_{false};
};

}  // namespace minke::imagework
