#include "cli/terminal_mode.h"

#include <unistd.h>

namespace minke::cli {
namespace {

termios before;  // for the handler

// Both calls may be made in a handler; the signal then does what it would have done without us.
void put_back_and_die(int signal) {
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  (void)::raise(signal);
}

}  // namespace

TerminalMode::TerminalMode(tcflag_t without, int when)
    : known_(::tcgetattr(STDIN_FILENO, &before) == 0) {
  if (!known_) return;
  struct sigaction caught {};
  caught.sa_handler = put_back_and_die;
  caught.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (int i = 0; i < 4; ++i) {
    ::sigaction(kSignals[i], nullptr, &handlers_[i]);
    if (handlers_[i].sa_handler == SIG_DFL) ::sigaction(kSignals[i], &caught, nullptr);
  }
  termios changed = before;
  changed.c_lflag &= ~without;
  if ((without & ICANON) != 0) {
    changed.c_cc[VMIN] = 1;
    changed.c_cc[VTIME] = 0;
  }
  (void)::tcsetattr(STDIN_FILENO, when, &changed);
}

TerminalMode::~TerminalMode() {
  if (!known_) return;
  (void)::tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
  for (int i = 0; i < 4; ++i) ::sigaction(kSignals[i], &handlers_[i], nullptr);
}

}  // namespace minke::cli
