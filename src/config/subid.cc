#include "config/subid.h"

#include "base/str.h"
#include "sys/fd.h"

namespace minke::config {

std::vector<SubidRange> parse_subids(std::string_view text, std::string_view user, uid_t uid) {
  const std::string number = concat(uid);
  std::vector<SubidRange> ranges;
  for (std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> fields = split(trim(line), ':');
    if (fields.size() != 3 || fields[0].empty() || (fields[0] != user && fields[0] != number))
      continue;
    auto start = parse_uint(fields[1]), count = parse_uint(fields[2]);
    if (!start || !count || *count == 0 || *start >= UINT32_MAX || *count > UINT32_MAX - *start)
      continue;
    ranges.push_back({static_cast<std::uint32_t>(*start), static_cast<std::uint32_t>(*count)});
  }
  return ranges;
}

Result<std::vector<SubidRange>> find_subids(const std::string& path, std::string_view user,
                                            uid_t uid) {
  auto text = sys::read_small_file(path);
  if (!text) {
    if (text.error().code() == Errc::not_found) return std::vector<SubidRange>();
    return std::move(text.error());
  }
  return parse_subids(*text, user, uid);
}

}  // namespace minke::config
