// What of this host limits its user, and how to mend it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace minke::engine {

struct Fact {
  enum class State { good, limit, bad };  // bad: containers do not run, or not all of them
  std::string name;
  State state = State::good;
  std::string text;
  std::string fix;  // one command, as it is typed; empty when there is none
};
// Changes nothing; what has to be tried is tried in a namespace of its own.
std::vector<Fact> examine_host(Engine& engine);

}  // namespace minke::engine
