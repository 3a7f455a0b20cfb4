// What a forked child of the monitor does first.
#pragma once

#include <vector>

namespace minke::monitor {

// Closes the monitor's own descriptors: a child that waits would hold copies of its sockets, and
// nobody would see the monitor's end by them. 0 to 2 stay.
void close_all_but(std::vector<int> keep);
// The monitor reads its signals from a descriptor; whoever is started does not.
void unblock_signals();

}  // namespace minke::monitor
