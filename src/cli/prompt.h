// Questions on the terminal.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/output.h"

namespace minke::cli {

// One line of standard input, behind `question` on `out`. The end of the input is an error: EOF.
Result<std::string> ask_line(Output& out, std::string_view question);
// The same without an echo; standard input must be a terminal.
Result<std::string> ask_secret(Output& out, std::string_view question);

}  // namespace minke::cli
