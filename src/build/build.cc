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
#include "build/ssh_agent.h"
#include "engine/engine.h"
#include "engine/manifest_list.h"

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
      : engine_(engine), options_(options), watch_(watch) {}
  Result<BuildOutcome> build();

 private:
  Status open_contexts();
  Status start_agents();
  Status make_plan(Plan* plan);
  void choose_output(Plan* plan) const;
  Status load_images(Plan* plan);
  Status load_image(Plan* plan, const std::string& name, const std::string& reference,
                    const std::string& platform);
  Result<BuildOutcome> build_for(const std::optional<oci::Platform>& platform);
  Status keep_list(const std::vector<std::string>& ids, BuildOutcome* outcome);

  engine::Engine& engine_;
  const BuildOptions& options_;
  VertexWatch watch_;
  std::string folder_;
  std::optional<store::Staging> scratch_;
  std::unique_ptr<Contexts> contexts_;
  std::set<std::string> context_names_;
  std::map<std::string, std::string> image_contexts_;  // name to reference
  std::map<std::string, std::string> agents_;          // --ssh: id to socket
  std::vector<SshAgent> own_agents_;
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
    context_names_.insert(name);
  }
  request.files = options_.files;
  request.ignore_file = options_.ignore_file;
  request.store = &engine_.store();
  if (auto keep = options_.build_args.find("BUILDKIT_CONTEXT_KEEP_GIT_DIR");
      keep != options_.build_args.end())
    request.keep_git_dir = parse_bool(keep->second).value_or(false);
  request.git = {true, "", &options_.secrets, folder_};
  scratch_.emplace(TRY(engine_.store().stage("context")));
  request.scratch = scratch_->path();
  contexts_ = TRY(Contexts::open(request));
  return {};
}

Status Builder::start_agents() {
  agents_ = options_.agents;
  for (const auto& [id, keys] : options_.keys) {
    SshAgent agent = TRY_CTX(SshAgent::start(keys, folder_), concat("--ssh ", id));
    agents_[id] = agent.socket();
    own_agents_.push_back(std::move(agent));
  }
  return {};
}

// What is made for one platform of several gets no name: the list has it.
void Builder::choose_output(Plan* plan) const {
  plan->output = options_.output;
  if (options_.platforms.size() < 2) {
    plan->names = options_.names;
    return;
  }
  const oci::Platform& platform = plan->target;
  plan->suffix = concat(platform.os, "_", platform.architecture,
                        platform.variant.empty() ? "" : "_", platform.variant);
  if (plan->output) plan->output->destination += concat("/", plan->suffix);
}

Status Builder::make_plan(Plan* plan) {
  plan->contexts = contexts_.get();
  plan->context_names = context_names_;
  plan->folder = folder_;
  plan->agents = agents_;
  plan->file = TRY(parse(contexts_->text(), contexts_->filename()));
  if (!options_.from.empty()) plan->file.stages[0].base = options_.from;
  plan->host = oci::host_platform();
  plan->target = plan->platform.value_or(plan->host);
  choose_output(plan);
  std::string target_stage =
      options_.target.empty() ? plan->file.stages.back().name : options_.target;
  plan->given.build_args = options_.build_args;
  plan->given.platform = platform_args(plan->host, plan->target, target_stage);
  plan->given.globals = TRY(resolve_globals(plan->file, options_.build_args, plan->given.platform));
  std::set<std::string> folders;
  for (const std::string& name : plan->context_names)
    if (!image_contexts_.contains(name)) folders.insert(name);
  base_on_folders(&plan->file, folders, plan->given);
  plan->graph = TRY(make_graph(plan->file, options_.target, plan->context_names, plan->given));
  if (options_.timestamp)
    plan->times = *options_.timestamp;
  else if (options_.source_epoch && options_.clamp_times)
    plan->times = *options_.source_epoch;
  return {};
}

bool fits(const store::Image& image, const oci::Platform& wanted) {
  auto same = [](const std::string& has, const std::string& wants) {
    return has.empty() || wants.empty() || has == wants;
  };
  return same(image.config.os, wanted.os) && same(image.config.architecture, wanted.architecture) &&
         same(image.config.variant, wanted.variant);
}

Status Builder::load_image(Plan* plan, const std::string& name, const std::string& reference,
                           const std::string& platform) {
  const std::string key = image_key(name, platform);
  if (plan->images.contains(key)) return {};
  oci::Platform wanted = plan->target;
  if (!platform.empty()) wanted = TRY(parse_platform(platform));
  auto local = engine_.store().find_image(reference);
  if (local && fits(*local, wanted) &&
      (options_.pull == engine::PullPolicy::missing ||
       options_.pull == engine::PullPolicy::never)) {
    plan->images.emplace(key, std::move(*local));
    return {};
  }
  engine::PullRequest request;
  request.reference = reference;
  request.policy = options_.pull;
  if (plan->platform || !platform.empty()) {
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
  plan->images.emplace(key, std::move(*pulled));
  return {};
}

Status Builder::load_images(Plan* plan) {
  auto reference = [&](const std::string& name) {
    auto context = image_contexts_.find(name);
    return context == image_contexts_.end() ? name : context->second;
  };
  for (const StageNode& node : plan->graph.stages) {
    const Stage& stage = plan->file.stages[static_cast<std::size_t>(node.stage)];
    auto load = [&](const std::string& name, const std::string& platform) -> Status {
      Status loaded = load_image(plan, name, reference(name), platform);
      if (loaded) return {};
      return at_line(std::move(loaded.error()), plan->file, stage.lines);
    };
    const bool image_context =
        node.base.kind == Origin::Kind::context && image_contexts_.contains(node.base.name);
    if (node.base.kind == Origin::Kind::image || image_context)
      TRY(load(node.base.name, node.platform));
    for (const std::string& name : node.images) TRY(load(name, ""));
    for (const std::string& name : node.contexts)
      if (image_contexts_.contains(name)) TRY(load(name, ""));
  }
  return {};
}

Result<BuildOutcome> Builder::build_for(const std::optional<oci::Platform>& platform) {
  Plan plan(options_);
  plan.platform = platform;
  TRY(make_plan(&plan));
  TRY(load_images(&plan));
  failpoint("build", 1);  // nothing has run
  std::vector<std::string> notes;
  sys::FileLock exchange;
  if (!options_.cache_from.empty() || !options_.cache_to.empty())
    exchange = TRY(lock_exchange(engine_));
  if (!options_.cache_from.empty())
    TRY(watch_.around("importing cache", [&] { return import_steps(engine_, plan, &notes); }));
  std::map<int, StageResult> stages = TRY(build_stages(engine_, plan, &watch_));
  failpoint("build", 2);  // every step is done
  BuildOutcome outcome = TRY(finish(engine_, plan, stages.at(plan.graph.target), &watch_));
  if (!options_.cache_to.empty())
    TRY(watch_.around("exporting cache",
                      [&] { return export_steps(engine_, plan, stages, &notes); }));
  outcome.warnings = plan.file.warnings;
  outcome.warnings.insert(outcome.warnings.end(), notes.begin(), notes.end());
  std::vector<std::string> unused = unused_build_args(plan.file, options_.build_args);
  if (!unused.empty())
    outcome.warnings.push_back(
        concat("one or more build args were not consumed: [", join(unused, " "), "]"));
  return outcome;
}

// --manifest adds to a list; several platforms without it make the first name one, anew.
Status Builder::keep_list(const std::vector<std::string>& ids, BuildOutcome* outcome) {
  using engine::IfThere;
  engine::AddToList members;
  members.images = ids;
  if (!options_.manifest.empty())
    outcome->id = TRY(engine::create_list(engine_, options_.manifest, members, IfThere::amend, {}));
  outcome->names = options_.names;
  if (ids.size() > 1)
    for (const std::string& name : options_.names)
      outcome->id = TRY(engine::create_list(engine_, name, members, IfThere::replace, {}));
  if (!options_.manifest.empty()) outcome->names.insert(outcome->names.begin(), options_.manifest);
  return {};
}

Result<BuildOutcome> Builder::build() {
  Folder folder = TRY(Folder::make(engine_.host().runroot));
  folder_ = folder.path();
  TRY(start_agents());
  TRY(watch_.around("[internal] load build definition", [&] { return open_contexts(); }));
  std::vector<std::optional<oci::Platform>> platforms(options_.platforms.begin(),
                                                      options_.platforms.end());
  if (platforms.empty()) platforms.emplace_back();
  BuildOutcome outcome;
  std::vector<std::string> ids;
  std::set<std::string> told;
  for (const auto& platform : platforms) {
    BuildOutcome one = TRY(build_for(platform));
    if (!one.id.empty()) ids.push_back(one.id);
    for (std::string& warning : one.warnings)
      if (told.insert(warning).second) outcome.warnings.push_back(std::move(warning));
    outcome.id = std::move(one.id);
    outcome.names = std::move(one.names);
  }
  const bool several = ids.size() > 1 && !options_.names.empty();
  if (ids.empty() || (options_.manifest.empty() && !several)) return outcome;
  TRY(watch_.around("exporting manifest list", [&] { return keep_list(ids, &outcome); }));
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
