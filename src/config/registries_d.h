// containers-registries.d(5): where signatures of images lie.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "config/registries_conf.h"

namespace minke::config {

struct SignatureStore {
  // "https://host/path" or "file:///path"; empty: none. Signature N of a manifest lies at
  // LOOKASIDE/REPOSITORY@ALGORITHM=HEX/signature-N, REPOSITORY without the host.
  std::string lookaside;
  bool sigstore_attachments = false;  // the tag sha256-HEX.sig of the repository is asked for too
};

// For "quay.io/team/app:1": of *.yaml in ~/.config/containers/registries.d, when that is there,
// else /etc/containers/registries.d; the longest key of `docker:`, else `default-docker`. Errors
// name file and key.
Result<SignatureStore> find_signature_store(const RegistryPlaces& places,
                                            std::string_view reference);

// Where signature `number` (from 1) of the manifest with `digest` lies in store.lookaside.
Result<std::string> signature_address(const SignatureStore& store, std::string_view reference,
                                      std::string_view digest, std::size_t number);

void bind(json::Binder& b, SignatureStore& store);

}  // namespace minke::config
