#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "codec/units.h"
#include "engine/engine.h"

namespace minke::cli {
namespace {

struct TreeFlags {
  bool what_requires = false;
};
constexpr Option<TreeFlags> kOptions[] = {
    {"whatrequires", 0, &TreeFlags::what_requires,
     "Show all child images and layers of the specified image"},
};
constexpr OptionTable kTables[] = {option_table<TreeFlags>(kOptions)};

std::string size_text(std::int64_t size) { return units::human_size(static_cast<double>(size)); }

// "[a, b]": the names of all images that end with the layer.
std::string top_of(const std::vector<store::Image>& images, const std::string& chain_id) {
  std::vector<std::string> names;
  for (const store::Image& image : images)
    if (!image.chain_ids.empty() && image.chain_ids.back() == chain_id)
      names.insert(names.end(), image.names.begin(), image.names.end());
  return names.empty() ? "" : concat(" Top Layer of: [", join(names, " "), "]");
}

struct Printer {
  const store::Store& store;
  const std::vector<store::Image>& images;
  Output& out;

  Status line(const std::string& indent, bool last, const std::string& chain_id) const {
    std::string size = size_text(TRY(store.layer_size(chain_id)));
    out.line(concat(indent, last ? "└── " : "├── ", "ID: ", chain_id.substr(0, 12),
                    " Size: ", std::string(size.size() < 7 ? 7 - size.size() : 0, ' '), size,
                    top_of(images, chain_id)));
    return {};
  }

  // The layers that stand on `chain_id`, each once.
  Status children(const std::string& indent, const std::string& chain_id) const {
    std::vector<std::string> above;
    for (const store::Image& image : images)
      for (std::size_t i = 1; i < image.chain_ids.size(); ++i)
        if (image.chain_ids[i - 1] == chain_id &&
            std::find(above.begin(), above.end(), image.chain_ids[i]) == above.end())
          above.push_back(image.chain_ids[i]);
    for (std::size_t i = 0; i < above.size(); ++i) {
      bool last = i + 1 == above.size();
      TRY(line(indent, last, above[i]));
      TRY(children(concat(indent, last ? "    " : "│   "), above[i]));
    }
    return {};
  }
};

Result<int> tree(Invocation& call, TreeFlags& flags) {
  engine::Engine* engine = TRY(call.engine());
  const store::Store& store = engine->store();
  store::Image image = TRY(store.find_image(call.args[0]));
  std::vector<store::Image> images = TRY(store.list_images());
  call.out.line(concat("Image ID: ", image.id.substr(0, 12)));
  call.out.line(concat("Tags:     [", join(image.names, " "), "]"));
  call.out.line(concat("Size:     ", size_text(image.size)));
  call.out.line("Image Layers");
  Printer printer{store, images, call.out};
  if (flags.what_requires) {
    if (!image.chain_ids.empty()) {
      TRY(printer.line("", true, image.chain_ids.back()));
      TRY(printer.children("    ", image.chain_ids.back()));
    }
  } else {
    for (std::size_t i = 0; i < image.chain_ids.size(); ++i)
      TRY(printer.line("", i + 1 == image.chain_ids.size(), image.chain_ids[i]));
  }
  call.out.line("");
  return 0;
}

}  // namespace

const constinit Command kImageTreeCommand = make_command<TreeFlags, tree>(
    {.summary = "Print layer hierarchy of an image in a tree format",
     .usage = "[options] IMAGE",
     .description = "Prints layer hierarchy of an image in a tree format.",
     .examples = "alpine:latest",
     .args = ArgRule::exactly(1)},
    kTables);

}  // namespace minke::cli
