// Runs a program and takes what it says.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/process.h"

namespace minke::sys {

struct Captured {
  int exit_code = 0;  // 0..255 of an exit, 128+n of a signal
  std::string out, err;
};
struct CaptureLimits {
  int timeout_ms = 30000;            // of all of it; then the program is killed: Errc::timeout
  std::size_t max_output = 1 << 20;  // of each stream; more is an error
};
// `program`'s standard input is `input`; its standard output and error are taken. `what` is how it
// is told in errors.
Result<Captured> capture(SpawnOptions program, std::string_view input, std::string_view what,
                         CaptureLimits limits = {});

// The absolute path of a program of that name by PATH (absolute entries only); nothing: none.
std::optional<std::string> find_in_path(const std::string& name);

}  // namespace minke::sys
