// Where an image is, as typed: "docker://quay.io/a/b", "oci:/tmp/layout:name", "debian".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace minke::engine {

enum class Transport : std::uint8_t { docker, oci, oci_archive, docker_archive, dir };

struct ImagePlace {
  Transport transport = Transport::docker;
  std::string name;    // docker: the reference; else what stands behind the path, may be empty
  std::string path;    // of all but docker
  bool typed = false;  // the transport was part of it
};
// Errors: transports that are known and not supported, by name; a path that is missing.
Result<ImagePlace> parse_image_place(std::string_view text);
const char* transport_name(Transport transport);  // "docker", "oci-archive", ...

}  // namespace minke::engine
