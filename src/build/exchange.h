// --cache-from and --cache-to: the steps of builds to and from other machines.
#pragma once

#include "build/plan.h"
#include "build/scheduler.h"

namespace minke::build {

// What `text` of --cache-from or --cache-to names: "type=local,src=FOLDER" (dest=), in it an OCI
// layout for each stage.
struct ExchangePlace {
  std::string folder;
};
Result<ExchangePlace> parse_exchange(const std::string& text, const char* option);

// The steps of the target's stages that are kept there become known here. A place that has none is
// no fault: a note for people.
Status import_steps(engine::Engine& engine, const Plan& plan, std::vector<std::string>* notes);
// The steps of every stage, each stage as an image whose annotation names them.
Status export_steps(engine::Engine& engine, const Plan& plan,
                    const std::map<int, StageResult>& stages);

}  // namespace minke::build
