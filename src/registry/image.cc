#include "registry/image.h"

#include <algorithm>
#include <vector>

#include "base/str.h"
#include "codec/digest.h"
#include "registry/blob.h"

namespace minke::registry {
namespace {

constexpr std::size_t kMaxManifest = 4 << 20;
constexpr std::int64_t kMaxConfig = 8 << 20;
constexpr int kMaxDepth = 3;  // of lists in lists

constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";

std::string digest_of(std::string_view bytes, std::string_view algorithm) {
  Hasher hasher(algorithm == "sha512" ? HashKind::sha512 : HashKind::sha256);
  hasher.update(bytes);
  return concat(algorithm, ":", hasher.hex());
}

std::string media_type_of(const HttpResponse& answer) {
  std::string type = answer.header("content-type");
  type.resize(std::min(type.find_first_of(";,"), type.size()));
  return std::string(trim(type));
}

// What the bytes call themselves decides only where the registry did not say it; where both do,
// they must agree: one text must not be a manifest to one reader and a list to another
// (CVE-2021-41190).
Result<std::string> agreed_media_type(std::string header, std::string_view json) {
  json::Value value =
      TRY_CTX(json::parse(json, {.max_depth = 64, .max_size = kMaxManifest}), "manifest");
  const json::Value* own = value.find("mediaType");
  std::string inside(own != nullptr ? own->string_or("") : "");
  bool known = header == oci::kMediaManifest || header == oci::kMediaIndex ||
               header == kDockerManifest || header == kDockerList;
  if (known && !inside.empty() && inside != header)
    return Error(Errc::corrupt, concat("manifest: it calls itself ", quote(inside),
                                       ", the registry calls it ", quote(header)));
  if (known) return header;
  if (header.find("manifest.v1+") != std::string::npos)
    return Error(Errc::unsupported,
                 "a manifest of schema 1, as Docker before 1.10 made it: push the image again with "
                 "a later Docker");
  if (!inside.empty()) return inside;
  return std::string(value.find("manifests") != nullptr ? oci::kMediaIndex : oci::kMediaManifest);
}

// arm/v7 runs what was made for v6 and v5.
std::vector<std::string> variants_for(const oci::Platform& wanted) {
  std::vector<std::string> out;
  std::string variant = wanted.variant;
  if (wanted.architecture == "arm64" && variant.empty()) variant = "v8";
  if (wanted.architecture == "arm" && variant.empty()) variant = "v7";
  out.push_back(variant);
  if (variant.size() == 2 && variant[0] == 'v' &&
      (wanted.architecture == "arm" || wanted.architecture == "amd64"))
    for (char lower = static_cast<char>(variant[1] - 1); lower >= '1'; --lower)
      out.push_back({'v', lower});
  if (!variant.empty()) out.emplace_back();
  return out;
}

}  // namespace

const oci::Descriptor* choose_platform(const oci::ImageIndex& index, const oci::Platform& wanted) {
  for (const std::string& variant : variants_for(wanted))
    for (const oci::Descriptor& entry : index.manifests)
      if (entry.platform && entry.platform->os == wanted.os &&
          entry.platform->architecture == wanted.architecture && entry.platform->variant == variant)
        return &entry;
  if (!wanted.variant.empty()) return nullptr;
  for (const oci::Descriptor& entry : index.manifests)
    if (entry.platform && entry.platform->os == wanted.os &&
        entry.platform->architecture == wanted.architecture)
      return &entry;
  // A list of one that does not say is for whoever asks.
  if (index.manifests.size() == 1 && !index.manifests[0].platform) return &index.manifests[0];
  return nullptr;
}

Result<RemoteManifest> get_manifest(Client& client, const std::string& repository,
                                    const std::string& reference) {
  HttpRequest request;
  request.url = concat("/v2/", repository, "/manifests/", reference);
  for (std::string_view type :
       {oci::kMediaManifest, oci::kMediaIndex, kDockerManifest, kDockerList})
    request.headers.push_back(concat("Accept: ", type));
  request.max_body = kMaxManifest;
  std::string what =
      concat("reading manifest ", reference, " in ", client.access().host, "/", repository);
  HttpResponse answer =
      TRY(client.send(std::move(request), {concat("repository:", repository, ":pull")}));
  if (answer.status != 200) return Client::fault_of(answer).wrap(what);
  RemoteManifest manifest;
  manifest.json = std::move(answer.body);
  auto asked = oci::Digest::parse(reference);
  manifest.digest = TRY(oci::Digest::parse(
      digest_of(manifest.json, asked ? asked->algorithm() : std::string_view("sha256"))));
  if (asked && manifest.digest != *asked)
    return Error(Errc::corrupt, concat(what, ": digest mismatch: expected ", asked->str(),
                                       ", found ", manifest.digest.str()));
  if (auto told = oci::Digest::parse(answer.header("docker-content-digest")))
    if (told->algorithm() == manifest.digest.algorithm() && *told != manifest.digest)
      return Error(Errc::corrupt, concat(what, ": digest mismatch: the registry says ", told->str(),
                                         ", found ", manifest.digest.str()));
  manifest.media_type = TRY_CTX(agreed_media_type(media_type_of(answer), manifest.json), what);
  manifest.is_index = manifest.media_type == oci::kMediaIndex || manifest.media_type == kDockerList;
  return manifest;
}

Result<RemoteImage> get_image(Client& client, const std::string& repository,
                              const std::string& reference, const oci::Platform& wanted) {
  RemoteImage image;
  std::string next = reference;
  for (int depth = 0;; ++depth) {
    image.manifest = TRY(get_manifest(client, repository, next));
    if (!image.manifest.is_index) break;
    if (depth >= kMaxDepth)
      return Error(Errc::corrupt,
                   concat("reading manifest ", reference, " in ", client.access().host, "/",
                          repository, ": image index: nested too deep"));
    if (image.index.empty()) image.index = image.manifest.digest;
    oci::ImageIndex index = TRY_CTX(oci::parse_index(image.manifest.json), "image index");
    const oci::Descriptor* entry = choose_platform(index, wanted);
    if (entry == nullptr)
      return Error(
          Errc::not_found,
          concat("choosing an image from manifest list docker://", client.access().host, "/",
                 repository, ": no image found in ",
                 image.manifest.media_type == oci::kMediaIndex ? "image index" : "manifest list",
                 " for architecture ", quote(wanted.architecture), ", variant ",
                 quote(wanted.variant), ", OS ", quote(wanted.os)));
    next = entry->digest.str();
  }
  image.parsed = TRY_CTX(oci::parse_manifest(image.manifest.json), "manifest");
  if (image.parsed.config.media_type != oci::kMediaConfig || !image.parsed.artifact_type.empty()) {
    const std::string& type = image.parsed.artifact_type.empty() ? image.parsed.config.media_type
                                                                 : image.parsed.artifact_type;
    return Error(
        Errc::unsupported,
        concat("unsupported image-specific operation on artifact with type ", quote(type)));
  }
  for (const oci::Descriptor& layer : image.parsed.layers)
    if (layer.media_type.ends_with("+encrypted"))
      return Error(Errc::unsupported, concat("layer ", layer.digest.str(),
                                             " is encrypted; decryption is not supported"));
  const oci::Descriptor& config = image.parsed.config;
  if (config.size > kMaxConfig)
    return Error(Errc::corrupt, concat("config ", config.digest.str(), ": larger than 8 MiB"));
  image.config_json = TRY(get_small_blob(client, repository, config));
  image.config = TRY_CTX(oci::parse_image_config(image.config_json), "config");
  if (image.config.diff_ids.size() != image.parsed.layers.size())
    return Error(Errc::unsupported,
                 concat("the manifest names ", image.parsed.layers.size(), " layers, its config ",
                        image.config.diff_ids.size(), ": not a container image"));
  return image;
}

}  // namespace minke::registry
