#include "build/exchange.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/rand.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "engine/pull.h"
#include "engine/push.h"
#include "engine/remote_manifest.h"
#include "engine/tree_changes.h"
#include "store/image_worker.h"
#include "store/step_cache.h"

namespace minke::build {
namespace {

constexpr const char* kSteps = "io.minke.build.steps";

struct Record {
  std::string key, diff_id, text;
  std::int64_t size = 0, created = 0;
  std::int32_t layer = -1;  // the place of its layer in the image
};
void bind(json::Binder& b, Record& r) {
  b("key", r.key);
  b("diffId", r.diff_id);
  b("text", r.text);
  b("size", r.size);
  b("created", r.created);
  b.required("layer", r.layer);
}
struct Records {
  std::vector<Record> steps;
};
void bind(json::Binder& b, Records& r) { b("steps", r.steps); }

std::string stage_folder(const Plan& plan, const CachePlace& place, int stage) {
  return concat(place.folder, "/stage-", stage, plan.suffix.empty() ? "" : "-", plan.suffix);
}

// The image of a stage as it is kept there; nothing: there is none.
Result<std::optional<store::Image>> load(engine::Engine& engine, const std::string& folder) {
  if (!sys::exists(folder)) return std::optional<store::Image>();
  store::LoadResult loaded = TRY(store::load_archive(engine.store(), -1, folder));
  if (loaded.image_ids.empty()) return std::optional<store::Image>();
  store::Image image = TRY(engine.store().find_image(concat("sha256:", loaded.image_ids[0])));
  return std::optional<store::Image>(std::move(image));
}

constexpr std::string_view kFresh = ".new-";

bool is_half_made(std::string_view name) {
  const std::size_t at = name.rfind(kFresh);
  return name.starts_with("stage-") && at != std::string_view::npos &&
         is_hex(name.substr(at + kFresh.size()));
}

// One build writes there at a time: what is half made then was left by one that was killed.
Result<sys::UniqueFd> lock_place(const std::string& folder) {
  TRY(sys::ensure_dirs(folder, 0755));
  sys::UniqueFd lock = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  int rc = 0;
  do rc = ::flock(lock.get(), LOCK_EX);
  while (rc < 0 && errno == EINTR);
  // A file system without locks: nobody's folders are touched.
  if (rc < 0) return lock;
  for (const std::string& name : TRY(sys::list_dir(sys::DirFd::cwd(), folder.c_str())))
    if (is_half_made(name))
      ignore(sys::remove_tree_at(sys::DirFd::cwd(), concat(folder, "/", name).c_str()),
             "the next build tries again");
  return lock;
}

// What was kept there is replaced in one step: a build that is killed leaves the old or the new.
Status save(engine::Engine& engine, const std::string& folder, const store::Image& image) {
  const std::string fresh = concat(folder, kFresh, random_hex(6));
  store::SaveRequest request;
  request.images.push_back(image);
  request.names.emplace_back();
  request.format = store::ArchiveFormat::oci_dir;
  request.output_dir = fresh;
  Status saved = store::save_images(engine.store(), request);
  const bool replaces = sys::exists(folder);
  if (saved)
    saved = sys::rename_at(sys::DirFd::cwd(), fresh.c_str(), sys::DirFd::cwd(), folder.c_str(),
                           replaces ? RENAME_EXCHANGE : RENAME_NOREPLACE);
  failpoint("build.exchange", 2);  // in its place; what was there before is still beside it
  if (saved && !replaces) return saved;
  Status removed = sys::remove_tree_at(sys::DirFd::cwd(), fresh.c_str());
  return saved ? std::move(removed) : std::move(saved);
}

oci::Reference name_of_step(const CachePlace& place, const std::string& key) {
  oci::Reference name = oci::Reference::parse(place.repository).value_or({});
  name.tag = concat(place.tag_prefix, key);
  return name;
}

// The image under the name of its first step, the other names, and that of the last step at the
// end: where that one is, all is there.
Status push_stage(engine::Engine& engine, const Plan& plan, const CachePlace& place,
                  const StageResult& stage, const store::Image& image) {
  engine::Registries registries(engine.host(), plan.options.registry);
  const std::string& last = stage.steps.back().key;
  const oci::Reference last_name = name_of_step(place, last);
  if (engine::get_remote_manifest(registries, last_name.str())) return {};
  const oci::Reference first_name = name_of_step(place, stage.steps.front().key);
  engine::PushRequest push;
  push.image = concat("sha256:", image.id);
  push.destination = concat("docker://", first_name.str());
  push.access = plan.options.registry;
  const std::string digest = TRY(engine::push_image(engine, push));
  if (stage.steps.size() == 1) return {};
  const engine::RemoteText pushed =
      TRY(engine::get_remote_manifest(registries, concat(place.repository, "@", digest)));
  for (const store::CachedStep& step : stage.steps)
    TRY(engine::put_remote_manifest(registries, name_of_step(place, step.key), pushed.json,
                                    pushed.media_type));
  return {};
}

// Only for its layers: whatever names it has here are its own affair, and it goes again.
void forget(engine::Engine& engine, const store::Image& image, bool was_there) {
  if (was_there) return;
  std::vector<std::string> report;
  auto found = engine.store().find_image(concat("sha256:", image.id));
  if (found)
    ignore(engine.store().remove_image(*found, {}, &report, false),
           "an image without a name stays");
}

Status take_steps(engine::Engine& engine, const store::Image& image) {
  auto text = image.manifest.annotations.find(kSteps);
  if (text == image.manifest.annotations.end())
    return Error(Errc::invalid_argument, "it holds no steps of a build");
  Records records = TRY(json::parse_struct<Records>(text->second));
  store::StepCache cache(engine.host().root);
  for (const Record& record : records.steps) {
    if (record.key.size() != 64 || !is_hex(record.key))
      return Error(Errc::corrupt, concat("a step's key: ", quote(record.key)));
    store::CachedStep step;
    step.key = record.key;
    step.created = record.created;
    step.text = record.text;
    if (record.layer >= 0) {
      auto at = static_cast<std::size_t>(record.layer);
      if (at >= image.chain_ids.size() || image.config.diff_ids[at].str() != record.diff_id)
        return Error(Errc::corrupt, concat("step ", record.text, ": it has no such layer"));
      step.chain_id = image.chain_ids[at];
      step.diff_id = image.config.diff_ids[at];
      step.size = record.size;
    }
    // What is known here already was seen to happen here.
    auto known = TRY(cache.find(step.key, 0));
    if (!known) TRY(cache.put(step));
  }
  return {};
}

Result<store::Image> make_stage_image(engine::Engine& engine, const StageResult& stage) {
  Records records;
  for (const store::CachedStep& step : stage.steps) {
    Record& record = records.steps.emplace_back();
    record.key = step.key;
    record.text = step.text;
    record.created = step.created;
    for (std::size_t i = 0; i < stage.layers.size(); ++i) {
      if (stage.layers[i].chain_id != step.chain_id) continue;
      record.layer = static_cast<std::int32_t>(i);
      record.diff_id = step.diff_id.str();
      record.size = step.size;
    }
  }
  store::AssembleRequest request;
  for (const Layer& layer : stage.layers)
    request.layers.push_back({layer.chain_id, layer.diff_id, layer.blob});
  request.config.architecture = stage.config.architecture;
  request.config.os = stage.config.os;
  request.config.diff_ids = stage.config.diff_ids;
  request.annotations[kSteps] = json::dump_struct(records);
  request.opaque_directories = [](int folder) { return engine::opaque_directories(folder); };
  std::string id = TRY(store::assemble_image(engine.store(), request));
  return engine.store().find_image(concat("sha256:", id));
}

// Names by digest alone are what fetch_from's pull gives.
bool is_left_by_exchange(const store::Image& image) {
  return image.manifest.annotations.contains(kSteps) &&
         std::all_of(image.names.begin(), image.names.end(),
                     [](const std::string& name) { return name.find('@') != std::string::npos; });
}

Status remove_left_images(engine::Engine& engine) {
  for (const store::Image& image : TRY(engine.store().list_images())) {
    std::vector<std::string> report;
    if (is_left_by_exchange(image)) TRY(engine.store().remove_image(image, {}, &report, false));
  }
  return {};
}

// The steps of one image, which is here for that alone.
Status take_and_forget(engine::Engine& engine, const std::set<std::string>& before,
                       const store::Image& image) {
  Status taken = take_steps(engine, image);
  forget(engine, image, before.contains(image.id));
  return taken;
}

Result<std::set<std::string>> images_here(engine::Engine& engine) {
  std::set<std::string> ids;
  for (const store::Image& image : TRY(engine.store().list_images())) ids.insert(image.id);
  return ids;
}

}  // namespace

Result<sys::FileLock> lock_exchange(engine::Engine& engine) {
  const std::string folder = store::StepCache(engine.host().root).folder();
  TRY(sys::ensure_dirs(folder, 0700));
  const std::string path = folder + "/exchange.lock";
  auto open = [&] { return sys::open(path, O_RDWR | O_CREAT, 0600); };
  if (auto alone = sys::FileLock::try_acquire(TRY(open()), sys::LockMode::exclusive, path))
    TRY(remove_left_images(engine));
  return sys::FileLock::acquire(TRY(open()), sys::LockMode::shared, path);
}

Status import_steps(engine::Engine& engine, const Plan& plan, std::vector<std::string>* notes) {
  for (const CachePlace& place : plan.options.cache_from) {
    if (place.folder.empty()) continue;
    for (const StageNode& node : plan.graph.stages) {
      const std::set<std::string> before = TRY(images_here(engine));
      auto image = load(engine, stage_folder(plan, place, node.stage));
      if (image && !*image) continue;
      Status taken =
          image ? take_and_forget(engine, before, **image) : Status(std::move(image.error()));
      if (!taken)
        notes->push_back(concat("steps of stage ", node.stage, " in ", place.text, ": ",
                                taken.error().message()));
    }
  }
  return {};
}

Status export_steps(engine::Engine& engine, const Plan& plan,
                    const std::map<int, StageResult>& stages, std::vector<std::string>* notes) {
  for (const CachePlace& place : plan.options.cache_to) {
    sys::UniqueFd lock;
    if (!place.folder.empty()) lock = TRY(lock_place(place.folder));
    for (const auto& [number, stage] : stages) {
      if (stage.steps.empty() || (!place.every_stage && number != plan.graph.target)) continue;
      store::Image image = TRY(make_stage_image(engine, stage));
      failpoint("build.exchange", 1);  // the image of its steps is here
      Status kept = place.folder.empty() ? push_stage(engine, plan, place, stage, image)
                                         : save(engine, stage_folder(plan, place, number), image);
      forget(engine, image, !image.names.empty());
      if (kept) continue;
      Error error = std::move(kept.error()).wrap(concat("--cache-to ", place.text));
      if (!place.ignore_error) return error;
      notes->push_back(error.message());
    }
  }
  return {};
}

Result<bool> RemoteSteps::fetch_from(const CachePlace& place, const std::string& key) {
  engine::Registries registries(engine_.host(), plan_.options.registry);
  auto remote = engine::get_remote_manifest(registries, name_of_step(place, key).str());
  if (!remote && remote.error().code() == Errc::not_found) return false;
  if (!remote) return std::move(remote.error());
  // Before its layers come: what only has the name of a step is not fetched.
  oci::Manifest manifest = TRY(oci::parse_manifest(remote->json));
  auto text = manifest.annotations.find(kSteps);
  if (text == manifest.annotations.end() || text->second.find(key) == std::string::npos)
    return Error(Errc::corrupt, concat(key, ": it holds no such step of a build"));
  const std::set<std::string> before = TRY(images_here(engine_));
  engine::PullRequest pull;
  pull.reference = concat(place.repository, "@", remote->digest);
  pull.os = plan_.target.os;
  pull.arch = plan_.target.architecture;
  pull.access = plan_.options.registry;
  const store::Image image = TRY(engine::pull_image(engine_, pull));
  TRY(take_and_forget(engine_, before, image));
  return true;
}

bool RemoteSteps::fetch(const std::string& key,
                        const std::function<void(const std::string&)>& warn) {
  for (const CachePlace& place : plan_.options.cache_from) {
    if (!place.folder.empty() || silent_.contains(place.text)) continue;
    auto found = fetch_from(place, key);
    if (found && *found) return true;
    if (found) continue;
    silent_.insert(place.text);
    warn(concat("--cache-from ", place.text, ": ", found.error().message()));
  }
  return false;
}

}  // namespace minke::build
