// minke: the command line.
#include <csignal>
#include <string>
#include <vector>

#include "cli/command.h"

int main(int argc, char** argv) {
  // A reader of our output that goes away is seen as EPIPE where output is written. A handler, not
  // SIG_IGN: that would pass through exec into every container.
  struct sigaction nothing = {};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  ::sigaction(SIGPIPE, &nothing, nullptr);
  const std::vector<std::string> words(argv, argv + argc);
  return minke::cli::run_command_line(words);
}
