#include <algorithm>
#include <set>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/image_filter.h"
#include "engine/engine.h"
#include "view/image.h"

namespace minke::cli {
namespace {

struct ImagesOptions {
  bool all = false, digests = false, history = false, no_trunc = false, no_heading = false,
       quiet = false;
  std::vector<std::string> filter;
  std::string format, sort = "created";
};
constexpr Option<ImagesOptions> kOptions[] = {
    {"all", 'a', &ImagesOptions::all, "Show all images (default hides intermediate images)"},
    {"digests", 0, &ImagesOptions::digests, "Show digests"},
    {"filter",
     'f',
     &ImagesOptions::filter,
     "Filter output based on conditions provided",
     {.csv = true}},
    {"format", 0, &ImagesOptions::format, "Change the output format to JSON or a Go template"},
    {"history", 0, &ImagesOptions::history, "Display the image name history"},
    {"no-trunc", 0, &ImagesOptions::no_trunc, "Do not truncate output"},
    {"noheading", 'n', &ImagesOptions::no_heading, "Do not print column headings"},
    {"quiet", 'q', &ImagesOptions::quiet, "Display only image IDs"},
    {"sort", 0, &ImagesOptions::sort, "Sort by id, repository, size, tag, created"},
};
constexpr OptionTable kTables[] = {option_table<ImagesOptions>(kOptions)};

constexpr Column kColumns[] = {
    {"Repository"},  {"Tag"},      {"ID", "IMAGE ID"},  {"Id"},
    {"Digest"},      {"Created"},  {"CreatedSince"},    {"CreatedAt"},
    {"CreatedTime"}, {"Size"},     {"SharedSize"},      {"VirtualSize"},
    {"Containers"},  {"Names"},    {"History"},         {"Labels"},
    {"RepoDigests"}, {"RepoTags"}, {"ReadOnly", "R/O"}, {"IsReadOnly"},
    {"ParentId"},    {"Dangling"},
};

// A line of the listing: one name of an image, or the image when it has none.
struct Line {
  const store::Image* image;
  json::Value row;
  std::string_view text(std::string_view field) const { return row.find(field)->string_or(""); }
};

using Before = bool (*)(const Line&, const Line&);
struct Order {
  std::string_view name;
  Before before;
};
constexpr Order kOrders[] = {
    {"created", [](const Line& a, const Line& b) { return a.image->created > b.image->created; }},
    {"id", [](const Line& a, const Line& b) { return a.image->id < b.image->id; }},
    {"repository",
     [](const Line& a, const Line& b) { return a.text("Repository") < b.text("Repository"); }},
    {"size", [](const Line& a, const Line& b) { return a.image->size < b.image->size; }},
    {"tag", [](const Line& a, const Line& b) { return a.text("Tag") < b.text("Tag"); }},
};

Result<Before> order_of(std::string_view name) {
  for (const Order& order : kOrders)
    if (order.name == name) return order.before;
  return Error(Errc::invalid_argument,
               concat(quote(name),
                      " is not a valid field for sorting. Choose from: created, id, "
                      "repository, size, tag"));
}

Result<ContainerCounts> count_containers(engine::Engine& engine) {
  ContainerCounts counts;
  for (const engine::ContainerSummary& container : TRY(engine.list_containers()))
    ++counts[container.image_id];
  return counts;
}

std::string default_format(const ImagesOptions& options) {
  return concat("table {{.Repository}}\t{{.Tag}}\t", options.digests ? "{{.Digest}}\t" : "",
                "{{.ID}}\t{{.Created}}\t{{.Size}}", options.history ? "\t{{.History}}" : "");
}

void print_ids(Output& out, const std::vector<Line>& lines) {
  std::set<const store::Image*> seen;
  for (const Line& line : lines)
    if (seen.insert(line.image).second) out.line(line.text("ID"));
}

Result<int> images(Invocation& call, ImagesOptions& options) {
  Before before = TRY(order_of(options.sort));
  if (!call.args.empty() && !options.filter.empty())
    return Error(Errc::invalid_argument, "cannot specify an image and a filter(s)");
  if (!call.args.empty()) options.filter.push_back("reference=" + call.args[0]);

  engine::Engine* engine = TRY(call.engine());
  ImageFilters filters = TRY(ImageFilters::compile(engine->store(), options.filter));
  bool json = is_json_format(options.format);
  ContainerCounts counts;
  if (json || filters.needs_counts() || options.format.find(".Containers") != std::string::npos)
    counts = TRY(count_containers(*engine));

  std::vector<store::Image> found = TRY(engine->store().list_images());
  std::erase_if(found, [&](const store::Image& image) { return !filters.matches(image, counts); });
  view::ImageRowOptions how;
  how.at = now();
  how.no_trunc = options.no_trunc;
  std::vector<Line> lines;
  for (const store::Image& image : found) {
    how.containers = counts[image.id];
    for (json::Value& row : view::image_rows(image, how)) lines.push_back({&image, std::move(row)});
  }
  std::stable_sort(lines.begin(), lines.end(), before);

  if (options.quiet && !json) {
    print_ids(call.out, lines);
    return 0;
  }
  json::Array rows;
  for (Line& line : lines)
    rows.push_back(json ? json::Value(view::image_json(*line.image, counts[line.image->id]))
                        : std::move(line.row));
  std::string table = default_format(options);
  Listing listing{"images", kColumns, table, view::kImageRowShape, 4};
  TRY(write_rows(call.out, listing, {options.format, options.no_heading}, rows));
  return 0;
}

}  // namespace

const constinit Command kImagesCommand = make_command<ImagesOptions, images>(
    {.summary = "List images in local storage",
     .usage = "[options] [IMAGE]",
     .description = "Lists images previously pulled to the system or created on the system.",
     .examples = "--format json\n"
                 "--sort repository --format \"table {{.ID}} {{.Repository}} {{.Tag}}\"\n"
                 "--filter dangling=true",
     .args = ArgRule::at_most(1)},
    kTables);

}  // namespace minke::cli
