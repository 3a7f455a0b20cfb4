#include "build/finish.h"

#include <unistd.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/str.h"
#include "build/cache_key.h"
#include "build/stage.h"
#include "engine/events.h"
#include "engine/rootfs_view.h"
#include "engine/tree_changes.h"
#include "oci/reference.h"
#include "store/image_worker.h"
#include "store/layout.h"
#include "store/step_cache.h"
#include "sys/output_file.h"

namespace minke::build {
namespace {

constexpr const char* kBaseName = "org.opencontainers.image.base.name";
constexpr const char* kBaseDigest = "org.opencontainers.image.base.digest";
constexpr const char* kCreated = "org.opencontainers.image.created";

class Finisher {
 public:
  Finisher(engine::Engine& engine, const Plan& plan, StageResult result)
      : engine_(engine), plan_(plan), options_(plan.options), result_(std::move(result)) {}
  Result<std::string> make_image();
  Status write_files(const OutputChoice& output);

 private:
  Result<TimeNs> time_of_image();
  Status apply_options();
  Status add_name(const store::Image& image, const std::string& name);
  Result<bool> use_existing(const std::string& config_json, std::string* id);
  Result<std::string> squash();
  Result<sys::UniqueFd> open_tree();

  engine::Engine& engine_;
  const Plan& plan_;
  const BuildOptions& options_;
  StageResult result_;
};

// The same steps give the same image, with the time at which they were put together first.
Result<TimeNs> Finisher::time_of_image() {
  if (options_.timestamp) return *options_.timestamp * kSecond;
  if (options_.source_epoch) return *options_.source_epoch * kSecond;
  result_.config.created.clear();
  KeyMaker key("image 1");
  key.add(oci::dump_image_config(result_.config)).add(options_.docker ? "docker" : "oci");
  for (const auto& [name, value] : result_.annotations) key.add(name).add(value);
  store::StepCache cache(engine_.host().root);
  store::CachedStep record;
  record.key = key.hex();
  if (options_.cache && options_.layers) {
    auto found = TRY(cache.find(record.key, options_.cache_ttl));
    if (found) return found->created;
  }
  record.created = now();
  record.text = "image";
  TRY(cache.put(record));
  return record.created;
}

Status Finisher::apply_options() {
  oci::ImageConfig& config = result_.config;
  for (const auto& [key, value] : options_.labels) config.config.labels[key] = value;
  for (const std::string& key : options_.unset_labels) config.config.labels.erase(key);
  for (const std::string& name : options_.unset_env)
    std::erase_if(config.config.env, [&](const std::string& entry) {
      return entry.substr(0, entry.find('=')) == name;
    });
  if (plan_.platform) {
    config.os = plan_.platform->os;
    config.architecture = plan_.platform->architecture;
    config.variant = plan_.platform->variant;
    if (!plan_.platform->os_version.empty()) config.os_version = plan_.platform->os_version;
  }
  if (!options_.docker && !result_.base_name.empty()) {
    result_.annotations[kBaseName] = result_.base_name;
    result_.annotations[kBaseDigest] = result_.base_digest.str();
  }
  for (const auto& [key, value] : options_.annotations) result_.annotations[key] = value;
  for (const std::string& key : options_.unset_annotations) result_.annotations.erase(key);
  if (options_.docker) result_.annotations.clear();
  if (options_.omit_history) config.history.clear();
  TimeNs created = TRY(time_of_image());
  const std::string text = format_rfc3339(created, -1, true);
  config.created = text;
  for (oci::History& history : config.history)
    if (history.created.empty() || options_.timestamp) history.created = text;
  if (options_.created_annotation && !options_.docker) result_.annotations[kCreated] = text;
  return {};
}

Status Finisher::add_name(const store::Image& image, const std::string& name) {
  oci::Reference reference = TRY(oci::Reference::parse(name));
  return engine_.store().tag_image(image, reference);
}

// The image may be there already, made by an earlier build: it only gets its names.
Result<bool> Finisher::use_existing(const std::string& config_json, std::string* id) {
  auto image = engine_.store().find_image(concat("sha256:", sha256_hex(config_json)));
  if (!image || image->manifest.annotations != result_.annotations ||
      image->docker_format != options_.docker)
    return false;
  for (const std::string& name : plan_.names)
    if (std::find(image->names.begin(), image->names.end(), name) == image->names.end())
      TRY(add_name(*image, name));
  *id = image->id;
  return true;
}

Result<sys::UniqueFd> Finisher::open_tree() {
  std::vector<std::string> folders;
  for (auto layer = result_.layers.rbegin(); layer != result_.layers.rend(); ++layer)
    folders.push_back(concat(engine_.host().root, "/", store::kLayersDir, "/", layer->chain_id, "/",
                             store::kDiffDir));
  if (folders.empty()) return Error(Errc::invalid_argument, "the image has no layers");
  if (folders.size() == 1) return sys::open(folders[0], O_RDONLY | O_DIRECTORY);
  return engine::mount_layers(folders, engine_.host().rootless);
}

Result<std::string> Finisher::squash() {
  sys::UniqueFd tree = TRY(open_tree());
  store::CommitRequest request;
  request.tree_fd = tree.get();
  request.config = result_.config;
  request.config.diff_ids.clear();
  request.config.history.clear();
  oci::History history;
  history.created = result_.config.created;
  history.created_by = "/bin/sh";
  request.config.history.push_back(std::move(history));
  request.docker = options_.docker;
  if (!plan_.names.empty()) request.name = plan_.names[0];
  std::string id = TRY(store::commit_tree(engine_.store(), request));
  if (plan_.names.size() < 2) return id;
  store::Image image = TRY(engine_.store().find_image(concat("sha256:", id)));
  for (const std::string& name : plan_.names) TRY(add_name(image, name));
  return id;
}

Result<std::string> Finisher::make_image() {
  TRY(apply_options());
  if (options_.squash_all && !result_.layers.empty()) return squash();
  std::string id;
  if (TRY(use_existing(oci::dump_image_config(result_.config), &id))) return id;
  store::AssembleRequest request;
  for (const Layer& layer : result_.layers)
    request.layers.push_back({layer.chain_id, layer.diff_id, layer.blob});
  request.config = result_.config;
  request.annotations = result_.annotations;
  request.names = plan_.names;
  request.docker = options_.docker;
  request.opaque_directories = [](int folder) { return engine::opaque_directories(folder); };
  return store::assemble_image(engine_.store(), request);
}

Status Finisher::write_files(const OutputChoice& output) {
  sys::UniqueFd tree = TRY(open_tree());
  if (output.type == OutputChoice::Type::tar) {
    if (output.destination == "-") return store::export_rootfs(tree.get(), STDOUT_FILENO);
    sys::OutputFile file = TRY(sys::OutputFile::open(output.destination));
    TRY(store::export_rootfs(tree.get(), file.fd()));
    return file.keep();
  }
  TRY(sys::ensure_dirs(output.destination, 0755));
  sys::UniqueFd folder = TRY(sys::open(output.destination, O_RDONLY | O_DIRECTORY));
  // Whoever builds owns what comes out.
  store::WorkerTree how;
  how.write_as.fixed = true;
  how.container_root = how.overwrite = how.skip_devices = true;
  return store::copy_tree(how, tree.get(), folder.get());
}

}  // namespace

Result<BuildOutcome> finish(engine::Engine& engine, const Plan& plan, StageResult result,
                            VertexWatch* watch) {
  Finisher finisher(engine, plan, std::move(result));
  BuildOutcome outcome;
  if (plan.output && plan.output->type != OutputChoice::Type::image) {
    const bool tar = plan.output->type == OutputChoice::Type::tar;
    TRY(watch->around(concat("exporting to ", tar ? "tar " : "", plan.output->destination),
                      [&] { return finisher.write_files(*plan.output); }));
    return outcome;
  }
  Result<std::string> made = std::string();
  TRY(watch->around("exporting to image", [&]() -> Status {
    made = finisher.make_image();
    return made ? Status() : Status(Error(made.error()));
  }));
  outcome.id = std::move(*made);
  failpoint("build", 3);  // the image is there
  outcome.names = plan.names;
  engine::emit_image(engine.host(), "build", outcome.id,
                     plan.names.empty() ? outcome.id : plan.names[0]);
  return outcome;
}

}  // namespace minke::build
