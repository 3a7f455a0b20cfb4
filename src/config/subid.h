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
  auto operator<=>(const SubidRange&) const = default;
};

// The ranges of a user in the text of such a file, in its order: lines NAME:START:COUNT where NAME
// is the user's name or number. Lines that cannot be read are passed over, as newuidmap(1) does,
// and ranges beyond 32 bits.
std::vector<SubidRange> parse_subids(std::string_view text, std::string_view user, uid_t uid);

// The same of a file; a missing file has no ranges.
Result<std::vector<SubidRange>> find_subids(const std::string& path, std::string_view user,
                                            uid_t uid);

}  // namespace minke::config
