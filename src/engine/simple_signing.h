// Simple signing (containers-signature(5)): OpenPGP messages that name an image and its digest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/policy_json.h"
#include "config/registries_d.h"

namespace minke::engine {

// Meets every requirement of type signed_by, or is an error (permission) in Podman's words:
// `signatures` are what the worker got, beside them those of a file:// store are read. `reference`
// as it was asked for, "quay.io/a/b:1" or "quay.io/a/b@sha256:..."; `digest` of the manifest.
// Needs gpgv (or gpg); without it the error says so. Nothing to do is success.
Status check_simple_signatures(const std::vector<config::Requirement>& requirements,
                               const config::SignatureStore& store, std::string_view reference,
                               std::string_view digest, std::vector<std::string> signatures);

}  // namespace minke::engine
