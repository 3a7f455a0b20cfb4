// What a registry has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/registries.h"

namespace minke::engine {

struct SearchHit {
  std::string name;  // without the registry
  std::string description;
  std::int64_t stars = 0;
  bool official = false, automated = false;
};
// By the registry's own search (/v1/search, where it has one), else names of its catalogue that
// hold `term`; at most `limit`. Errors: `couldn't search registry "REGISTRY": ...`.
Result<std::vector<SearchHit>> search_registry(Registries& registries, const std::string& registry,
                                               std::string_view term, std::size_t limit);

// The address of the next page in a Link header (`</v2/...>; rel="next"`), as a path; empty: none.
std::string next_page_of(std::string_view link);

}  // namespace minke::engine
