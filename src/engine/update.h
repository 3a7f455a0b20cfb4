// Changes of a container that exists: limits at once, the rest for its next start.
#pragma once

#include <string>
#include <vector>

#include "engine/request.h"

namespace minke::engine {

struct UpdateRequest {
  CreateRequest limits;  // of which only the limits count
  std::vector<std::string> env, unset_env;
  std::vector<Ulimit> ulimits;
};

// Lays the limits of `changes` over those of `request`; what was not asked for stays. Used by clone
// too.
void merge_limits(const CreateRequest& changes, CreateRequest* request);

}  // namespace minke::engine
