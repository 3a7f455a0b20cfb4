// Parts of pull and push that are not about registries' transfers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/pull.h"
#include "engine/registries.h"
#include "engine/transport.h"

namespace minke::engine {

// Images of a layout, a folder or an archive.
Result<std::vector<store::Image>> pull_from_place(Engine& engine, const PullRequest& request,
                                                  const ImagePlace& place);

// All tags of the repository, page by page.
Result<std::vector<std::string>> list_remote_tags(Registries& registries,
                                                  const oci::Reference& name);

// "x86_64" is amd64, "aarch64" arm64.
std::string normal_architecture(std::string_view name);

}  // namespace minke::engine
