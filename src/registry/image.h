// Manifests of a registry: got, checked against their digests, and the one for a platform chosen.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "oci/image.h"
#include "registry/client.h"

namespace minke::registry {

struct RemoteManifest {
  std::string json, media_type;  // the bytes; as the registry calls them
  oci::Digest digest;
  bool is_index = false;
};

// `reference`: a tag, or a digest that the bytes must have. Errors: `reading manifest TAG in
// HOST/NAME: ...`.
Result<RemoteManifest> get_manifest(Client& client, const std::string& repository,
                                    const std::string& reference);

struct RemoteImage {
  RemoteManifest manifest;
  oci::Manifest parsed;
  std::string config_json;
  oci::ImageConfig config;
  oci::Digest index;  // the list that it was chosen from; empty: none
};
// The image behind a tag or a digest; of a list the one for `wanted`. What is no container image
// (an artifact, a schema 1 manifest, encrypted layers) is refused.
Result<RemoteImage> get_image(Client& client, const std::string& repository,
                              const std::string& reference, const oci::Platform& wanted);

// The entry for `wanted`: its variant, else a lower one that it can run, else one without; null
// when there is none.
const oci::Descriptor* choose_platform(const oci::ImageIndex& index, const oci::Platform& wanted);

}  // namespace minke::registry
