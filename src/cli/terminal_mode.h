// The terminal of standard input without some of what it does, until the object goes.
#pragma once

#include <termios.h>
#include <unistd.h>

namespace minke::cli {

// `without`: local modes of termios(3). Without ICANON a read ends with the first key. `when`:
// TCSADRAIN, or TCSAFLUSH, which forgets what was typed before. Nothing happens where there is no
// terminal.
class TerminalMode {
 public:
  TerminalMode(tcflag_t without, int when) : known_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!known_) return;
    termios changed = before_;
    changed.c_lflag &= ~without;
    if ((without & ICANON) != 0) {
      changed.c_cc[VMIN] = 1;
      changed.c_cc[VTIME] = 0;
    }
    (void)::tcsetattr(STDIN_FILENO, when, &changed);
  }
  TerminalMode(const TerminalMode&) = delete;
  TerminalMode& operator=(const TerminalMode&) = delete;
  ~TerminalMode() {
    if (known_) (void)::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }

 private:
  termios before_{};
  bool known_;
};

}  // namespace minke::cli
