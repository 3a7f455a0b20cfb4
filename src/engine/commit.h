// What commit is asked.
#pragma once

#include <string>
#include <vector>

namespace minke::engine {

struct CommitOptions {
  std::string name;  // as typed; empty: untagged
  std::string author, message;
  std::string config_json;           // --config: an image's "config" to merge in
  std::vector<std::string> changes;  // instructions of a Dockerfile (store/changes.h)
  bool docker = false;               // Docker's manifest and media types
  bool pause = false, include_volumes = false;
  bool squash = false;  // one layer with everything
};

}  // namespace minke::engine
