// minke-monitor ID NAME: started by the engine with its control socket as descriptor 3; the words
// are for ps.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "runtime/protect.h"

int main() {
  constexpr int kControl = 3;
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(kControl, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET) {
    constexpr char kText[] = "minke-monitor is started by minke, not by hand\n";
    if (::write(STDERR_FILENO, kText, sizeof kText - 1) < 0) return 1;
    return 125;
  }
  // What a container could get hold of as /proc/self/exe must not be writable.
  if (auto safe = minke::runtime::protect_own_binary(); !safe) {
    const std::string& text = safe.error().message();
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return 1;
    return 125;
  }
  ::prctl(PR_SET_NAME, "minke-monitor");
  return minke::monitor::run_monitor(kControl);
}
