// The steps of builds that are done: ROOT/buildcache/steps/KEY says which layer a step has made.
// The layers themselves are among all others, below ROOT/layers, and stay as long as an image, a
// container or a step needs them (docs/formats).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "codec/json.h"
#include "oci/image.h"

namespace minke::store {

struct CachedStep {
  std::string key;       // 64 hex digits
  std::string chain_id;  // the layer that it has made, with all below; empty: only a time
  oci::Digest diff_id;
  std::int64_t size = 0;  // of the layer as plain tar
  TimeNs created = 0;     // when it ran
  TimeNs used = 0;        // when a build last wanted it
  std::string text;       // the instruction, for people
};

void bind(json::Binder& b, CachedStep& step);

class StepCache {
 public:
  explicit StepCache(std::string root) : root_(std::move(root)) {}

  // Nothing when it is not there, its layer is gone, or power was cut before the layer was safe.
  // `ttl` 0: of any age. What is found counts as used now.
  Result<std::optional<CachedStep>> find(const std::string& key, std::int64_t ttl_seconds) const;
  // From now on nobody collects the layer, which may come a moment later.
  Status put(const CachedStep& step) const;
  Status remove(const std::string& key) const;
  Result<std::vector<CachedStep>> list() const;  // by key
  // The layers of all steps and those below them.
  std::vector<std::string> needed_layers() const;

  std::string folder() const;  // ROOT/buildcache

 private:
  std::string root_;
};

// A layer that a build has made is not flushed to the disk by itself: it carries a mark until
// something is that stands on it. After a power cut such a layer is worth nothing.
Status mark_unsynced(const std::string& layer_dir);
bool is_lost(const std::string& layer_dir);  // marked in another boot
void clear_unsynced(const std::string& layer_dir);

}  // namespace minke::store
