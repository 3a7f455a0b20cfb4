// manifest push: the images of a list, then the list.
#include <optional>

#include "base/failpoint.h"
#include "base/str.h"
#include "codec/digest.h"
#include "engine/engine.h"
#include "engine/manifest_list.h"
#include "engine/pull.h"
#include "engine/remote_manifest.h"
#include "engine/transfer_host.h"
#include "store/layout.h"
#include "store/transfer.h"

namespace minke::engine {
namespace {

void tell(const PushList& request, TransferEvent::Kind kind, std::string_view text) {
  if (!request.watch) return;
  TransferEvent event;
  event.kind = kind;
  event.text = text;
  request.watch(event);
}

// Config and layers of an image of the store, as its manifest names them, and then the manifest
// under its digest.
Status push_member(Engine& engine, Registries& registries, const oci::Reference& to,
                   const ListMember& member, const std::string& manifest_json,
                   const std::string& same_registry, const store::Staging* borrowed) {
  oci::Manifest manifest = TRY(oci::parse_manifest(manifest_json));
  store::TransferRequest request;
  RegistryHost host = TRY(registries.push_host(to));
  request.hosts.push_back(transfer_host(host));
  set_retries(registries.access(), &request);
  request.reference = member.digest;
  request.manifest = manifest_json;
  request.media_type = member.media_type;
  auto add = [&](const oci::Descriptor& blob) {
    std::string digest = blob.digest.str();
    for (const store::TransferBlob& other : request.blobs)
      if (other.digest == digest) return;
    store::TransferBlob& out = request.blobs.emplace_back();
    out.digest = std::move(digest);
    out.size = static_cast<std::uint64_t>(blob.size);
    out.staged =
        borrowed != nullptr &&
        sys::exists(concat(borrowed->path(), "/", store::kStagedBlobsDir, "/", blob.digest.hex()));
    if (!same_registry.empty()) out.mount_from.push_back(same_registry);
  };
  for (const oci::Descriptor& layer : manifest.layers) add(layer);
  add(manifest.config);
  return store::push_blobs(engine.store(), std::move(request), borrowed, {});
}

// An image that is only elsewhere, fetched for as long as it is pushed on.
Result<store::Fetched> borrow(Engine& engine, const PushList& request, const ListMember& member,
                              const std::string& source) {
  PullRequest pull;
  pull.reference = concat(source, "@", member.digest);
  pull.os = member.os;
  pull.arch = member.architecture;
  pull.variant = member.variant;
  pull.access = request.access;
  pull.access.creds.clear();  // they are for the destination
  return borrow_image(engine, pull);
}

Result<oci::Reference> destination_of(const std::string& typed) {
  std::string_view name = typed;
  if (name.starts_with("docker://")) name.remove_prefix(9);
  for (const char* transport : {"oci:", "oci-archive:", "docker-archive:", "dir:",
                                "containers-storage:", "docker-daemon:", "ostree:"})
    if (name.starts_with(transport))
      return Error(Errc::unsupported, concat(typed, ": a list is pushed to registries only"));
  oci::Reference reference = TRY_CTX(oci::Reference::parse(name), typed);
  if (!reference.digest.empty())
    return Error(Errc::invalid_argument, concat(typed, ": a list is pushed under a tag"));
  return reference.normalized("docker.io");
}

// "docker://quay.io/a/b" as the repository, when it is of the registry that is pushed to.
std::string repository_at(const std::string& source, const oci::Reference& to) {
  std::string_view name = source;
  if (!name.starts_with("docker://")) return {};
  name.remove_prefix(9);
  auto parts = split_once(name, '/');
  return parts && parts->first == to.registry ? std::string(parts->second) : std::string();
}

}  // namespace

Result<std::string> push_list(Engine& engine, const PushList& request) {
  TRY(engine.enter());
  store::Image image = TRY(find_list(engine, request.list));
  ImageList list = TRY_CTX(ImageList::parse(image.manifest_json), request.list);
  std::string json = TRY(list.dump(request.format));
  oci::Reference to = TRY(destination_of(request.destination));
  Registries registries(engine.host(), request.access);
  std::map<std::string, std::string> sources = store::Store::list_sources(image);
  std::size_t count = request.all ? list.members.size() : 0;
  tell(request, TransferEvent::Kind::trying,
       concat("Copying ", count, " of ", list.members.size(), " images in list"));
  for (std::size_t i = 0; i < count; ++i) {
    const ListMember& member = list.members[i];
    tell(request, TransferEvent::Kind::trying,
         concat("Copying image ", member.digest, " (", i + 1, "/", count, ")"));
    oci::Digest digest = TRY(oci::Digest::parse(member.digest));
    std::string source = sources[member.digest];
    auto manifest = engine.store().read_blob(digest);
    std::optional<store::Staging> borrowed;
    if (!manifest && !source.empty()) {
      store::Fetched fetched = TRY_CTX(borrow(engine, request, member, source),
                                       concat("copying image ", i + 1, "/", count));
      manifest = std::move(fetched.manifest);
      if (fetched.staging) borrowed.emplace(std::move(*fetched.staging));
      failpoint("engine.manifest-push", 1);  // fetched, not pushed
    }
    if (!manifest)
      return Error(Errc::not_found,
                   concat("could not find image instance ", member.digest, " of manifest list ",
                          image.id, " in local containers storage: image not known"));
    TRY_CTX(push_member(engine, registries, to, member, *manifest, repository_at(source, to),
                        borrowed ? &*borrowed : nullptr),
            concat("copying image ", i + 1, "/", count));
  }
  TRY(put_remote_manifest(registries, to, json, manifest_type_of(json)));
  tell(request, TransferEvent::Kind::manifest, "Writing manifest list to image destination");
  return concat("sha256:", sha256_hex(json));
}

}  // namespace minke::engine
