#pragma once

namespace minke::transfer {

// The whole of minke-transfer: reads its request, confines itself, does the work, tells. The exit
// code is 0 when the end was told, whatever it was.
int run_transfer();

}  // namespace minke::transfer
