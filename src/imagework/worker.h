#pragma once

namespace minke::imagework {

// The whole of minke-image: reads its request, confines itself, does the work, replies. The exit
// code is 0 when a reply was written, whatever it says.
int run_worker();

}  // namespace minke::imagework
