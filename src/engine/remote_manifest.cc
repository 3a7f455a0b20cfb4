#include "engine/remote_manifest.h"

#include <algorithm>

#include "base/str.h"
#include "codec/digest.h"
#include "engine/image_list.h"
#include "engine/transfer_host.h"
#include "store/transfer.h"

namespace minke::engine {
namespace {

constexpr std::uint64_t kMaxManifest = 4 << 20, kMaxConfig = 8 << 20;
constexpr const char* kAccepted[] = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
};

// Asks mirrors and the registry in turn; the first that has it. The error is the registry's own.
Result<store::TransferMessage> ask_hosts(Registries& registries, const oci::Reference& image,
                                         store::TransferRequest request, std::string_view kind,
                                         const std::string& name, std::string_view what) {
  std::vector<RegistryHost> hosts = TRY(registries.pull_hosts(image));
  set_retries(registries.access(), &request);
  request.method = "GET";
  Error last(Errc::not_found, concat(image.str(), ": no registry to ask"));
  for (const RegistryHost& known : hosts) {
    store::TransferHost host = transfer_host(known);
    request.hosts = {host};
    request.path = concat("/v2/", host.repository, "/", kind, "/", name);
    request.scope = concat("repository:", host.repository, ":pull");
    auto answer = store::ask_registry(request);
    if (answer && answer->status == 200) return answer;
    last = answer ? store::registry_fault(*answer).wrap(
                        concat(what, " ", name, " in ", host.host, "/", host.repository))
                  : std::move(answer.error());
  }
  return last;
}

std::string type_of_answer(const store::TransferMessage& answer) {
  std::string said = manifest_type_of(answer.body);
  if (!said.empty()) return said;
  auto header = answer.headers.find("content-type");
  if (header == answer.headers.end()) return {};
  return std::string(trim(header->second.substr(0, header->second.find(';'))));
}

Status check_digest(std::string_view bytes, const oci::Digest& digest) {
  Hasher hasher(digest.algorithm() == "sha512" ? HashKind::sha512 : HashKind::sha256);
  hasher.update(bytes);
  std::string found = hasher.hex();
  if (found == digest.hex()) return {};
  return Error(Errc::corrupt, concat("what the registry sent for ", digest.str(),
                                     " has the digest ", digest.algorithm(), ":", found));
}

Result<RemoteText> get_at(Registries& registries, const oci::Reference& reference) {
  store::TransferRequest request;
  request.accept.assign(std::begin(kAccepted), std::end(kAccepted));
  request.max_body = kMaxManifest;
  std::string name = reference.digest.empty() ? reference.tag : reference.digest.str();
  store::TransferMessage answer = TRY(
      ask_hosts(registries, reference, std::move(request), "manifests", name, "reading manifest"));
  if (!reference.digest.empty()) TRY(check_digest(answer.body, reference.digest));
  RemoteText out;
  out.media_type = type_of_answer(answer);
  out.digest = reference.digest.empty() ? concat("sha256:", sha256_hex(answer.body))
                                        : reference.digest.str();
  out.json = std::move(answer.body);
  out.reference = reference;
  return out;
}

}  // namespace

Result<RemoteText> get_remote_manifest(Registries& registries, std::string_view typed) {
  std::string_view name = typed;
  if (name.starts_with("docker://")) name.remove_prefix(9);
  oci::Reference reference = TRY(oci::Reference::parse(name));
  if (reference.qualified()) return get_at(registries, reference.normalized(""));
  config::ShortName found = TRY(registries.short_name(reference, false));
  std::string faults;
  for (const std::string& candidate : found.candidates) {
    oci::Reference full = TRY(oci::Reference::parse(candidate));
    full.tag = reference.tag;
    full.digest = reference.digest;
    auto got = get_at(registries, full.normalized(""));
    if (got || found.candidates.size() == 1) return got;
    faults += concat(faults.empty() ? "" : "; ", got.error().message());
  }
  return Error(Errc::not_found, std::move(faults));
}

Result<RemoteText> get_remote_member(Registries& registries, const oci::Reference& list,
                                     const std::string& digest) {
  oci::Reference member = list;
  member.tag.clear();
  member.digest = TRY(oci::Digest::parse(digest));
  return get_at(registries, member);
}

Result<std::string> get_remote_blob(Registries& registries, const oci::Reference& image,
                                    const oci::Digest& digest) {
  store::TransferRequest request;
  request.max_body = kMaxConfig;
  store::TransferMessage answer =
      TRY(ask_hosts(registries, image, std::move(request), "blobs", digest.str(), "reading blob"));
  TRY(check_digest(answer.body, digest));
  return std::move(answer.body);
}

Result<store::Image> get_remote_image(Registries& registries, std::string_view typed) {
  RemoteText remote = TRY(get_remote_manifest(registries, typed));
  std::string digest = remote.digest;  // of what the name stands for
  if (is_list_type(remote.media_type)) {
    oci::Platform host = oci::host_platform();
    ImageList list = TRY(ImageList::parse(remote.json));
    auto member = std::find_if(list.members.begin(), list.members.end(), [&](const auto& one) {
      return one.os == host.os && one.architecture == host.architecture;
    });
    if (member == list.members.end())
      return Error(Errc::not_found, concat("no image found in manifest list for architecture ",
                                           host.architecture, ", OS ", host.os));
    oci::Reference named = remote.reference;
    remote = TRY(get_remote_member(registries, named, member->digest));
    remote.reference = std::move(named);
  }
  store::Image image;
  image.manifest = TRY(oci::parse_manifest(remote.json));
  image.manifest_descriptor.media_type = remote.media_type;
  image.manifest_descriptor.digest = TRY(oci::Digest::parse(remote.digest));
  image.manifest_descriptor.size = static_cast<std::int64_t>(remote.json.size());
  image.id = image.manifest.config.digest.hex();
  image.config_json =
      TRY(get_remote_blob(registries, remote.reference, image.manifest.config.digest));
  image.config = TRY(oci::parse_image_config(image.config_json));
  image.docker_format = remote.media_type != oci::kMediaManifest;
  for (const oci::Descriptor& layer : image.manifest.layers) image.size += layer.size;
  image.names.push_back(remote.reference.str());
  image.digests.push_back(concat(remote.reference.name(), "@", digest));
  image.manifest_json = std::move(remote.json);
  return image;
}

Status put_remote_manifest(Registries& registries, const oci::Reference& reference,
                           const std::string& json, const std::string& media_type) {
  store::TransferRequest request;
  RegistryHost known = TRY(registries.push_host(reference));
  store::TransferHost host = transfer_host(known);
  set_retries(registries.access(), &request);
  std::string name = reference.tag.empty() ? concat("sha256:", sha256_hex(json)) : reference.tag;
  request.method = "PUT";
  request.path = concat("/v2/", host.repository, "/manifests/", name);
  request.scope = concat("repository:", host.repository, ":pull,push");
  request.body = json;
  request.content_type = media_type;
  std::string what = concat("writing manifest ", name, " in ", host.host, "/", host.repository);
  request.hosts.push_back(std::move(host));
  auto answer = store::ask_registry(std::move(request));
  if (!answer) return std::move(answer.error());
  if (answer->status < 200 || answer->status > 299)
    return store::registry_fault(*answer).wrap(what);
  return {};
}

}  // namespace minke::engine
