// The program minke-monitor: one container (or one detached exec session), from before its first
// process to after its last one.
#pragma once

namespace minke::monitor {

// Serves the Handle at the other end of `control` (a seqpacket socket). The process' exit code.
int run_monitor(int control);

}  // namespace minke::monitor
