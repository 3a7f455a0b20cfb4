// Where the other programs of this installation are.
#pragma once

#include <string>

#include "base/result.h"

namespace minke::sys {

// Set by runtime::protect_own_binary() for its second life, which runs from a detached mount and so
// has no path: "PID:PATH". Another process that inherits it is not meant.
inline constexpr const char* kOwnProgram = "MINKE_OWN_PROGRAM";
// The path, when it was set for this very process; else "".
std::string kept_program();
// The absolute path of the running program's file.
Result<std::string> own_program();

// The absolute path of `name` ("minke-image"): beside the running program, else in libexec/minke
// beside its folder, so that an installation works below any prefix. not_found names both places.
Result<std::string> program_path(const std::string& name);

}  // namespace minke::sys
