// Images of the store to where others find them: registries, layouts and archives.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "engine/registry_access.h"

namespace minke::engine {

class Engine;

struct PushRequest {
  std::string image;  // as typed: any name that the store knows
  // NAME[:TAG], docker://NAME[:TAG], oci:PATH[:NAME], oci-archive:PATH[:NAME],
  // docker-archive:PATH[:NAME], dir:PATH; empty: the registry that the image is named after.
  std::string destination;
  std::string format;  // "oci", "v2s2"; empty: as the image is
  // Layers that are stored plain are always packed for a registry. "gzip", "zstd"; empty: gzip.
  std::string compression_format;
  std::optional<std::int32_t> compression_level;
  bool force_compression = false;  // layers that are packed otherwise are packed anew
  bool compress = false;           // dir: gzip plain layers
  RegistryAccess access;
  TransferWatch watch;  // may be empty
};

// The digest of the manifest as the destination has it ("sha256:..."). No blob travels that the
// destination has, or that another repository of the same registry is known to have. An image that
// needs no change keeps its manifest byte for byte. Errors in Podman's words: `NAME: image not
// known`, `trying to reuse blob ...`, `writing blob: ...`, `writing manifest: ...`.
Result<std::string> push_image(Engine& engine, const PushRequest& request);

}  // namespace minke::engine
