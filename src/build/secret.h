// --secret: what is behind an id.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "build/build.h"

namespace minke::build {

// Errors name the id.
Result<std::string> read_secret(const SecretSource& source, std::string_view id);

}  // namespace minke::build
