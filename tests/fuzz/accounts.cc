// passwd and group of an image: whoever is asked for, no id is beyond 31 bits and no number becomes
// another.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/str.h"
#include "engine/users.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke;
  // the first line is who is asked for, a line of "--" divides the files
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto head = split_once(text, '\n');
  if (!head) return 0;
  std::size_t middle = head->second.find("\n--\n");
  std::string_view passwd = head->second.substr(0, middle);
  std::string_view group =
      middle == std::string_view::npos ? std::string_view() : head->second.substr(middle + 4);
  auto user = engine::resolve_user(head->first, {}, passwd, group);
  if (!user) return 0;
  if (user->uid > 2147483647 || user->gid > 2147483647) __builtin_trap();
  for (std::uint32_t gid : user->additional_gids)
    if (gid > 2147483647) __builtin_trap();
  auto name = split_once(head->first, ':');
  std::string_view who = name ? name->first : head->first;
  if (engine::looks_numeric(who) && parse_uint(who) != std::optional<std::uint64_t>(user->uid))
    __builtin_trap();
  return 0;
}
