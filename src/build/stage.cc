#include "build/stage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/str.h"
#include "build/parse.h"
#include "build/platform_args.h"
#include "engine/parse_internal.h"
#include "engine/rootfs_view.h"
#include "engine/tree_changes.h"
#include "store/image_worker.h"
#include "store/layout.h"

namespace minke::build {
namespace {

const std::vector<std::string> kUsualShell = {"/bin/sh", "-c"};

bool is_meta(const Instruction& instruction) {
  return instruction.as<node::Run>() == nullptr && instruction.as<node::Copy>() == nullptr &&
         instruction.as<node::Workdir>() == nullptr;
}

// As Podman's history has it.
std::string created_by(const Instruction& instruction, const std::vector<std::string>& shell,
                       const std::vector<std::string>& arguments) {
  if (const auto* run = instruction.as<node::Run>()) {
    auto command = run_command(*run, shell);
    std::string text = command ? join(command->argv, " ") : instruction.original;
    if (!arguments.empty())
      text = concat("|", arguments.size(), " ", join(arguments, " "), " ", text);
    return text;
  }
  return concat("/bin/sh -c #(nop) ", instruction.original);
}

Status set_times(int dir, const char* name, const struct stat& st, std::int64_t seconds,
                 bool only_newer) {
  if (only_newer && st.st_mtim.tv_sec < seconds) return {};
  timespec times[2] = {{seconds, 0}, {seconds, 0}};
  if (::utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::from_errno(errno, concat("set the time of ", name));
  return {};
}

Status set_times_below(int dir, std::int64_t seconds, bool only_newer) {
  int copy = ::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return Error::from_errno(errno, "open a folder of the layer");
  for (const std::string& name : TRY(sys::list_dir(sys::DirFd(sys::UniqueFd(copy))))) {
    struct stat st {};
    if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
      return Error::from_errno(errno, concat("stat ", name));
    if (S_ISDIR(st.st_mode)) {
      sys::UniqueFd below =
          TRY(sys::open_beneath(dir, name.c_str(), O_RDONLY | O_DIRECTORY, 0, true));
      TRY(set_times_below(below.get(), seconds, only_newer));
    }
    TRY(set_times(dir, name.c_str(), st, seconds, only_newer));
  }
  return {};
}

}  // namespace

Status set_tree_times(const std::string& folder, std::int64_t seconds, bool only_newer) {
  sys::UniqueFd root = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  TRY(set_times_below(root.get(), seconds, only_newer));
  struct stat st {};
  if (::fstat(root.get(), &st) < 0) return Error::from_errno(errno, folder);
  return set_times(AT_FDCWD, folder.c_str(), st, seconds, only_newer);
}

bool is_shown(const Instruction& instruction) { return !is_meta(instruction); }

std::string step_name(const Plan& plan, int stage, int number, std::string_view text) {
  const Stage& of = plan.file.stages[static_cast<std::size_t>(stage)];
  int total = 1;
  for (const Instruction& instruction : of.instructions) total += is_shown(instruction) ? 1 : 0;
  std::string name = of.name;
  if (name.empty() && plan.graph.stages.size() > 1) name = concat("stage-", stage);
  if (!plan.suffix.empty())
    name = concat(platform_text(plan.target), name.empty() ? "" : " ", name);
  return concat("[", name, name.empty() ? "" : " ", number, "/", total, "] ", text);
}

std::string image_key(std::string_view name, std::string_view platform) {
  return platform.empty() ? std::string(name) : concat(name, " ", platform);
}

StageBuilder::StageBuilder(engine::Engine& engine, const Plan& plan, int stage,
                           const std::map<int, StageResult>& done, StageReport report)
    : engine_(engine),
      plan_(plan),
      stage_(plan.file.stages[static_cast<std::size_t>(stage)]),
      node_(*plan.graph.find(stage)),
      done_(done),
      report_(std::move(report)),
      cache_(engine.host().root),
      remote_(engine, plan),
      variables_(plan.given),
      shell_(kUsualShell) {}

Result<StageResult> StageBuilder::build() {
  work_.emplace(TRY(engine_.store().stage("build")));
  int number = 1;
  report_.begin(step_name(plan_, node_.stage, number, stage_.original));
  Status begun = begin_base();
  report_.end(false, begun ? "" : begun.error().message());
  TRY(std::move(begun));
  TRY(run_triggers());
  for (const Instruction& instruction : stage_.instructions) {
    const bool shown = is_shown(instruction);
    if (shown) report_.begin(step_name(plan_, node_.stage, ++number, instruction.original));
    failpoint("build.step", number);
    Status done = one(instruction, false);
    // What was cached has been told already.
    if (shown && !done) report_.end(false, done.error().message());
    if (!done) return at_line(std::move(done.error()), plan_.file, instruction.lines);
  }
  if (!upper_.empty()) {
    Step step;
    step.created_by = "/bin/sh";
    TRY(seal(upper_, "", step));
  }
  config().env = variables_.environment();
  return std::move(result_);
}

Status StageBuilder::begin_base() {
  if (node_.base.kind == Origin::Kind::stage) {
    result_ = done_.at(node_.base.stage);
  } else if (node_.base.kind == Origin::Kind::scratch) {
    const oci::Platform target =
        node_.platform.empty() ? plan_.target : TRY(parse_platform(node_.platform));
    result_.config.architecture = target.architecture;
    result_.config.variant = target.variant;
    result_.config.os = target.os;
  } else {
    const store::Image& image = plan_.images.at(image_key(node_.base.name, node_.platform));
    result_.config = image.config;
    result_.config.comment.clear();
    result_.base_id = image.id;
    result_.base_name = image.names.empty() ? image.id : image.names[0];
    result_.base_digest = image.manifest_descriptor.digest;
    if (plan_.options.inherit_annotations) result_.annotations = image.manifest.annotations;
    if (!plan_.options.inherit_labels) config().labels.clear();
    for (std::size_t i = 0; i < image.chain_ids.size(); ++i)
      result_.layers.push_back(
          {image.chain_ids[i], image.config.diff_ids[i], image.manifest.layers[i]});
  }
  variables_.set_environment(config().env);
  if (config().shell && !config().shell->empty()) shell_ = *config().shell;
  for (const std::string& entry : plan_.options.env) {
    auto pair = split_once(entry, '=');
    if (pair) variables_.set_env(std::string(pair->first), std::string(pair->second));
  }
  return {};
}

// ONBUILD of the base, once: what is built here does not have it.
Status StageBuilder::run_triggers() {
  std::vector<std::string> triggers = config().on_build.value_or(std::vector<std::string>());
  config().on_build.reset();
  if (node_.base.kind == Origin::Kind::stage && triggers.empty()) return {};
  for (const std::string& text : triggers) {
    Instruction instruction =
        TRY(parse_trigger(text, result_.base_name.empty() ? "the base" : result_.base_name));
    const bool shown = is_shown(instruction);
    if (shown) report_.begin(concat("[", stage_.name, " ONBUILD] ", instruction.original));
    Status done = one(instruction, true);
    if (shown && !done) report_.end(false, done.error().message());
    if (!done)
      return std::move(done.error()).wrap(concat("ONBUILD ", text, " of ", result_.base_name));
  }
  return {};
}

Status StageBuilder::one(const Instruction& written, bool) {
  Instruction instruction = written;
  TRY(expand_instruction(&instruction, variables_.lookup(), plan_.file.escape));
  Step step;
  step.instruction = &written;
  step.created_by = created_by(instruction, shell_, variables_.cache_arguments());
  return apply(&instruction, step);
}

Status StageBuilder::apply(Instruction* instruction, const Step& step) {
  if (const auto* command = instruction->as<node::Run>()) return run(*command, step);
  if (const auto* files = instruction->as<node::Copy>()) return copy(*files, *instruction, step);
  if (const auto* folder = instruction->as<node::Workdir>()) return workdir(*folder, step);
  TRY(apply_meta(*instruction));
  add_history(step, true, 0);
  return {};
}

void StageBuilder::add_history(const Step& step, bool empty, TimeNs created) {
  oci::History history;
  history.created_by = step.created_by;
  history.empty_layer = empty;
  if (!empty) history.created = format_rfc3339(created, -1, true);
  result_.config.history.push_back(std::move(history));
}

std::vector<std::string> StageBuilder::lower() const {
  std::vector<std::string> folders;
  for (auto layer = result_.layers.rbegin(); layer != result_.layers.rend(); ++layer)
    folders.push_back(concat(engine_.host().root, "/", store::kLayersDir, "/", layer->chain_id, "/",
                             store::kDiffDir));
  return folders;
}

std::string StageBuilder::top() const {
  return result_.layers.empty() ? "scratch" : result_.layers.back().chain_id;
}

std::string StageBuilder::fresh_folder(const char* name) {
  return concat(work_->path(), "/", name, "-", ++folders_);
}

std::string StageBuilder::absolute(const std::string& path) const {
  std::string whole = path;
  if (!path.starts_with('/')) {
    const std::string& from = result_.config.config.working_dir;
    whole = concat(from.empty() ? "/" : from, "/", path);
  }
  return engine::clean_path(whole);
}

// Of one step; with one layer for all, that of all steps so far.
Result<std::string> StageBuilder::new_upper() {
  if (one_layer() && !upper_.empty()) return upper_;
  std::string upper = fresh_folder("upper");
  TRY(sys::make_dir_at(sys::DirFd::cwd(), upper.c_str(), 0755));
  // The root of a layer shows as the root of all: it looks like the one below.
  std::vector<std::string> below = lower();
  struct stat st {};
  if (!below.empty() && ::stat(below[0].c_str(), &st) == 0) {
    timespec times[2] = {st.st_atim, st.st_mtim};
    if (::chown(upper.c_str(), st.st_uid, st.st_gid) < 0 ||
        ::chmod(upper.c_str(), st.st_mode & 07777) < 0 ||
        ::utimensat(AT_FDCWD, upper.c_str(), times, 0) < 0)
      return Error::from_errno(errno, "attributes of the new layer");
  }
  if (one_layer()) upper_ = upper;
  return upper;
}

Result<sys::UniqueFd> StageBuilder::open_writable(const std::string& upper) {
  std::vector<std::string> folders = lower();
  if (folders.empty()) {
    folders.push_back(fresh_folder("empty"));
    TRY(sys::make_dir_at(sys::DirFd::cwd(), folders[0].c_str(), 0755));
  }
  std::string work = fresh_folder("work");
  TRY(sys::make_dir_at(sys::DirFd::cwd(), work.c_str(), 0700));
  return engine::mount_writable(folders, upper, work, engine_.host().rootless);
}

Result<sys::UniqueFd> StageBuilder::open_view() {
  std::vector<std::string> folders = lower();
  if (!upper_.empty()) folders.insert(folders.begin(), upper_);
  if (folders.empty()) {
    std::string empty = fresh_folder("empty");
    TRY(sys::make_dir_at(sys::DirFd::cwd(), empty.c_str(), 0755));
    return sys::open(empty, O_RDONLY | O_DIRECTORY);
  }
  if (folders.size() == 1) return sys::open(folders[0], O_RDONLY | O_DIRECTORY);
  return engine::mount_layers(folders, engine_.host().rootless);
}

Result<bool> StageBuilder::use_cached(const std::string& key, const Step& step) {
  if (!plan_.options.cache || one_layer()) return false;
  auto found = TRY(cache_.find(key, plan_.options.cache_ttl));
  if (!found && remote_.fetch(key, report_.warn))
    found = TRY(cache_.find(key, plan_.options.cache_ttl));
  if (!found) return false;
  report_.end(true, "");
  result_.steps.push_back(*found);
  if (found->chain_id.empty()) {  // it changed nothing
    add_history(step, true, 0);
    return true;
  }
  result_.layers.push_back({found->chain_id, found->diff_id, {}});
  result_.config.diff_ids.push_back(found->diff_id);
  add_history(step, false, found->created);
  return true;
}

Status StageBuilder::seal(const std::string& upper, const std::string& key, const Step& step) {
  const bool keep_open = one_layer() && step.instruction != nullptr;
  if (keep_open) {
    add_history(step, true, 0);
    report_.end(false, "");
    return {};
  }
  if (plan_.times >= 0) TRY(set_tree_times(upper, plan_.times, plan_.options.clamp_times));
  store::SealRequest request;
  request.upper = upper;
  {
    sys::UniqueFd folder = TRY(sys::open(upper, O_RDONLY | O_DIRECTORY));
    request.opaque = TRY(engine::opaque_directories(folder.get()));
  }
  request.below = result_.config.diff_ids;
  request.step.key = key;
  request.step.text = step.instruction != nullptr ? step.instruction->original : step.created_by;
  const BuildOptions& options = plan_.options;
  std::optional<std::int64_t> fixed = options.timestamp ? options.timestamp : options.source_epoch;
  request.step.created = fixed ? *fixed * kSecond : now();
  store::CachedStep sealed = TRY(store::seal_layer(engine_.store(), request));
  result_.layers.push_back({sealed.chain_id, sealed.diff_id, {}});
  result_.config.diff_ids.push_back(sealed.diff_id);
  add_history(step, false, sealed.created);
  if (!key.empty()) result_.steps.push_back(sealed);
  if (step.instruction != nullptr) report_.end(false, "");
  return {};
}

// A named context may be an image (docker-image://).
Origin StageBuilder::origin_of(const std::string& from) const {
  Origin origin;
  origin.kind = Origin::Kind::context;
  if (from.empty()) return origin;
  origin = resolve_origin(plan_.file, from, plan_.context_names);
  if (origin.kind == Origin::Kind::context && plan_.images.contains(image_key(origin.name)))
    origin.kind = Origin::Kind::image;
  return origin;
}

Result<StageBuilder::Tree> StageBuilder::tree_of(const Origin& origin) {
  Tree tree;
  const std::string layers = concat(engine_.host().root, "/", store::kLayersDir, "/");
  auto add = [&](const std::string& chain_id) {
    tree.layers.insert(tree.layers.begin(), concat(layers, chain_id, "/", store::kDiffDir));
    tree.identity = chain_id;
  };
  if (origin.kind == Origin::Kind::stage) {
    for (const Layer& layer : done_.at(origin.stage).layers) add(layer.chain_id);
  } else if (origin.kind == Origin::Kind::image) {
    for (const std::string& chain_id : plan_.images.at(image_key(origin.name)).chain_ids)
      add(chain_id);
  }
  return tree;
}

void bind(json::Binder& b, Layer& layer) {
  b("chainId", layer.chain_id);
  std::string diff_id = layer.diff_id.str();
  b("diffId", diff_id);
  if (b.reading())
    if (auto digest = oci::Digest::parse(diff_id)) layer.diff_id = std::move(*digest);
  if (!b.reading() && layer.blob.digest.empty()) return;
  std::string digest = layer.blob.digest.str();
  b("digest", digest);
  b("mediaType", layer.blob.media_type);
  b("size", layer.blob.size);
  if (b.reading() && !digest.empty())
    if (auto parsed = oci::Digest::parse(digest)) layer.blob.digest = std::move(*parsed);
}

void bind(json::Binder& b, StageResult& result) {
  b("layers", result.layers);
  std::string config = b.reading() ? "" : oci::dump_image_config(result.config);
  b("config", config);
  if (b.reading())
    if (auto parsed = oci::parse_image_config(config)) result.config = std::move(*parsed);
  b("baseId", result.base_id);
  b("baseName", result.base_name);
  std::string digest = result.base_digest.str();
  b("baseDigest", digest);
  if (b.reading() && !digest.empty())
    if (auto parsed = oci::Digest::parse(digest)) result.base_digest = std::move(*parsed);
  b("annotations", result.annotations);
  b("steps", result.steps);
}

}  // namespace minke::build
