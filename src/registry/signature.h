// What policy.json asks of an image, as far as it is met where the registry is spoken to: sigstore
// signatures are checked here, by OpenSSL; simple signatures are only fetched, and are checked by
// the engine, which can start gpgv.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/policy_json.h"
#include "config/registries_d.h"

namespace minke::registry {

// How signatures are asked for; the client of the registry is one. What is not there (404) is
// nothing, not an error. `max`: more bytes than that are an error.
class SignatureSource {
 public:
  virtual ~SignatureSource() = default;
  // An http or https address outside of the registry: without its credentials.
  virtual Result<std::optional<std::string>> get_url(const std::string& url, std::size_t max) = 0;
  // The manifest with `tag` in the repository of the image.
  virtual Result<std::optional<std::string>> get_manifest(const std::string& tag,
                                                          std::size_t max) = 0;
  // A blob of the same repository, verified against its digest.
  virtual Result<std::optional<std::string>> get_blob(const std::string& digest,
                                                      std::size_t max) = 0;
};

struct SignedImage {
  std::string reference;  // as it was asked for: "quay.io/a/b:1" or "quay.io/a/b@sha256:..."
  std::string digest;     // of the manifest that was got for it (of a list: the list's)
};

// Meets every requirement of type sigstore_signed, or is an error (permission) in Podman's words.
// Returned are the simple signatures of the image when a requirement asks for them, to be given to
// engine::check_simple_signatures, which reads those of a file:// store itself. Call it with the
// first manifest, before any layer is asked for; requirements that reject were met before
// (check_outright).
Result<std::vector<std::string>> check_signatures(
    const std::vector<config::Requirement>& requirements, const SignedImage& image,
    const config::SignatureStore& store, SignatureSource& source);

// One sigstore signature: `signature` (base64) over `payload` by one of `keys` (PEM, ECDSA, RSA or
// Ed25519). True when one of them made it.
Result<bool> verify_sigstore(std::string_view payload, std::string_view signature,
                             const std::vector<std::string>& keys);

}  // namespace minke::registry
