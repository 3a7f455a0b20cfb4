// Where the other programs of this installation are.
#pragma once

#include <string>

#include "base/result.h"

namespace minke::sys {

// The absolute path of `name` ("minke-image"): beside the running program, else in libexec/minke
// beside its folder, so that an installation works below any prefix. not_found names both places.
Result<std::string> program_path(const std::string& name);

}  // namespace minke::sys
