// What netd gives away once it runs.
#pragma once

#include "base/result.h"

namespace minke::netd {

// The descriptor limit raised to what is allowed.
void raise_descriptor_limit();
// Before threads are made: only the capabilities that sockets and namespaces need stay.
Status drop_capabilities();
// For all threads, when all are where they stay: system calls of sockets, files and memory only. No
// exec, no mounts, no namespaces, no new processes.
Status install_filter();

}  // namespace minke::netd
