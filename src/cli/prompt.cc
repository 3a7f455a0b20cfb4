#include "cli/prompt.h"

#include <unistd.h>

#include <cerrno>

#include "base/str.h"
#include "cli/terminal_mode.h"

namespace minke::cli {
namespace {

constexpr std::size_t kMaxLine = 64 << 10;

Result<std::string> read_line() {
  std::string line;
  for (;;) {
    char c = 0;
    ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, "read standard input");
    if (n == 0 && line.empty()) return Error(Errc::invalid_argument, "EOF");
    if (n == 0 || c == '\n') return line;
    line += c;
    if (line.size() > kMaxLine) return Error(Errc::invalid_argument, "the line is too long");
  }
}

}  // namespace

Result<std::string> ask_line(Output& out, std::string_view question) {
  out.text(question);
  TRY(out.flush());
  return read_line();
}

Result<std::string> ask_secret(Output& out, std::string_view question, std::string_view instead) {
  if (::isatty(STDIN_FILENO) != 1)
    return Error(Errc::invalid_argument,
                 concat("reading password: standard input is no terminal: ", instead));
  out.text(question);
  TRY(out.flush());
  TerminalMode silent(ECHO, TCSAFLUSH);
  auto text = read_line();
  out.line("");
  TRY(out.flush());
  return text;
}

}  // namespace minke::cli
