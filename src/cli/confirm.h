// "Are you sure?" before what cannot be undone.
#pragma once

#include <string_view>

#include "base/result.h"
#include "cli/output.h"

namespace minke::cli {

// Prints the warning and the question on standard output and reads a line from standard input: true
// for y and yes. Error "EOF" when there is no line.
Result<bool> confirm(Output& out, std::string_view warning);

}  // namespace minke::cli
