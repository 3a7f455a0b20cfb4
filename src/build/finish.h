// What a build ends with: an image of the target's layers, a folder, or an archive.
#pragma once

#include "build/plan.h"
#include "build/scheduler.h"

namespace minke::build {

Result<BuildOutcome> finish(engine::Engine& engine, const Plan& plan, StageResult result,
                            VertexWatch* watch);

}  // namespace minke::build
