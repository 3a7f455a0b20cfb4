// Crash points for tests: MINKE_FAILPOINT=NAME:STEP kills the process with SIGKILL when it reaches
// that step of that numbered list, so that a test can show that the next command heals. Costs one
// look at the environment when it is not set.
#pragma once

#include <string_view>

namespace minke {

// `name` is dotted ("store.commit"), `step` counts from 1 in the order of the code.
void failpoint(std::string_view name, int step);

}  // namespace minke
