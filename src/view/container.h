// `container inspect`: the members, order and types of Podman's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "engine/engine.h"

namespace minke::view {

// The spec of the last start, or the one that a start would make now.
Result<oci::Spec> current_spec(engine::Engine& engine, const engine::Container& container);

json::Object inspect_container(const engine::Host& host, const engine::Container& container,
                               const oci::Spec& spec,
                               const std::optional<engine::Engine::Sizes>& sizes);
extern const gotemplate::Shape kContainerShape;

// Templates may say .ID, .ImageID, .Src and .Dst, where the members are Id, Image, Source and
// Destination.
std::string normalize_inspect_format(std::string_view format);

// Parts of the above, each in its own file.
json::Object inspect_host_config(const engine::Host& host, const engine::Container& container,
                                 const oci::Spec& spec);

}  // namespace minke::view
