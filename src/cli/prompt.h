// Questions on the terminal.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/output.h"

namespace minke::cli {

// One line of standard input, behind `question` on `out`. The end of the input is an error: EOF.
Result<std::string> ask_line(Output& out, std::string_view question);
// The same without an echo. Standard input must be a terminal; `instead` is what the error says to
// do without one.
Result<std::string> ask_secret(Output& out, std::string_view question, std::string_view instead);

}  // namespace minke::cli
