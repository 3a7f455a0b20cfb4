// The terminal of standard input without some of what it does, until the object goes, or the
// process by a signal that can be caught.
#pragma once

#include <signal.h>
#include <termios.h>

namespace minke::cli {

// `without`: local modes of termios(3). Without ICANON a read ends with the first key. `when`:
// TCSADRAIN, or TCSAFLUSH, which forgets what was typed before. Nothing happens where there is no
// terminal. One at a time.
class TerminalMode {
 public:
  TerminalMode(tcflag_t without, int when);
  TerminalMode(const TerminalMode&) = delete;
  TerminalMode& operator=(const TerminalMode&) = delete;
  ~TerminalMode();

 private:
  static constexpr int kSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  struct sigaction handlers_[4]{};
  bool known_;
};

}  // namespace minke::cli
