#pragma once

#include <string>

namespace minke {

// `bytes` random bytes from getrandom(2) as lower-case hex; a container id is random_hex(32).
std::string random_hex(int bytes);

}  // namespace minke
