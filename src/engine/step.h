// RUN of a build as a container of the engine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/request.h"
#include "engine/specgen.h"
#include "store/store.h"

namespace minke::engine {

struct StepRequest {
  CreateRequest request;  // its image counts only by name
  // What the step stands on: the id of the image that its layers came from (nobody removes it
  // meanwhile; empty: of none), and the configuration as it is at this step.
  store::Image image;
  std::vector<std::string> lower;  // folders of layers, topmost first: at least one
  // Where changes are afterwards, on the file system of ROOT: there already (of an earlier step),
  // or made now.
  std::string upper;
  std::map<std::string, ImageTree> trees;  // what mounts of type image name, before images
  std::vector<std::string> secret_env;     // "K=V" in no file
};

// Where something is mounted in a step.
struct MountPlace {
  std::string path;  // absolute and clean
  bool file = false;
};
// The engine's own mounts and the user's need places, which the step's layer must not get: made in
// `folder`, an empty one, that goes below all layers.
Status make_mount_places(const std::string& folder, const std::vector<MountPlace>& mounts);

}  // namespace minke::engine
