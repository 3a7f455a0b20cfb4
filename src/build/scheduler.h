// Builds the stages that the target needs, each in a process of its own: dependencies first,
// independent ones at the same time.
#pragma once

#include <map>

#include "build/plan.h"
#include "engine/engine.h"

namespace minke::build {

class VertexWatch {
 public:
  explicit VertexWatch(const BuildWatch& watch) : watch_(watch) {}
  int begin(const std::string& name);
  void output(int vertex, std::string data);
  void end(int vertex, bool cached, const std::string& error);
  // A vertex around `work`.
  Status around(const std::string& name, const std::function<Status()>& work);

 private:
  const BuildWatch& watch_;
  int count_ = 0;
};

// By stage: all that the target needs, itself too. The first failure ends all others; their steps
// that are done stay cached.
Result<std::map<int, StageResult>> build_stages(engine::Engine& engine, const Plan& plan,
                                                VertexWatch* watch);

}  // namespace minke::build
