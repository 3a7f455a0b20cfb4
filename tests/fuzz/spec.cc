// The runtime specification's config.json and process.json: what parses is written and parses to
// the same text.
#include "oci/spec.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto spec = oci::parse_spec(text)) {
    std::string once = json::dump_struct(*spec);
    auto again = oci::parse_spec(once);
    if (!again || json::dump_struct(*again) != once) __builtin_trap();
  }
  if (auto process = oci::parse_process(text)) {
    std::string once = json::dump_struct(*process);
    auto again = oci::parse_process(once);
    if (!again || json::dump_struct(*again) != once) __builtin_trap();
  }
  return 0;
}
