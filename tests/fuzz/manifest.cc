// Manifests, indexes and image configs: what parses is written and parses again to the same text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "oci/image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke::oci;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto manifest = parse_manifest(text);
  if (manifest && parse_index(text)) __builtin_trap();
  if (manifest) {
    std::string once = dump_manifest(*manifest);
    auto again = parse_manifest(once);
    if (!again || dump_manifest(*again) != once) __builtin_trap();
  }
  if (auto index = parse_index(text)) {
    std::string once = dump_index(*index);
    auto again = parse_index(once);
    if (!again || dump_index(*again) != once) __builtin_trap();
  }
  if (auto config = parse_image_config(text)) {
    std::string once = dump_image_config(*config);
    auto again = parse_image_config(once);
    if (!again || dump_image_config(*again) != once) __builtin_trap();
  }
  return 0;
}
