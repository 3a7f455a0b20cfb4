// Which stages a target needs, and which of them wait for which.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "build/instruction.h"
#include "build/variables.h"

namespace minke::build {

// What FROM, COPY --from and RUN --mount from= name.
struct Origin {
  enum class Kind : std::uint8_t { stage, context, image, scratch };
  Kind kind = Kind::image;
  int stage = -1;    // Kind::stage: the index in Containerfile::stages
  std::string name;  // Kind::context and Kind::image: the name, expanded
};

struct StageNode {
  int stage = 0;  // index in Containerfile::stages
  Origin base;
  std::string platform;            // --platform of FROM, expanded; empty: the build's
  std::vector<int> needs;          // stages that must be finished before this one ends; sorted
  std::set<std::string> images;    // images that COPY --from and RUN --mount name
  std::set<std::string> contexts;  // named build contexts that it reads
  bool reads_context = false;      // the main build context
  // Where COPY --from takes from, by {instruction, 0}, and RUN --mount from=, by {instruction,
  // mount}; indexes in Stage::instructions. What names none is not here.
  std::map<std::pair<int, int>, Origin> origins;
};

struct Graph {
  int target = 0;                 // index in Containerfile::stages
  std::vector<StageNode> stages;  // only those that the target needs, dependencies first
  const StageNode* find(int stage) const;
};

// `target`: the name of a stage or its number; empty: the last one. `contexts`: names of
// --build-context, which win over stages and images. `given.globals` and `given.platform` are
// resolved already. Errors name the file and the line: no such stage, a stage that needs itself, a
// `from` whose variable has no value.
Result<Graph> make_graph(const Containerfile& file, std::string_view target,
                         const std::set<std::string>& contexts, const Variables::Given& given);

// Stages that begin FROM one of `folders` (build contexts that are no images) become stages from
// scratch that copy it as it is.
void base_on_folders(Containerfile* file, const std::set<std::string>& folders,
                     const Variables::Given& given);

// Whether a source lies in the main build context.
bool reads_context(const node::Copy& copy);

// The origin that `from` (of COPY or of a mount, expanded) means: a context, a stage by name or
// number, else an image.
Origin resolve_origin(const Containerfile& file, std::string_view from,
                      const std::set<std::string>& contexts);

}  // namespace minke::build
