// Pushing: which image, where to, and what of it has to change on the way.
#include "engine/push.h"

#include <algorithm>
#include <set>

#include "base/failpoint.h"
#include "base/str.h"
#include "codec/digest.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/registries.h"
#include "engine/transfer_host.h"
#include "engine/transport.h"
#include "oci/convert.h"
#include "store/image_name.h"
#include "store/image_worker.h"
#include "store/transfer.h"
#include "sys/output_file.h"

namespace minke::engine {
namespace {

// The media type that the manifest's own bytes say.
std::string own_media_type(const store::Image& image) {
  auto value = json::parse(image.manifest_json);
  const json::Value* type = value ? value->find("mediaType") : nullptr;
  std::string text(type != nullptr ? type->string_or("") : "");
  return text.empty() ? std::string(oci::kMediaManifest) : text;
}

bool is_docker_type(const std::string& media_type) { return media_type != oci::kMediaManifest; }

std::string_view layer_type_of(std::string_view compression) {
  return compression == "zstd" ? oci::kMediaLayerZstd : oci::kMediaLayerGzip;
}

void tell(const PushRequest& request, TransferEvent::Kind kind, std::string digest = {}) {
  if (!request.watch) return;
  TransferEvent event;
  event.kind = kind;
  event.digest = std::move(digest);
  request.watch(event);
}

class RegistryPush {
 public:
  RegistryPush(Engine& engine, const PushRequest& request, const store::Image& image)
      : engine_(engine), request_(request), image_(image), manifest_(image.manifest) {}

  Result<std::string> run(const oci::Reference& to) {
    Registries registries(engine_.host(), request_.access);
    store::TransferRequest transfer;
    RegistryHost host = TRY(registries.push_host(to));
    transfer.hosts.push_back(transfer_host(host));
    set_retries(request_.access, &transfer);
    tell(request_, TransferEvent::Kind::started);
    TRY(prepare());
    TRY(add_blobs(to, &transfer));
    transfer.reference = to.tag;
    transfer.manifest = manifest_json_;
    transfer.media_type = media_type_;
    TRY(store::push_blobs(engine_.store(), std::move(transfer), packed_ ? &*packed_ : nullptr,
                          [this](const store::TransferMessage& message) { forward(message); }));
    tell(request_, TransferEvent::Kind::manifest);
    return digest_;
  }

 private:
  // Packed anew, or in the other dialect, when that is asked for or a layer lies here plain.
  Status prepare() {
    std::string own = own_media_type(image_);
    bool docker = request_.format.empty() ? is_docker_type(own) || image_.docker_format
                                          : request_.format == "v2s2";
    std::string_view wanted = layer_type_of(request_.compression_format);
    bool change = docker != is_docker_type(own);
    for (const oci::Descriptor& layer : image_.manifest.layers)
      if (layer.media_type == oci::kMediaLayerTar ||
          (request_.force_compression && layer.media_type != wanted))
        change = true;
    manifest_json_ = image_.manifest_json;
    media_type_ = own;
    digest_ = image_.manifest_descriptor.digest.str();
    if (!change) return {};
    store::PackRequest pack;
    pack.docker = docker;
    pack.compression = request_.compression_format;
    pack.level = request_.compression_level.value_or(0);
    pack.force = request_.force_compression;
    packed_.emplace(TRY(store::pack_image(engine_.store(), image_, pack, &manifest_json_)));
    manifest_ = TRY(oci::parse_manifest(manifest_json_));
    media_type_ = docker ? std::string(oci::docker_media_type(oci::kMediaManifest))
                         : std::string(oci::kMediaManifest);
    digest_ = concat("sha256:", sha256_hex(manifest_json_));
    return {};
  }

  // Other repositories of that registry whose images, as this store knows, have the layer.
  std::vector<std::string> mounts_for(const oci::Reference& to, const oci::Digest& layer) {
    std::set<std::string> names;
    for (const store::Image& other : images_) {
      bool has = std::any_of(other.manifest.layers.begin(), other.manifest.layers.end(),
                             [&](const oci::Descriptor& d) { return d.digest == layer; });
      if (!has) continue;
      for (const std::string& text : other.names)
        if (auto name = oci::Reference::parse(text);
            name && name->registry == to.registry && name->repository != to.repository)
          names.insert(name->repository);
    }
    constexpr std::size_t kMost = 3;
    std::vector<std::string> out(names.begin(), names.end());
    if (out.size() > kMost) out.resize(kMost);
    return out;
  }

  Status add_blobs(const oci::Reference& to, store::TransferRequest* transfer) {
    images_ = TRY(engine_.store().list_images());
    std::set<std::string> seen;
    for (const oci::Descriptor& layer : manifest_.layers) {
      if (!seen.insert(layer.digest.str()).second) continue;
      store::TransferBlob blob;
      blob.digest = layer.digest.str();
      blob.size = static_cast<std::uint64_t>(layer.size);
      blob.staged = packed_ && !sys::exists(engine_.store().blob_path(layer.digest));
      blob.mount_from = mounts_for(to, layer.digest);
      transfer->blobs.push_back(std::move(blob));
    }
    store::TransferBlob config;
    config.digest = manifest_.config.digest.str();
    config.size = static_cast<std::uint64_t>(manifest_.config.size);
    transfer->blobs.push_back(std::move(config));
    return {};
  }

  void forward(const store::TransferMessage& message) {
    if (!request_.watch) return;
    TransferEvent event;
    bool config = message.digest == manifest_.config.digest.str();
    if (config && message.kind != "finished" && message.kind != "skipped") return;
    event.kind = config                       ? TransferEvent::Kind::config
                 : message.kind == "layer"    ? TransferEvent::Kind::blob
                 : message.kind == "progress" ? TransferEvent::Kind::progress
                 : message.kind == "skipped"  ? TransferEvent::Kind::skipped
                                              : TransferEvent::Kind::finished;
    event.digest = message.digest;
    event.done = message.done;
    event.total = message.total;
    request_.watch(event);
  }

  Engine& engine_;
  const PushRequest& request_;
  const store::Image& image_;
  oci::Manifest manifest_;
  std::string manifest_json_, media_type_, digest_;
  std::optional<store::Staging> packed_;
  std::vector<store::Image> images_;
};

Status check_request(const PushRequest& request) {
  if (!request.format.empty() && request.format != "oci" && request.format != "v2s2") {
    if (request.format == "v2s1")
      return Error(Errc::unsupported,
                   "--format v2s1: the schema before 2016 is not written any "
                   "more: use oci or v2s2");
    return Error(Errc::invalid_argument,
                 concat("unknown format ", quote(request.format),
                        ". Choose one of the supported formats: oci, v2s2"));
  }
  const std::string& packed = request.compression_format;
  if (packed == "zstd:chunked")
    return Error(Errc::unsupported, "--compression-format zstd:chunked is not written: use zstd");
  if (!packed.empty() && packed != "gzip" && packed != "zstd")
    return Error(Errc::invalid_argument,
                 concat("unknown compression format ", quote(packed), ": gzip or zstd"));
  if (request.compression_level) {
    std::int32_t most = packed == "zstd" ? 20 : 9;
    if (*request.compression_level < 1 || *request.compression_level > most)
      return Error(Errc::invalid_argument,
                   concat("--compression-level ", *request.compression_level, ": 1 to ", most,
                          " for ", packed.empty() ? "gzip" : packed));
  }
  return {};
}

// Layouts, folders and archives are written as `save` does.
Result<std::string> push_to_place(Engine& engine, const PushRequest& request,
                                  const store::Image& image, const ImagePlace& place) {
  if (!request.compression_format.empty() || request.compression_level || request.force_compression)
    return Error(Errc::unsupported, concat("compression options are for registries, not for ",
                                           transport_name(place.transport), ":"));
  store::SaveRequest save;
  save.images.push_back(image);
  save.compress = request.compress;
  if (!place.name.empty()) save.names.push_back({place.name});
  std::optional<sys::OutputFile> file;
  switch (place.transport) {
    case Transport::oci:
      save.format = store::ArchiveFormat::oci_dir;
      break;
    case Transport::dir:
      save.format = store::ArchiveFormat::docker_dir;
      break;
    case Transport::oci_archive:
      save.format = store::ArchiveFormat::oci_archive;
      break;
    default:
      save.format = store::ArchiveFormat::docker_archive;
      if (!place.name.empty()) {
        oci::Reference name = TRY(oci::Reference::parse(place.name));
        save.names = {{name.normalized("docker.io").str()}};
      }
  }
  bool folder = place.transport == Transport::oci || place.transport == Transport::dir;
  bool docker = save.format == store::ArchiveFormat::docker_dir ||
                save.format == store::ArchiveFormat::docker_archive;
  if (!request.format.empty() && (request.format == "v2s2") != docker)
    return Error(Errc::unsupported, concat("--format ", request.format, " is not written to ",
                                           transport_name(place.transport), ":"));
  if (folder) {
    save.output_dir = place.path;
  } else {
    // Images that are in it already are not for this to lose.
    if (place.transport == Transport::docker_archive && sys::has_content(place.path))
      return Error(Errc::already_exists,
                   "docker-archive doesn't support modifying existing images");
    file.emplace(TRY(sys::OutputFile::open(place.path)));
    save.output_fd = file->fd();
  }
  tell(request, TransferEvent::Kind::started);
  for (const oci::Descriptor& layer : image.manifest.layers)
    tell(request, TransferEvent::Kind::blob, layer.digest.str());
  TRY(store::save_images(engine.store(), save));
  failpoint("engine.push", 1);  // an archive is whole, and has no name yet
  if (file) TRY(file->keep());
  tell(request, TransferEvent::Kind::config, image.manifest.config.digest.str());
  tell(request, TransferEvent::Kind::manifest);
  if (place.transport == Transport::oci || place.transport == Transport::oci_archive) {
    std::string written = TRY(oci::to_oci_manifest(image.manifest_json));
    if (written == image.manifest_json) return image.manifest_descriptor.digest.str();
    return concat("sha256:", sha256_hex(written));
  }
  if (place.transport != Transport::dir) return image.manifest_descriptor.digest.str();
  std::string written = TRY(sys::read_small_file(place.path + "/manifest.json"));
  return concat("sha256:", sha256_hex(written));
}

}  // namespace

Result<std::string> push_image(Engine& engine, const PushRequest& request) {
  TRY(check_request(request));
  TRY(engine.enter());
  store::Image image = TRY(engine.store().find_image(request.image));
  std::string destination = request.destination;
  if (destination.empty()) {
    destination = store::name_as_typed(image, request.image);
    if (destination.empty()) {
      if (image.names.empty())
        return Error(Errc::invalid_argument,
                     concat(request.image, ": the image has no name: say where it goes"));
      destination = image.names[0];
    }
  }
  ImagePlace place = TRY(parse_image_place(destination));
  if (place.transport != Transport::docker) {
    std::string digest = TRY_CTX(push_to_place(engine, request, image, place), destination);
    emit_image(engine.host(), "push", image.id, destination);
    return digest;
  }
  oci::Reference to = TRY(oci::Reference::parse(place.name));
  if (!to.digest.empty())
    return Error(Errc::invalid_argument,
                 concat(destination, ": an image is pushed to a tag, not to a digest"));
  to = to.normalized("docker.io");
  std::string digest = TRY(RegistryPush(engine, request, image).run(to));
  emit_image(engine.host(), "push", image.id, to.str());
  return digest;
}

}  // namespace minke::engine
