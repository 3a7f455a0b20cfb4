#include "config/subid.h"

#include "base/str.h"
#include "sys/fd.h"

namespace minke::config {

Result<std::vector<SubidRange>> find_subids(const std::string& path, std::string_view user, uid_t uid) {
  std::vector<SubidRange> ranges;
  auto text = sys::read_small_file(path);
  if (!text) {
    if (text.error().code() == Errc::not_found) return ranges;
    return std::move(text.error());
  }
  std::string number = concat(uid);
  for (std::string_view line : split(*text, '\n')) {
    auto fields = split(trim(line), ':');
    if (fields.size() != 3 || (fields[0] != user && fields[0] != number)) continue;
    auto start = parse_uint(fields[1]);
    auto count = parse_uint(fields[2]);
    if (!start || !count || *count == 0 || *start + *count > UINT32_MAX) continue;
    ranges.push_back({static_cast<std::uint32_t>(*start), static_cast<std::uint32_t>(*count)});
  }
  return ranges;
}

}  // namespace minke::config
