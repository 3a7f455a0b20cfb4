// Seccomp profiles of the runtime specification as BPF programs for seccomp(2).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/spec.h"

namespace minke::runtime {

struct SeccompProgram {
  std::vector<std::uint64_t> code;  // sock_filter, 8 bytes each
  std::uint32_t flags = 0;          // SECCOMP_FILTER_FLAG_*
  bool listener = false;            // some rule notifies
};

// The program for `profile`: the one embedded at build time when the profile is the default one,
// else from the cache folder (MINKE_SECCOMP_CACHE), else compiled by libseccomp, which takes
// milliseconds. Names of system calls that this libseccomp does not know are skipped, as other
// runtimes do: a kernel that has them answers with the default action.
Result<SeccompProgram> load_seccomp_program(const oci::Seccomp& profile);
// By libseccomp, always.
Result<SeccompProgram> compile_seccomp(const oci::Seccomp& profile);
// All that the compiler looks at, as one text: equal texts mean equal programs.
std::string canonical_seccomp(const oci::Seccomp& profile);

}  // namespace minke::runtime
