// What `version` says of this program, and `info` too.
#pragma once

#include <string_view>

#include "codec/json.h"

namespace minke::cli {

// Podman's object "Client"; under the names podman and docker the version is that of the API.
json::Object client_version(std::string_view program);

}  // namespace minke::cli
