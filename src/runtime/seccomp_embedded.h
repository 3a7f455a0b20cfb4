// What seccomp_generate.cc makes at build time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minke::runtime {

extern const char kEmbeddedProfile[];           // canonical_seccomp() of the profile
extern const std::uint64_t kEmbeddedProgram[];  // sock_filter
extern const std::size_t kEmbeddedLength;

}  // namespace minke::runtime
