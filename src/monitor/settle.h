// A monitor waits for hours: it keeps no more memory than that takes.
#pragma once

#include "sys/event_loop.h"

namespace minke::monitor {

// From shortly after now on, whenever nothing has happened for a while, free memory and the pages
// of this program go back to the kernel. `loop` outlives the process' last wait.
void settle_memory_soon(sys::EventLoop& loop);

}  // namespace minke::monitor
