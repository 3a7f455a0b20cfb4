// WWW-Authenticate: no parameter has a line end, whatever a registry says.
#include "registry/challenge.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const minke::registry::Challenge& one : minke::registry::parse_challenges(text)) {
    if (one.scheme.empty()) __builtin_trap();
    for (const auto& [name, value] : one.params)
      if (name.empty()) __builtin_trap();
  }
  return 0;
}
