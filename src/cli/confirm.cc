#include "cli/confirm.h"

#include <string>

#include "cli/prompt.h"

namespace minke::cli {

Result<bool> confirm(Output& out, std::string_view warning) {
  out.text(warning);
  std::string line = TRY(ask_line(out, "Are you sure you want to continue? [y/N] "));
  return !line.empty() && (line[0] == 'y' || line[0] == 'Y');
}

}  // namespace minke::cli
