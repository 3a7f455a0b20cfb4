// A Containerfile and a context become an image.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "build/cache_place.h"
#include "engine/pull.h"
#include "engine/request.h"
#include "oci/image.h"

namespace minke::engine {
class Engine;
}

namespace minke::build {

// --secret: a file's content or a variable's value.
struct SecretSource {
  std::string file, env;
};

// --output: where the result goes besides, or in place of, the store.
struct OutputChoice {
  enum class Type : std::uint8_t { image, local, tar };
  Type type = Type::image;
  std::string destination;  // a folder, a file; "-": standard output
};

struct BuildOptions {
  std::string context;                          // a folder, "-", an archive, a URL
  std::vector<std::string> files;               // -f, as typed; empty: found in the context
  std::string ignore_file;                      // --ignorefile
  std::map<std::string, std::string> contexts;  // --build-context
  std::map<std::string, std::string> build_args;
  std::string target, from;        // --from: in place of the first FROM's image
  std::vector<std::string> names;  // full

  // Built one after the other; none: for this machine. More than one end in a list of images.
  std::vector<oci::Platform> platforms;
  std::string manifest;  // --manifest, full: the list that images are added to
  engine::PullPolicy pull = engine::PullPolicy::missing;
  engine::RegistryAccess registry;

  std::map<std::string, SecretSource> secrets;
  std::map<std::string, std::string> agents;             // --ssh: id to the path of a socket
  std::map<std::string, std::vector<std::string>> keys;  // --ssh: id to files of keys
  // What every RUN gets: limits, networks, names, capabilities, volumes.
  engine::CreateRequest run;

  std::vector<std::string> env;  // --env K=V, K (kept in the image)
  std::vector<std::string> unset_env, unset_labels, unset_annotations;
  std::vector<std::pair<std::string, std::string>> labels, annotations;
  std::vector<std::pair<std::string, std::string>> layer_labels;
  bool inherit_labels = true, inherit_annotations = true;
  bool created_annotation = true;
  bool docker = false;  // --format
  bool omit_history = false;
  std::optional<std::int64_t> timestamp;  // seconds: of the image and of every file of its layers
  std::optional<std::int64_t> source_epoch;  // seconds: of the image
  bool clamp_times = false;                  // no file of a layer is newer than `source_epoch`

  bool cache = true;           // false: every step runs; its result is remembered all the same
  bool layers = true;          // false: one layer for all that a stage does, and no cache
  bool squash_all = false;     // one layer with everything, the base too
  std::int64_t cache_ttl = 0;  // seconds; 0: for ever
  std::vector<CachePlace> cache_from, cache_to;
  std::uint32_t jobs = 0;   // 0: as many as there are processors
  bool skip_unused = true;  // stages that the target does not need
  std::optional<OutputChoice> output;
};

// What happens, for whoever shows it. Vertices are numbered from 1 in the order in which they
// begin.
struct BuildEvent {
  enum class Kind : std::uint8_t { begin, output, end };
  Kind kind = Kind::begin;
  int vertex = 0;
  std::string name;     // begin: "[build 2/4] RUN make"
  std::string data;     // output: bytes as they came
  bool cached = false;  // end
  std::string error;    // end; empty: done
};
using BuildWatch = std::function<void(const BuildEvent&)>;

struct BuildOutcome {
  std::string id;                     // of the image or the list; empty with another output
  std::vector<std::string> names;     // that it has got
  std::vector<std::string> warnings;  // a line each
};

// Enters the user's namespaces. The process must be single-threaded: stages are built by children
// of it. Errors begin with "FILE:LINE: " where an instruction is at fault, and carry the exit code
// of the command that failed.
Result<BuildOutcome> build(engine::Engine& engine, const BuildOptions& options,
                           const BuildWatch& watch);

}  // namespace minke::build
