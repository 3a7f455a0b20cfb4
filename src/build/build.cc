#include "build/build.h"

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "build/exchange.h"
#include "build/finish.h"
#include "build/parse.h"
#include "build/plan.h"
#include "build/platform_args.h"
#include "build/scheduler.h"
#include "engine/engine.h"

namespace minke::build {
namespace {

using sys::DirFd;

constexpr std::string_view kImageScheme = "docker-image://";

// RUNROOT/builds/RANDOM, locked while the build lives: secrets lie there, in memory. What is found
// unlocked was left by a killed build.
class Folder {
 public:
  static Result<Folder> make(const std::string& runroot) {
    const std::string all = runroot + "/builds";
    TRY(sys::ensure_dirs(all, 0700));
    for (const std::string& name : TRY(sys::list_dir(DirFd::cwd(), all.c_str()))) {
      std::string path = concat(all, "/", name);
      auto fd = sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (fd && ::flock(fd->get(), LOCK_EX | LOCK_NB) == 0)
        ignore(sys::remove_tree_at(DirFd::cwd(), path.c_str()), "the next build tries again");
    }
    for (int tries = 0; tries < 10; ++tries) {
      Folder folder;
      folder.path_ = concat(all, "/", random_hex(8));
      TRY(sys::make_dir_at(DirFd::cwd(), folder.path_.c_str(), 0700));
      auto lock = sys::open(folder.path_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (!lock && lock.error().sys() != ENOENT) return std::move(lock.error());
      // Before we had the lock another build may have taken it for abandoned.
      struct stat st {};
      if (!lock || ::flock(lock->get(), LOCK_EX) < 0 || ::fstat(lock->get(), &st) < 0 ||
          st.st_nlink == 0)
        continue;
      folder.lock_ = std::move(*lock);
      return folder;
    }
    return Error(Errc::internal, concat(all, ": new folders disappear"));
  }
  Folder(Folder&&) = default;
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    if (lock_)
      ignore(sys::remove_tree_at(DirFd::cwd(), path_.c_str()), "the next build finds it unlocked");
  }
  const std::string& path() const { return path_; }

 private:
  Folder() = default;
  std::string path_;
  sys::UniqueFd lock_;
};

class Builder {
 public:
  Builder(engine::Engine& engine, const BuildOptions& options, const BuildWatch& watch)
      : engine_(engine), options_(options), watch_(watch), plan_(options) {}
  Result<BuildOutcome> build();

 private:
  Status open_contexts();
  Status make_plan();
  Status load_images();
  Status load_image(const std::string& name, const std::string& reference,
                    const std::string& platform);

  engine::Engine& engine_;
  const BuildOptions& options_;
  VertexWatch watch_;
  Plan plan_;
  std::optional<store::Staging> scratch_;
  std::unique_ptr<Contexts> contexts_;
  std::map<std::string, std::string> image_contexts_;  // name to reference
};

Status Builder::open_contexts() {
  ContextRequest request;
  request.main = options_.context;
  for (const auto& [name, place] : options_.contexts) {
    if (place.starts_with(kImageScheme)) {
      image_contexts_[name] = place.substr(kImageScheme.size());
    } else {
      request.named[name] = place;
    }
    plan_.context_names.insert(name);
  }
  request.files = options_.files;
  request.ignore_file = options_.ignore_file;
  request.store = &engine_.store();
  scratch_.emplace(TRY(engine_.store().stage("context")));
  request.scratch = scratch_->path();
  contexts_ = TRY(Contexts::open(request));
  plan_.contexts = contexts_.get();
  return {};
}

Status Builder::make_plan() {
  plan_.file = TRY(parse(contexts_->text(), contexts_->filename()));
  if (!options_.from.empty()) plan_.file.stages[0].base = options_.from;
  plan_.host = oci::host_platform();
  plan_.target = options_.platform.value_or(plan_.host);
  std::string target_stage =
      options_.target.empty() ? plan_.file.stages.back().name : options_.target;
  plan_.given.build_args = options_.build_args;
  plan_.given.platform = platform_args(plan_.host, plan_.target, target_stage);
  plan_.given.globals = TRY(resolve_globals(plan_.file, options_.build_args, plan_.given.platform));
  std::set<std::string> folders;
  for (const std::string& name : plan_.context_names)
    if (!image_contexts_.contains(name)) folders.insert(name);
  base_on_folders(&plan_.file, folders, plan_.given);
  plan_.graph = TRY(make_graph(plan_.file, options_.target, plan_.context_names, plan_.given));
  if (options_.timestamp)
    plan_.times = *options_.timestamp;
  else if (options_.source_epoch && options_.clamp_times)
    plan_.times = *options_.source_epoch;
  return {};
}

Status Builder::load_image(const std::string& name, const std::string& reference,
                           const std::string& platform) {
  if (plan_.images.contains(name)) return {};
  oci::Platform wanted = plan_.target;
  if (!platform.empty()) wanted = TRY(parse_platform(platform));
  auto local = engine_.store().find_image(reference);
  const bool there = local && (local->config.architecture.empty() ||
                               local->config.architecture == wanted.architecture);
  if (there && (options_.pull == engine::PullPolicy::missing ||
                options_.pull == engine::PullPolicy::never)) {
    plan_.images.emplace(name, std::move(*local));
    return {};
  }
  engine::PullRequest request;
  request.reference = reference;
  request.policy = options_.pull;
  if (options_.platform || !platform.empty()) {
    request.os = wanted.os;
    request.arch = wanted.architecture;
    request.variant = wanted.variant;
  }
  request.access = options_.registry;
  const int vertex = watch_.begin(concat("[internal] load ", reference));
  using Kind = engine::TransferEvent::Kind;
  request.watch = [&](const engine::TransferEvent& event) {
    if (event.kind == Kind::trying)
      watch_.output(vertex, concat("trying ", event.text, "\n"));
    else if (event.kind == Kind::finished || event.kind == Kind::skipped)
      watch_.output(vertex,
                    concat(event.digest, event.kind == Kind::skipped ? " is here" : " done", "\n"));
  };
  auto pulled = engine::pull_image(engine_, request);
  watch_.end(vertex, false, pulled ? "" : pulled.error().message());
  if (!pulled) return std::move(pulled.error());
  plan_.images.emplace(name, std::move(*pulled));
  return {};
}

Status Builder::load_images() {
  auto reference = [&](const std::string& name) {
    auto context = image_contexts_.find(name);
    return context == image_contexts_.end() ? name : context->second;
  };
  for (const StageNode& node : plan_.graph.stages) {
    const Stage& stage = plan_.file.stages[static_cast<std::size_t>(node.stage)];
    auto at = [&](Status loaded) -> Status {
      if (loaded) return {};
      return at_line(std::move(loaded.error()), plan_.file, stage.lines);
    };
    const bool image_context =
        node.base.kind == Origin::Kind::context && image_contexts_.contains(node.base.name);
    if (node.base.kind == Origin::Kind::image || image_context)
      TRY(at(load_image(node.base.name, reference(node.base.name), node.platform)));
    for (const std::string& name : node.images) TRY(at(load_image(name, reference(name), "")));
    for (const std::string& name : node.contexts)
      if (image_contexts_.contains(name)) TRY(at(load_image(name, reference(name), "")));
  }
  return {};
}

Result<BuildOutcome> Builder::build() {
  Folder folder = TRY(Folder::make(engine_.host().runroot));
  plan_.folder = folder.path();
  TRY(watch_.around("[internal] load build definition", [&] { return open_contexts(); }));
  TRY(make_plan());
  TRY(load_images());
  failpoint("build", 1);  // nothing has run
  std::vector<std::string> notes;
  if (!options_.cache_from.empty())
    TRY(watch_.around("importing cache", [&] { return import_steps(engine_, plan_, &notes); }));
  std::map<int, StageResult> stages = TRY(build_stages(engine_, plan_, &watch_));
  failpoint("build", 2);  // every step is done
  BuildOutcome outcome = TRY(finish(engine_, plan_, stages.at(plan_.graph.target), &watch_));
  if (!options_.cache_to.empty())
    TRY(watch_.around("exporting cache", [&] { return export_steps(engine_, plan_, stages); }));
  outcome.warnings = plan_.file.warnings;
  outcome.warnings.insert(outcome.warnings.end(), notes.begin(), notes.end());
  std::vector<std::string> unused = unused_build_args(plan_.file, options_.build_args);
  if (!unused.empty())
    outcome.warnings.push_back(
        concat("one or more build args were not consumed: [", join(unused, " "), "]"));
  return outcome;
}

}  // namespace

Result<BuildOutcome> build(engine::Engine& engine, const BuildOptions& options,
                           const BuildWatch& watch) {
  TRY(engine.enter());
  TRY(engine.clear_steps());
  return Builder(engine, options, watch).build();
}

}  // namespace minke::build
