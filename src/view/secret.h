// Secrets as `secret inspect` and the rows of `secret ls` show them.
#pragma once

#include <optional>

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "engine/secret.h"

namespace minke::view {

// `data`: with --showsecret.
json::Object inspect_secret(const engine::SecretConfig& secret,
                            const std::optional<std::string>& data);
json::Object secret_row(const engine::SecretConfig& secret, TimeNs at);
extern const gotemplate::Shape kSecretShape;

}  // namespace minke::view
