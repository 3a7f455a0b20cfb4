// JSON values as YAML in block style, as Podman prints `info`: keys sorted, texts quoted where they
// would be read as something else.
#pragma once

#include <string>

#include "codec/json.h"

namespace minke::yaml {

// Ends with a newline.
std::string dump(const json::Value& value);

}  // namespace minke::yaml
