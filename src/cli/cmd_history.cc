// history: what an image was made of, the newest step first.
#include "base/str.h"
#include "base/time.h"
#include "cli/commands.h"
#include "codec/units.h"
#include "engine/engine.h"
#include "store/layout.h"
#include "view/status.h"

namespace minke::cli {
namespace {

struct HistoryFlags {
  std::string format;
  bool human = true, no_trunc = false, quiet = false;
};
constexpr Option<HistoryFlags> kOptions[] = {
    {"format", 0, &HistoryFlags::format, "Change the output to JSON or a Go template"},
    {"human", 'H', &HistoryFlags::human, "Display sizes and dates in human readable format"},
    {"no-trunc", 0, &HistoryFlags::no_trunc, "Do not truncate the output"},
    {"quiet", 'q', &HistoryFlags::quiet, "Display the numeric IDs only"},
};
constexpr OptionTable kTables[] = {option_table<HistoryFlags>(kOptions)};

constexpr Column kColumns[] = {{"ID"},        {"Created"}, {"CreatedAt"}, {"CreatedSince"},
                               {"CreatedBy"}, {"Size"},    {"Comment"},   {"Tags"}};

struct Step {
  const oci::History* entry = nullptr;
  std::string id = "<missing>";
  std::int64_t size = 0;
  TimeNs created = 0;
};

// The images that stand at a step: same layers and same steps up to there.
const store::Image* image_at(const std::vector<store::Image>& images, const store::Image& whole,
                             std::size_t layers, std::size_t steps) {
  for (const store::Image& image : images) {
    if (image.chain_ids.size() != layers || image.config.history.size() != steps) continue;
    bool same = layers == 0 || image.chain_ids.back() == whole.chain_ids[layers - 1];
    for (std::size_t i = 0; same && i < steps; ++i)
      same = image.config.history[i].created_by == whole.config.history[i].created_by;
    if (same) return &image;
  }
  return nullptr;
}

Result<std::vector<Step>> steps_of(const store::Store& store, const store::Image& image) {
  std::vector<store::Image> images = TRY(store.list_images());
  const std::vector<oci::History>& history = image.config.history;
  std::vector<Step> steps;
  std::size_t layers = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    Step step;
    step.entry = &history[i];
    if (auto created = parse_rfc3339(history[i].created)) step.created = *created;
    if (!history[i].empty_layer && layers < image.chain_ids.size())
      step.size = TRY(store.layer_size(image.chain_ids[layers++]));
    const store::Image* at =
        i + 1 == history.size() ? &image : image_at(images, image, layers, i + 1);
    if (at != nullptr) step.id = at->id;
    steps.insert(steps.begin(), std::move(step));
  }
  return steps;
}

json::Array json_rows(const std::vector<Step>& steps) {
  json::Array rows;
  for (const Step& step : steps) {
    json::Object row;
    row.set("id", step.id);
    row.set("created", step.entry->created);
    row.set("CreatedBy", step.entry->created_by);
    row.set("size", step.size);
    if (!step.entry->comment.empty()) row.set("comment", step.entry->comment);
    row.set("Created", format_rfc3339(step.created, 0, true));
    rows.emplace_back(std::move(row));
  }
  return rows;
}

// As Podman cuts it, so that a line stays a line.
std::string shortened(const std::string& text, bool no_trunc) {
  constexpr std::size_t kWidth = 45;
  if (no_trunc || text.size() <= kWidth) return text;
  return concat(text.substr(0, kWidth - 3), "...");
}

json::Array text_rows(const std::vector<Step>& steps, const HistoryFlags& flags) {
  json::Array rows;
  TimeNs at = now();
  for (const Step& step : steps) {
    json::Object row;
    std::string id = flags.no_trunc || step.id.starts_with('<') ? step.id : step.id.substr(0, 12);
    row.set("ID", id);
    row.set("Created",
            flags.human ? view::ago(step.created, at) : format_rfc3339(step.created, 0, true));
    row.set("CreatedAt", format_go_time(view::unix_seconds(step.created) * kSecond, true));
    row.set("CreatedSince", view::ago(step.created, at));
    row.set("CreatedBy", shortened(step.entry->created_by, flags.no_trunc));
    row.set("Size", flags.human ? units::human_size_spaced(static_cast<double>(step.size))
                                : concat(step.size));
    row.set("Comment", step.entry->comment);
    row.set("Tags", json::Array());
    rows.emplace_back(std::move(row));
  }
  return rows;
}

Result<int> history(Invocation& call, HistoryFlags& flags) {
  engine::Engine* engine = TRY(call.engine());
  store::Image image = TRY(engine->store().find_image(call.args[0]));
  std::vector<Step> steps = TRY(steps_of(engine->store(), image));
  if (is_json_format(flags.format)) {
    call.out.line(json::dump(json::Value(json_rows(steps))));
    return 0;
  }
  json::Array rows = text_rows(steps, flags);
  if (flags.quiet) {
    for (const json::Value& row : rows) call.out.line(row.find("ID")->string_or(""));
    return 0;
  }
  Listing listing{"history", kColumns,
                  "table {{.ID}}\t{{.Created}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"};
  TRY(write_rows(call.out, listing, {flags.format, false}, rows));
  return 0;
}

}  // namespace

const constinit Command kHistoryCommand = make_command<HistoryFlags, history>(
    {.summary = "Show history of a specified image",
     .usage = "[options] IMAGE",
     .description = "Displays the history of an image. The information can be printed out in an "
                    "easy to read, or user specified format, and truncated.",
     .examples = "quay.io/fedora/fedora\n--format json imageID",
     .args = ArgRule::exactly(1)},
    kTables);

}  // namespace minke::cli
