#include "engine/image_list.h"

#include <algorithm>

#include "base/str.h"
#include "codec/json.h"
#include "oci/image.h"

namespace minke::engine {
namespace {

constexpr std::string_view kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

struct PlatformJson {
  ListMember* member;
};
void bind(json::Binder& b, PlatformJson& p) {
  b.required("architecture", p.member->architecture);
  b.required("os", p.member->os);
  b("os.version", p.member->os_version);
  b("os.features", p.member->os_features);
  b("variant", p.member->variant);
  b("features", p.member->features);
}

Result<ListMember> read_member(const json::Value& value) {
  ListMember member;
  json::Binder b(value);
  b("mediaType", member.media_type);
  b("size", member.size);
  b("digest", member.digest);
  b("urls", member.urls);
  b("annotations", member.annotations);
  b("artifactType", member.artifact_type);
  TRY(std::move(b).status());
  TRY(oci::Digest::parse(member.digest));
  if (member.size < 0) return Error(Errc::invalid_argument, "a negative size");
  const json::Value* platform = value.find("platform");
  if (platform == nullptr || platform->is_null()) return member;
  if (platform->as_object() == nullptr)
    return Error(Errc::invalid_argument, "platform is no object");
  json::Binder inner(*platform);
  PlatformJson part{&member};
  bind(inner, part);
  TRY(std::move(inner).status());
  return member;
}

json::Object member_json(const ListMember& member, bool oci) {
  ListMember copy = member;
  json::Object out;
  out.set("mediaType", member.media_type);
  if (oci) out.set("digest", member.digest);
  out.set("size", member.size);
  if (!oci) out.set("digest", member.digest);
  auto list = [](const std::vector<std::string>& texts) {
    json::Array items;
    for (const std::string& text : texts) items.emplace_back(text);
    return items;
  };
  if (!member.urls.empty()) out.set("urls", list(member.urls));
  if (!member.annotations.empty()) {
    json::Object annotations;
    for (const auto& [key, value] : member.annotations) annotations.set(key, value);
    out.set("annotations", std::move(annotations));
  }
  if (!member.os.empty() || !member.architecture.empty()) {
    json::Binder b;
    PlatformJson part{&copy};
    bind(b, part);
    out.set("platform", std::move(b).take());
  }
  if (!member.artifact_type.empty()) out.set("artifactType", member.artifact_type);
  return out;
}

}  // namespace

bool is_list_type(std::string_view media_type) {
  return media_type == kDockerList || media_type == oci::kMediaIndex;
}

std::string manifest_type_of(std::string_view text) {
  auto value = json::parse(text, {.max_depth = 64, .max_size = 16 << 20});
  if (!value || value->as_object() == nullptr) return {};
  const json::Value* type = value->find("mediaType");
  if (type != nullptr && !type->string_or("").empty()) return std::string(type->string_or(""));
  if (value->find("manifests") != nullptr) return std::string(oci::kMediaIndex);
  if (value->find("layers") != nullptr && value->find("config") != nullptr)
    return std::string(oci::kMediaManifest);
  return {};
}

Result<ImageList> ImageList::parse(std::string_view text) {
  json::Value value = TRY(json::parse(text, {.max_depth = 64, .max_size = 16 << 20}));
  if (value.as_object() == nullptr || value.find("layers") != nullptr ||
      value.find("config") != nullptr)
    return Error(Errc::invalid_argument, "this is no list of images");
  ImageList list;
  const json::Value* members = value.find("manifests");
  if (members != nullptr && members->as_array() != nullptr)
    for (const json::Value& item : *members->as_array()) {
      if (item.as_object() == nullptr)
        return Error(Errc::invalid_argument, "an entry of the list is no object");
      ListMember member = TRY(read_member(item));
      list.members.push_back(std::move(member));
    }
  json::Binder b(value);
  b("annotations", list.annotations);
  b("artifactType", list.artifact_type);
  TRY(std::move(b).status());
  return list;
}

Result<std::string> ImageList::dump(ListFormat format) const {
  bool needs_oci = !annotations.empty() || !artifact_type.empty();
  for (const ListMember& member : members)
    needs_oci = needs_oci || !member.annotations.empty() || !member.urls.empty() ||
                member.media_type != kDockerManifest;
  if (format == ListFormat::docker && needs_oci)
    return Error(Errc::unsupported,
                 "Docker's format of lists cannot hold annotations and images of OCI's format");
  bool oci = format == ListFormat::oci || (format == ListFormat::as_needed && needs_oci);
  json::Object out;
  out.set("schemaVersion", 2);
  out.set("mediaType", std::string(oci ? oci::kMediaIndex : kDockerList));
  if (!artifact_type.empty()) out.set("artifactType", artifact_type);
  json::Array rows;
  for (const ListMember& member : members) rows.emplace_back(member_json(member, oci));
  out.set("manifests", std::move(rows));
  if (!annotations.empty()) {
    json::Object named;
    for (const auto& [key, value] : annotations) named.set(key, value);
    out.set("annotations", std::move(named));
  }
  return json::dump(std::move(out));
}

ListMember* ImageList::find(std::string_view digest) {
  auto found = std::find_if(members.begin(), members.end(),
                            [&](const ListMember& member) { return member.digest == digest; });
  return found != members.end() ? &*found : nullptr;
}

void ImageList::put(ListMember member) {
  if (ListMember* old = find(member.digest))
    *old = std::move(member);
  else
    members.push_back(std::move(member));
}

}  // namespace minke::engine
