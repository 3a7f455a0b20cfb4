#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/request.h"

namespace minke::engine {

struct CloneRequest {
  std::string name, image;  // empty: NAME-clone, and the same image
  CreateRequest limits;     // of which only the limits count
  std::vector<std::string> create_command;
};

}  // namespace minke::engine
