#include "cli/confirm.h"

#include <unistd.h>

#include <cerrno>
#include <string>

namespace minke::cli {

Result<bool> confirm(Output& out, std::string_view warning) {
  out.text(warning);
  out.text("Are you sure you want to continue? [y/N] ");
  TRY(out.flush());
  std::string line;
  for (;;) {
    char c = 0;
    ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, "read standard input");
    if (n == 0) return Error(Errc::invalid_argument, "EOF");
    if (c == '\n') break;
    line += c;
  }
  return !line.empty() && (line[0] == 'y' || line[0] == 'Y');
}

}  // namespace minke::cli
