// References: what parses must come out as itself, and must never hold a path step.
#include "oci/reference.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using minke::oci::Reference;
  auto ref = Reference::parse({reinterpret_cast<const char*>(data), size});
  if (!ref) return 0;
  Reference full = ref->normalized("docker.io");
  auto again = Reference::parse(full.str());
  if (!again || again->str() != full.str() || full.name().find("..") != std::string::npos)
    __builtin_trap();
  return 0;
}
