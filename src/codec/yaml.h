// YAML as a tree of our own values (libyaml reads; yaml.cc is its only user).
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"

namespace minke::yaml {

struct ParseLimits {
  std::size_t max_depth = 64;
  std::size_t max_nodes = 200000;  // with those that aliases repeat
};
// The one document of `text` (null when there is none). Plain scalars are read by YAML 1.2's core
// schema: null, true, false, integers; all else is text. Keys are text and must differ. A fault
// names its line.
Result<json::Value> parse(std::string_view text, ParseLimits limits = {});

}  // namespace minke::yaml
