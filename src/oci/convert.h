// Manifests from one dialect into the other.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace minke::oci {

// The manifest of an image as OCI has it: its own bytes when it is one of OCI already.
Result<std::string> to_oci_manifest(std::string_view json);

}  // namespace minke::oci
