// The OCI image specification 1.1: digests, descriptors, manifests, indexes and image configs.
// Docker's schema 2 media types are read as their OCI twins. Raw bytes are what digests are of;
// keep them beside.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace minke::oci {

// "sha256:<64 hex>" only (and sha512); anything else is refused when parsed, so that it can be a
// file name.
class Digest {
 public:
  Digest() = default;
  static Result<Digest> parse(std::string_view text);
  static Digest sha256(std::string_view hex64);  // hex must be right (checked)
  const std::string& str() const { return text_; }
  std::string_view algorithm() const { return std::string_view(text_).substr(0, text_.find(':')); }
  std::string_view hex() const { return std::string_view(text_).substr(text_.find(':') + 1); }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Digest&) const = default;

 private:
  std::string text_;
};

inline constexpr std::string_view kMediaManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kMediaIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kMediaConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kMediaLayerTar = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kMediaLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kMediaLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
// The twin of the other dialect; what has none comes back as it is.
std::string_view oci_media_type(std::string_view media_type);
std::string_view docker_media_type(std::string_view media_type);

struct Platform {
  std::string architecture, os, os_version, variant;
  std::vector<std::string> os_features;
};
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::int64_t size = 0;
  std::vector<std::string> urls;
  std::map<std::string, std::string> annotations;
  std::optional<Platform> platform;
  std::string artifact_type;
};
struct Manifest {
  std::int32_t schema_version = 2;
  std::string media_type, artifact_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations;
};
struct ImageIndex {
  std::int32_t schema_version = 2;
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations;
};
struct Healthcheck {
  std::vector<std::string> test;
  std::int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;  // ns
  std::int32_t retries = 0;
};
struct ImageProcessConfig {  // "config" of the image config
  std::string user;
  std::map<std::string, json::Value> exposed_ports, volumes;  // keys count
  std::vector<std::string> env;
  std::optional<std::vector<std::string>> entrypoint, cmd, shell, on_build;
  std::string working_dir, stop_signal;
  std::map<std::string, std::string> labels;
  std::optional<Healthcheck> healthcheck;
};
struct History {
  std::string created, created_by, author, comment;
  bool empty_layer = false;
};
struct ImageConfig {
  std::string created, author, architecture, variant, os, os_version;
  std::string comment;  // Docker's dialect only
  ImageProcessConfig config;
  std::vector<Digest> diff_ids;  // rootfs.diff_ids
  std::vector<History> history;
};

// Reading refuses what could mean two things or become a path: a bad digest, a negative size, more
// than 1,000 layers. Docker's media types come out as OCI's.
Result<Manifest> parse_manifest(
    std::string_view json);  // refuses an index, or both at once (CVE-2021-41190)
Result<ImageIndex> parse_index(std::string_view json);
Result<ImageConfig> parse_image_config(std::string_view json);
std::string dump_manifest(const Manifest& m);
std::string dump_index(const ImageIndex& i);
std::string dump_image_config(const ImageConfig& c);
void bind(json::Binder& b, ImageProcessConfig& c);
void bind(json::Binder& b, History& h);
void bind(json::Binder& b, Healthcheck& h);
void bind(json::Binder& b, Descriptor& d);
void bind(json::Binder& b, Platform& p);
Platform host_platform();  // linux, GOARCH name

}  // namespace minke::oci
