// What a signature of an image says (containers-signature(5), and cosign's of the same shape).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/policy_json.h"

namespace minke::config {

inline constexpr std::string_view kSimpleSigningType = "atomic container signature";
inline constexpr std::string_view kCosignType = "cosign container image signature";

// Whether `payload`, whose signature is known to be good, is of `type` and about the image with
// `digest` (of its manifest) under a name that `identity` allows for `reference`. The error says
// what it is about instead.
Status check_payload(std::string_view payload, std::string_view type,
                     const SignedIdentity& identity, std::string_view reference,
                     std::string_view digest);

}  // namespace minke::config
