// `info`: facts about the host and the store, read when asked.
#pragma once

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "engine/engine.h"

namespace minke::view {

// `version` is the object that the version command shows as "Client".
Result<json::Object> info(engine::Engine& engine, json::Object version);
extern const gotemplate::Shape kInfoShape;

}  // namespace minke::view
