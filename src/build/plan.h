// What all parts of the executor know of one build. Internal to this folder.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "build/build.h"
#include "build/context.h"
#include "build/graph.h"
#include "build/instruction.h"
#include "build/variables.h"
#include "store/step_cache.h"
#include "store/store.h"

namespace minke::build {

struct Layer {
  std::string chain_id;
  oci::Digest diff_id;
  oci::Descriptor blob;  // of a base image's layer; without a digest: ours
};
void bind(json::Binder& b, Layer& layer);

// A stage that is done, or what one begins with.
struct StageResult {
  std::vector<Layer> layers;       // bottom first
  oci::ImageConfig config;         // history of what made no layer has no time yet
  std::string base_id, base_name;  // the image that the lowest layers came from
  oci::Digest base_digest;
  std::map<std::string, std::string> annotations;  // of the base image's manifest
  std::vector<store::CachedStep> steps;            // with a key: run now, or found
};
void bind(json::Binder& b, StageResult& result);

struct Plan {
  explicit Plan(const BuildOptions& asked) : options(asked) {}
  const BuildOptions& options;
  Containerfile file;
  Graph graph;
  Variables::Given given;
  oci::Platform host, target;
  std::optional<oci::Platform> platform;  // the one that was asked for; none: the host's
  std::string suffix;                     // "linux_arm64" when it is one of several; else empty
  std::vector<std::string> names;         // of the image
  std::optional<OutputChoice> output;
  std::set<std::string> context_names;
  // By image_key(): the same name may stand for two platforms.
  std::map<std::string, store::Image> images;
  Contexts* contexts = nullptr;
  std::map<std::string, std::string> agents;  // --ssh: id to socket
  std::string folder;       // RUNROOT/builds/RANDOM: secrets and the like, gone with the build
  std::int64_t times = -1;  // seconds that every file of a layer gets; -1: as they are
};

// `name` as the file has it, `platform` of FROM, empty: the build's.
std::string image_key(std::string_view name, std::string_view platform = {});

// Numbers of the steps that progress shows: FROM is the first; what only changes the configuration
// has none.
bool is_shown(const Instruction& instruction);
std::string step_name(const Plan& plan, int stage, int number, std::string_view text);

}  // namespace minke::build
