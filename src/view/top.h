// The columns of `top`: ps(1)'s AIX descriptors and the container's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/top.h"

namespace minke::view {

struct TopColumn {
  std::string_view name;  // "pid"
  char code;              // of "%p"; 0: none
  std::string_view header;
  std::string (*value)(const engine::ProcessInfo&);
};

// The columns that words like "pid,user", "%C" ask for; none: the usual ones. not_found when one of
// them is none of ours: then they are words for ps(1).
Result<std::vector<const TopColumn*>> top_columns(const std::vector<std::string>& words);
// All names by comma, for the help.
std::string top_column_names();

}  // namespace minke::view
