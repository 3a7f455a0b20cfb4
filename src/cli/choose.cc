#include "cli/choose.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/str.h"
#include "cli/output.h"
#include "cli/terminal_mode.h"
#include "engine/name_chooser.h"

namespace minke::cli {
namespace {

std::size_t draw(Output& out, const Menu& menu, std::size_t drawn) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0) size.ws_col = 80;
  if (size.ws_row == 0) size.ws_row = 24;
  if (drawn > 0) out.text(concat("\x1b[", drawn, "A\r"));
  out.text("\x1b[J");
  std::vector<std::string> lines = menu.picture(size.ws_col, size.ws_row);
  for (const std::string& line : lines) out.line(line);
  return lines.size();
}

Result<std::string> choose(const std::vector<std::string>& names) {
  Output out;
  Menu menu(names);
  TerminalMode key_by_key(ECHO | ICANON | ISIG, TCSADRAIN);
  std::size_t drawn = 0;
  Menu::State state = Menu::State::open;
  while (state == Menu::State::open) {
    drawn = draw(out, menu, drawn);
    TRY(out.flush());
    char keys[64];
    ssize_t n = ::read(STDIN_FILENO, keys, sizeof keys);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::from_errno(errno, "read the choice of an image");
    state = n == 0 ? Menu::State::given_up : menu.type({keys, static_cast<std::size_t>(n)});
  }
  out.text(concat("\x1b[", drawn, "A\r\x1b[J"));
  if (state == Menu::State::chosen) out.line(concat("\u2714 ", menu.chosen()));
  TRY(out.flush());
  if (state == Menu::State::chosen) return menu.chosen();
  return Error(Errc::invalid_argument, "no image was chosen: give its full name");
}

}  // namespace

void Menu::move(int by) {
  if (by < 0 && at_ > 0) --at_;
  if (by > 0 && at_ + 1 < rows_.size()) ++at_;
}

Menu::State Menu::type(std::string_view bytes) {
  for (char c : bytes) {
    pending_ += c;
    if (pending_ == "\x1b" || pending_ == "\x1b[" || pending_ == "\x1bO") continue;
    std::string key = std::exchange(pending_, {});
    if (key == "\r" || key == "\n") return State::chosen;
    if (key == "\x03" || key == "\x04") return State::given_up;
    if (key == "\x1b[A" || key == "\x1bOA" || key == "k" || key == "\x10") move(-1);
    if (key == "\x1b[B" || key == "\x1bOB" || key == "j" || key == "\x0e") move(1);
  }
  return State::open;
}

std::vector<std::string> Menu::picture(std::size_t width, std::size_t height) const {
  std::vector<std::string> lines = {"? Please select an image:"};
  std::size_t room = std::clamp<std::size_t>(height > 2 ? height - 2 : 1, 1, rows_.size());
  std::size_t first = at_ < room ? 0 : at_ + 1 - room;
  for (std::size_t i = first; i < first + room; ++i) {
    std::string name = rows_[i].substr(0, width > 6 ? width - 5 : 1);
    lines.push_back(concat(i == at_ ? "  \u25b8 " : "    ", name));
  }
  return lines;
}

void ask_for_short_names() {
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) engine::set_name_chooser(choose);
}

}  // namespace minke::cli
