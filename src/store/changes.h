// --change of import and commit: Dockerfile instructions on an image's config.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "oci/image.h"

namespace minke::store {

// CMD ENTRYPOINT ENV EXPOSE LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR, as "KEY VALUE" or
// "KEY=VALUE", in order.
Status apply_changes(const std::vector<std::string>& changes, oci::ImageProcessConfig* config);

}  // namespace minke::store
