#include "build/exchange.h"

#include <algorithm>

#include "base/rand.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/engine.h"
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

std::string stage_tag(int stage) { return concat("stage-", stage); }

// The image of a stage as it is kept there; nothing: there is none.
Result<std::optional<store::Image>> fetch(engine::Engine& engine, const ExchangePlace& place,
                                          int stage) {
  const std::string folder = concat(place.folder, "/", stage_tag(stage));
  if (!sys::exists(folder)) return std::optional<store::Image>();
  store::LoadResult loaded = TRY(store::load_archive(engine.store(), -1, folder));
  if (loaded.image_ids.empty()) return std::optional<store::Image>();
  store::Image image = TRY(engine.store().find_image(concat("sha256:", loaded.image_ids[0])));
  return std::optional<store::Image>(std::move(image));
}

// What was kept there for the stage is replaced.
Status keep(engine::Engine& engine, const ExchangePlace& place, int stage,
            const store::Image& image) {
  TRY(sys::ensure_dirs(place.folder, 0755));
  const std::string folder = concat(place.folder, "/", stage_tag(stage)),
                    fresh = concat(folder, ".new-", random_hex(6));
  store::SaveRequest request;
  request.images.push_back(image);
  request.names.emplace_back();
  request.format = store::ArchiveFormat::oci_dir;
  request.output_dir = fresh;
  Status saved = store::save_images(engine.store(), request);
  if (saved) saved = sys::remove_tree_at(sys::DirFd::cwd(), folder.c_str());
  if (saved)
    saved = sys::rename_at(sys::DirFd::cwd(), fresh.c_str(), sys::DirFd::cwd(), folder.c_str());
  if (!saved)
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), fresh.c_str()), "the reason comes first");
  return saved;
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

}  // namespace

Result<ExchangePlace> parse_exchange(const std::string& text, const char* option) {
  std::map<std::string, std::string> words;
  for (std::string_view part : split(text, ',')) {
    auto pair = split_once(part, '=');
    words[std::string(pair ? pair->first : part)] = pair ? pair->second : std::string_view();
  }
  const bool to = option == std::string_view("--cache-to");
  if (words["type"] != "local")
    return Error(Errc::unsupported,
                 concat(option, " ", text,
                        ": registries are not supported for the cache yet: use type=local,",
                        to ? "dest" : "src", "=FOLDER"));
  ExchangePlace place;
  for (const char* key : {"dest", "src"})
    if (!words[key].empty()) place.folder = words[key];
  if (place.folder.empty())
    return Error(Errc::invalid_argument,
                 concat(option, " ", text, ": ", to ? "dest" : "src", " is missing"));
  return place;
}

Status import_steps(engine::Engine& engine, const Plan& plan, std::vector<std::string>* notes) {
  for (const std::string& text : plan.options.cache_from) {
    ExchangePlace place = TRY(parse_exchange(text, "--cache-from"));
    for (const StageNode& node : plan.graph.stages) {
      std::set<std::string> before;
      for (const store::Image& image : TRY(engine.store().list_images())) before.insert(image.id);
      auto image = fetch(engine, place, node.stage);
      if (image && !*image) continue;
      Status taken = image ? take_steps(engine, **image) : Status(std::move(image.error()));
      if (image) forget(engine, **image, before.contains((*image)->id));
      if (!taken)
        notes->push_back(
            concat("steps of stage ", node.stage, " in ", text, ": ", taken.error().message()));
    }
  }
  return {};
}

Status export_steps(engine::Engine& engine, const Plan& plan,
                    const std::map<int, StageResult>& stages) {
  for (const std::string& text : plan.options.cache_to) {
    ExchangePlace place = TRY(parse_exchange(text, "--cache-to"));
    for (const auto& [number, stage] : stages) {
      if (stage.steps.empty()) continue;
      store::Image image = TRY(make_stage_image(engine, stage));
      Status kept = keep(engine, place, number, image);
      forget(engine, image, !image.names.empty());
      if (!kept) return std::move(kept.error()).wrap(concat("--cache-to ", text));
    }
  }
  return {};
}

}  // namespace minke::build
