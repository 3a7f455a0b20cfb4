// Manifests of registries, without the images behind them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/registries.h"
#include "oci/reference.h"
#include "store/store.h"

namespace minke::engine {

struct RemoteText {
  std::string json, media_type, digest;
  oci::Reference reference;  // in full: where it was found
};

// The manifest that `typed` names ("docker://NAME", "NAME"; short names as registries.conf has
// them), its bytes checked against the digest that was asked for. Errors: `reading manifest TAG in
// HOST/NAME: manifest unknown`.
Result<RemoteText> get_remote_manifest(Registries& registries, std::string_view typed);
// One that a list of the same repository names.
Result<RemoteText> get_remote_member(Registries& registries, const oci::Reference& list,
                                     const std::string& digest);
// The image for this host, of a registry and not in the store: what its manifest and its config
// say. Its size is that of the layers as they are packed.
Result<store::Image> get_remote_image(Registries& registries, std::string_view typed);
// A small blob (a config), checked.
Result<std::string> get_remote_blob(Registries& registries, const oci::Reference& image,
                                    const oci::Digest& digest);
// PUT of a manifest under `reference`'s tag, or under its own digest.
Status put_remote_manifest(Registries& registries, const oci::Reference& reference,
                           const std::string& json, const std::string& media_type);

}  // namespace minke::engine
