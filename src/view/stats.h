// A line of `stats`.
#pragma once

#include <optional>
#include <string>

#include "codec/gotemplate.h"
#include "codec/json.h"
#include "engine/usage.h"

namespace minke::view {

struct StatsSample {
  std::string id, name;
  engine::Usage usage;
  std::optional<engine::Usage> before;  // none: the share of the processor is that since the start
};

extern const gotemplate::Shape kStatsShape;
json::Object stats_row(const StatsSample& sample, bool no_trunc);   // for templates
json::Object stats_json(const StatsSample& sample, bool no_trunc);  // for --format json

}  // namespace minke::view
