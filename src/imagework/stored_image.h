// Images of the store as save and push read them: checked against their digests.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "codec/compress.h"
#include "codec/digest.h"
#include "imagework/source.h"
#include "oci/image.h"
#include "store/worker_protocol.h"
#include "sys/fd.h"

namespace minke::imagework {

class HashingSource final : public ByteSource {
 public:
  explicit HashingSource(ByteSource& inner) : inner_(inner) {}
  Result<std::string_view> next() override {
    std::string_view chunk = TRY(inner_.next());
    hasher_.update(chunk);
    size_ += chunk.size();
    return chunk;
  }
  std::string hex() { return hasher_.hex(); }
  std::uint64_t size() const { return size_; }

 private:
  ByteSource& inner_;
  Hasher hasher_;
  std::uint64_t size_ = 0;
};

Result<sys::UniqueFd> open_blob(int store, const oci::Digest& digest);
Error damaged_blob(const oci::Digest& digest);

struct SavedImage {
  const store::WorkerImage* request = nullptr;
  oci::Manifest manifest;
  oci::ImageConfig config;
  std::string manifest_json, config_json;
};
Result<SavedImage> read_image(int store, const store::WorkerImage& request);

// A layer's blob as plain tar, checked against its diff id at the end.
class PlainLayer {
 public:
  static Result<std::unique_ptr<PlainLayer>> open(int store, const oci::Digest& blob);
  ByteSource& source() { return *hashing_; }
  Status check(const oci::Digest& diff_id) {
    if (hashing_->hex() != diff_id.hex()) return damaged_blob(digest_);
    return {};
  }

 private:
  oci::Digest digest_;
  sys::UniqueFd fd_;
  std::unique_ptr<FdSource> file_;
  std::unique_ptr<PeekSource> peek_;
  std::unique_ptr<ByteSource> plain_;
  std::unique_ptr<HashingSource> hashing_;
};

// How a layer is to be packed. `level` 0: the format's own default.
struct Packing {
  Compression format = Compression::gzip;
  int level = 0;
};
// The layer packed so into `dir`, named by what came out; `layer` becomes that blob's.
Status pack_layer(int store, int dir, const oci::Digest& diff_id, const Packing& how,
                  oci::Descriptor* layer);

}  // namespace minke::imagework
