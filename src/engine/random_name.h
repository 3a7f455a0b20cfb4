#pragma once

#include <string>

namespace minke::engine {

// A name for a container that was given none: "quiet_narwhal".
std::string random_name();

}  // namespace minke::engine
