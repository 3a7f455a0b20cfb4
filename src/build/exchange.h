// --cache-from and --cache-to: the steps of builds to and from other machines.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "build/plan.h"
#include "engine/engine.h"
#include "sys/lock.h"

namespace minke::build {

// For the life of a build with one of them. While nobody else holds it, the images that carried
// steps for a build that was killed go.
Result<sys::FileLock> lock_exchange(engine::Engine& engine);
// The steps of the target's stages that are kept in folders become known here. A place that has
// none is no fault: a note for people.
Status import_steps(engine::Engine& engine, const Plan& plan, std::vector<std::string>* notes);
// The steps of every stage, each stage as an image whose annotation names them. In a registry it
// has a tag for each step.
Status export_steps(engine::Engine& engine, const Plan& plan,
                    const std::map<int, StageResult>& stages, std::vector<std::string>* notes);

// Registries of --cache-from, asked for one step after the other.
class RemoteSteps {
 public:
  RemoteSteps(engine::Engine& engine, const Plan& plan) : engine_(engine), plan_(plan) {}
  // Whether one has the step; then it and all that its stage had is known here. A place that does
  // not answer is told by `warn`, and left alone from then on.
  bool fetch(const std::string& key, const std::function<void(const std::string&)>& warn);

 private:
  Result<bool> fetch_from(const CachePlace& place, const std::string& key);
  engine::Engine& engine_;
  const Plan& plan_;
  std::set<std::string> silent_;
};

}  // namespace minke::build
