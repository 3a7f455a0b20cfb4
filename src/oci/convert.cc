#include "oci/convert.h"

#include "codec/json.h"
#include "oci/image.h"

namespace minke::oci {

Result<std::string> to_oci_manifest(std::string_view json) {
  json::Value value = TRY(json::parse(json));
  const json::Value* type = value.find("mediaType");
  if (type == nullptr || type->string_or(kMediaManifest) == kMediaManifest)
    return std::string(json);
  Manifest manifest = TRY(parse_manifest(json));  // which knows OCI's media types only
  manifest.media_type = kMediaManifest;
  return dump_manifest(manifest);
}

}  // namespace minke::oci
