// Lists of images as registries send them: what is read is written again as the same list.
#include "engine/image_list.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke::engine;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)manifest_type_of(text);
  auto list = ImageList::parse(text);
  if (!list) return 0;
  auto written = list->dump(ListFormat::as_needed);
  if (!written) __builtin_trap();
  auto again = ImageList::parse(*written);
  if (!again || again->members.size() != list->members.size()) __builtin_trap();
  auto twice = again->dump(ListFormat::as_needed);
  if (!twice || *twice != *written) __builtin_trap();
  return 0;
}
