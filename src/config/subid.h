// Subordinate ids: /etc/subuid and /etc/subgid (subuid(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::config {

struct SubidRange {
  std::uint32_t start = 0, count = 0;
};
// Ranges of a user, found by name or number, in the order of the file. Lines that cannot be read are passed
// over, as newuidmap(1) does; a missing file has no ranges.
Result<std::vector<SubidRange>> find_subids(const std::string& path, std::string_view user, uid_t uid);

}  // namespace minke::config
