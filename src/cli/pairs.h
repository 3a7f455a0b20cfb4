// KEY=VALUE options of a kind ("label", "option").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::cli {

// A later value replaces an earlier one; "key" alone has an empty value. Errors: `unable to process
// labels: invalid label format: "=x"`.
Result<std::map<std::string, std::string>> key_values(const std::vector<std::string>& texts,
                                                      std::string_view what);

}  // namespace minke::cli
