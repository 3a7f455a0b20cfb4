// How much a foreign archive may ask for. Generous, finite; tests make them small by the
// environment (MINKE_LIMIT_ENTRIES, MINKE_LIMIT_BYTES, MINKE_LIMIT_METADATA).
#pragma once

#include <cstdint>

namespace minke::imagework {

struct Limits {
  std::uint64_t entries = 4'000'000;               // of one layer
  std::uint64_t bytes = std::uint64_t{512} << 30;  // of data in one layer, plain
  std::uint64_t metadata = 64 << 20;               // all JSON members of an archive together
  std::uint64_t members = 100'000;                 // of the outer archive
  std::size_t path = 4095;
  std::size_t opaque = 1'000'000;  // directories of one layer that hide what is below
};

Limits limits_from_environment();

}  // namespace minke::imagework
