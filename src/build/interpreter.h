// Programs of other architectures.
#pragma once

#include <string>
#include <string_view>

namespace minke::build {

constexpr const char* kBinfmtFolder = "/proc/sys/fs/binfmt_misc";

// Whether binfmt_misc hands programs of this architecture (as images name it) to an interpreter;
// one that is switched off is none.
bool has_interpreter(std::string_view architecture, const std::string& folder = kBinfmtFolder);

}  // namespace minke::build
