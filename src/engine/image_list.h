// What a list of images says: an OCI index, or Docker's manifest list.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::engine {

struct ListMember {
  std::string media_type, digest, artifact_type;
  std::int64_t size = 0;
  std::string os, architecture, variant, os_version;
  std::vector<std::string> os_features, features, urls;
  std::map<std::string, std::string> annotations;
};

enum class ListFormat : std::uint8_t { as_needed, oci, docker };

struct ImageList {
  std::vector<ListMember> members;
  std::map<std::string, std::string> annotations;
  std::string artifact_type;

  // Errors name what is wrong; a manifest of one image is one.
  static Result<ImageList> parse(std::string_view json);
  // As Podman chooses when it is not told: Docker's, unless an image or an annotation needs OCI's.
  // Errors: Docker's has no room for what is there.
  Result<std::string> dump(ListFormat format) const;
  ListMember* find(std::string_view digest);
  // In place of the one with that digest, else at the end.
  void put(ListMember member);
};

// Whether the media type is that of an index or a list.
bool is_list_type(std::string_view media_type);
// "mediaType" of a manifest, else what its members look like; empty: no manifest.
std::string manifest_type_of(std::string_view json);

}  // namespace minke::engine
