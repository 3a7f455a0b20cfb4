// minke-monitor ID NAME: started by the engine with its control socket as descriptor 3; the words
// are for ps.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/monitor.h"

int main() {
  constexpr int kControl = 3;
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(kControl, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET) {
    constexpr char kText[] = "minke-monitor is started by minke, not by hand\n";
    if (::write(STDERR_FILENO, kText, sizeof kText - 1) < 0) return 1;
    return 125;
  }
  return minke::monitor::run_monitor(kControl);
}
