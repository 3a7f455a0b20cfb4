// Field tables of the image specification, and the checks that make foreign manifests safe to use.
#include "oci/image.h"

#include <sys/utsname.h>

#include "base/str.h"

namespace minke::oci {
namespace {

constexpr json::ParseLimits kLimits{.max_depth = 64, .max_size = 8 << 20};
constexpr std::size_t kMaxLayers = 1000, kMaxManifests = 10'000;

struct MediaTypeRow {
  std::string_view docker, oci;
};
constexpr MediaTypeRow kMediaTypes[] = {
    {"application/vnd.docker.distribution.manifest.v2+json", kMediaManifest},
    {"application/vnd.docker.distribution.manifest.list.v2+json", kMediaIndex},
    {"application/vnd.docker.container.image.v1+json", kMediaConfig},
    {"application/vnd.docker.image.rootfs.diff.tar", kMediaLayerTar},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", kMediaLayerGzip},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", kMediaLayerZstd},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
     "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"},
};

std::size_t hex_size(std::string_view algorithm) {
  if (algorithm == "sha256") return 64;
  if (algorithm == "sha512") return 128;
  return 0;
}

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void bind_digest(json::Binder& b, const char* key, Digest& digest) {
  std::string text = digest.str();
  b(key, text);
  if (!b.reading() || text.empty()) return;
  auto parsed = Digest::parse(text);
  if (parsed)
    digest = std::move(*parsed);
  else
    b.fail_at(key, parsed.error().message());
}

void bind_media_type(json::Binder& b, const char* key, std::string& field) {
  b(key, field);
  if (b.reading()) field = oci_media_type(field);
}

// A set as Go writes one: an object whose members are empty objects.
void bind_set(json::Binder& b, const char* key, std::map<std::string, json::Value>& set) {
  json::Value value;
  if (!b.reading()) {
    if (set.empty()) return;
    json::Object members;
    for (const auto& [name, item] : set)
      members.set(name, item.is_null() ? json::Value(json::Object()) : item);
    value = std::move(members);
    b(key, value);
    return;
  }
  b(key, value);
  if (value.is_null()) return;
  const json::Object* members = value.as_object();
  if (members == nullptr)
    return b.fail_at(key, concat("expected an object, found a ", value.type_name()));
  for (const auto& [name, item] : *members) set[name] = item;
}

}  // namespace

void bind(json::Binder& b, Platform& p) {
  b.required("architecture", p.architecture);
  b.required("os", p.os);
  b("os.version", p.os_version);
  b("os.features", p.os_features);
  b("variant", p.variant);
}
void bind(json::Binder& b, Descriptor& d) {
  bind_media_type(b, "mediaType", d.media_type);
  bind_digest(b, "digest", d.digest);
  b.required("size", d.size);
  if (b.reading() && d.size < 0) b.fail_at("size", "below 0");
  b("urls", d.urls);
  b("annotations", d.annotations);
  b("platform", d.platform);
  b("artifactType", d.artifact_type);
}
void bind(json::Binder& b, Manifest& m) {
  b.required("schemaVersion", m.schema_version);
  bind_media_type(b, "mediaType", m.media_type);
  b("artifactType", m.artifact_type);
  b.required("config", m.config);
  b.required("layers", m.layers);
  b("annotations", m.annotations);
}
void bind(json::Binder& b, ImageIndex& i) {
  b.required("schemaVersion", i.schema_version);
  bind_media_type(b, "mediaType", i.media_type);
  b.required("manifests", i.manifests);
  b("annotations", i.annotations);
}
void bind(json::Binder& b, Healthcheck& h) {
  b("Test", h.test);
  b("Interval", h.interval);
  b("Timeout", h.timeout);
  b("StartPeriod", h.start_period);
  b("StartInterval", h.start_interval);
  b("Retries", h.retries);
}
void bind(json::Binder& b, ImageProcessConfig& c) {
  b("User", c.user);
  bind_set(b, "ExposedPorts", c.exposed_ports);
  b("Env", c.env);
  b("Entrypoint", c.entrypoint);
  b("Cmd", c.cmd);
  bind_set(b, "Volumes", c.volumes);
  b("WorkingDir", c.working_dir);
  b("Labels", c.labels);
  b("StopSignal", c.stop_signal);
  b("Healthcheck", c.healthcheck);
  b("OnBuild", c.on_build);
  b("Shell", c.shell);
}
void bind(json::Binder& b, History& h) {
  b("created", h.created);
  b("created_by", h.created_by);
  b("author", h.author);
  b("comment", h.comment);
  b("empty_layer", h.empty_layer);
}
namespace {
struct RootFs {
  std::string type = "layers";
  std::vector<std::string> diff_ids;
};
void bind(json::Binder& b, RootFs& r) {
  b.required("type", r.type);
  b.required("diff_ids", r.diff_ids);
}
}  // namespace
void bind(json::Binder& b, ImageConfig& c) {
  b("created", c.created);
  b("author", c.author);
  b("comment", c.comment);
  b.required("architecture", c.architecture);
  b("variant", c.variant);
  b.required("os", c.os);
  b("os.version", c.os_version);
  b.required("config", c.config);
  RootFs rootfs;
  for (const Digest& id : c.diff_ids) rootfs.diff_ids.push_back(id.str());
  b.required("rootfs", rootfs);
  if (b.reading()) {
    for (const std::string& text : rootfs.diff_ids) {
      auto id = Digest::parse(text);
      if (!id) return b.fail_at("rootfs.diff_ids", id.error().message());
      c.diff_ids.push_back(std::move(*id));
    }
  }
  b("history", c.history);
}

std::string_view oci_media_type(std::string_view media_type) {
  for (const MediaTypeRow& row : kMediaTypes)
    if (row.docker == media_type) return row.oci;
  return media_type;
}

std::string_view docker_media_type(std::string_view media_type) {
  for (const MediaTypeRow& row : kMediaTypes)
    if (row.oci == media_type) return row.docker;
  return media_type;
}

Result<Digest> Digest::parse(std::string_view text) {
  auto parts = split_once(text, ':');
  if (!parts)
    return Error(Errc::invalid_argument,
                 concat("invalid checksum digest format: ", quote(text.substr(0, 200))));
  std::size_t size = hex_size(parts->first);
  if (size == 0)
    return Error(Errc::invalid_argument,
                 concat("unsupported digest algorithm: ", quote(text.substr(0, 200))));
  if (parts->second.size() != size)
    return Error(Errc::invalid_argument,
                 concat("invalid checksum digest length: ", quote(text.substr(0, 200))));
  if (!is_lower_hex(parts->second))
    return Error(Errc::invalid_argument, concat("invalid checksum digest format: ", quote(text)));
  Digest digest;
  digest.text_ = text;
  return digest;
}

Digest Digest::sha256(std::string_view hex64) {
  MINKE_CHECK(hex64.size() == 64 && is_lower_hex(hex64));
  Digest digest;
  digest.text_ = concat("sha256:", hex64);
  return digest;
}

namespace {

Status check_descriptor(const Descriptor& d, std::string_view what) {
  if (d.digest.empty()) return Error(Errc::invalid_argument, concat(what, ": no digest"));
  return {};
}

// A document that can be read as both a manifest and an index means different images to different
// readers.
Status refuse_ambiguous(const json::Value& value, bool want_index) {
  bool index = value.find("manifests") != nullptr;
  bool manifest = value.find("layers") != nullptr || value.find("config") != nullptr;
  if (index && manifest)
    return Error(Errc::invalid_argument,
                 "ambiguous: has the members of both a manifest and an index");
  if (value.find("fsLayers") != nullptr || value.find("history") != nullptr)
    return Error(Errc::unsupported,
                 "manifest of schema 1, which carries no verified configuration");
  const json::Value* type = value.find("mediaType");
  std::string_view media_type = oci_media_type(type != nullptr ? type->string_or("") : "");
  std::string_view wrong = want_index ? kMediaManifest : kMediaIndex;
  if (media_type == wrong || (want_index ? !index : index))
    return Error(Errc::invalid_argument, want_index ? "expected an image index, found a manifest"
                                                    : "expected a manifest, found an image index");
  if (!media_type.empty() && media_type != (want_index ? kMediaIndex : kMediaManifest))
    return Error(Errc::unsupported,
                 concat("media type ", quote(media_type), " is neither a manifest nor an index"));
  return {};
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  json::Value value = TRY_CTX(json::parse(text, kLimits), "manifest");
  TRY_CTX(refuse_ambiguous(value, false), "manifest");
  Manifest m = TRY_CTX(json::from_value<Manifest>(value), "manifest");
  if (m.schema_version != 2)
    return Error(Errc::unsupported,
                 concat("manifest: schema version ", m.schema_version, ", only 2 is known"));
  if (m.layers.size() > kMaxLayers)
    return Error(Errc::invalid_argument,
                 concat("manifest: ", m.layers.size(), " layers, at most ", kMaxLayers));
  TRY(check_descriptor(m.config, "manifest: config"));
  for (std::size_t i = 0; i < m.layers.size(); ++i)
    TRY(check_descriptor(m.layers[i], concat("manifest: layers[", i, "]")));
  return m;
}

Result<ImageIndex> parse_index(std::string_view text) {
  json::Value value = TRY_CTX(json::parse(text, kLimits), "image index");
  TRY_CTX(refuse_ambiguous(value, true), "image index");
  ImageIndex index = TRY_CTX(json::from_value<ImageIndex>(value), "image index");
  if (index.schema_version != 2)
    return Error(Errc::unsupported,
                 concat("image index: schema version ", index.schema_version, ", only 2 is known"));
  if (index.manifests.size() > kMaxManifests)
    return Error(Errc::invalid_argument, concat("image index: ", index.manifests.size(),
                                                " manifests, at most ", kMaxManifests));
  for (std::size_t i = 0; i < index.manifests.size(); ++i)
    TRY(check_descriptor(index.manifests[i], concat("image index: manifests[", i, "]")));
  return index;
}

Result<ImageConfig> parse_image_config(std::string_view text) {
  json::Value value = TRY_CTX(json::parse(text, kLimits), "image config");
  ImageConfig config = TRY_CTX(json::from_value<ImageConfig>(value), "image config");
  if (config.diff_ids.size() > kMaxLayers)
    return Error(Errc::invalid_argument,
                 concat("image config: ", config.diff_ids.size(), " layers, at most ", kMaxLayers));
  return config;
}

std::string dump_manifest(const Manifest& m) { return json::dump_struct(m); }
std::string dump_index(const ImageIndex& i) { return json::dump_struct(i); }
std::string dump_image_config(const ImageConfig& c) { return json::dump_struct(c); }

Platform host_platform() {
  struct ArchRow {
    std::string_view machine, go, variant;
  };
  constexpr ArchRow kRows[] = {
      {"x86_64", "amd64", ""}, {"aarch64", "arm64", "v8"}, {"armv7l", "arm", "v7"},
      {"armv6l", "arm", "v6"}, {"i686", "386", ""},        {"ppc64le", "ppc64le", ""},
      {"s390x", "s390x", ""},  {"riscv64", "riscv64", ""}, {"loongarch64", "loong64", ""}};
  Platform platform;
  platform.os = "linux";
  struct utsname name {};
  if (::uname(&name) != 0) return platform;
  platform.architecture = name.machine;
  for (const ArchRow& row : kRows)
    if (row.machine == name.machine) {
      platform.architecture = row.go;
      platform.variant = row.variant;
    }
  return platform;
}

}  // namespace minke::oci
