#include "cli/image_filter.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/str.h"

namespace minke::cli {
namespace {

bool glob(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(), FNM_PATHNAME) == 0;
}

std::string after_last_slash(const std::string& text) { return text.substr(text.rfind('/') + 1); }

bool name_matches(const std::string& pattern, const std::string& full) {
  auto ref = oci::Reference::parse(full);
  if (!ref) return glob(pattern, full);
  std::string suffix = full.substr(ref->name().size());  // ":tag"
  const std::string forms[] = {full,
                               ref->name(),
                               ref->repository,
                               ref->repository + suffix,
                               after_last_slash(full),
                               after_last_slash(ref->name())};
  return std::any_of(std::begin(forms), std::end(forms),
                     [&](const std::string& form) { return glob(pattern, form); });
}

bool has_label(std::string_view text, const std::map<std::string, std::string>& labels) {
  std::vector<Filter> one = {{"label", std::string(text)}};
  return labels_match(one, labels);
}

using Holds = std::function<bool(const store::Image&, const ContainerCounts&)>;

Holds test_bool(bool wanted, bool (*is)(const store::Image&)) {
  return [wanted, is](const store::Image& image, const ContainerCounts&) {
    return is(image) == wanted;
  };
}

bool never(const store::Image&) { return false; }
bool is_dangling(const store::Image& image) { return image.names.empty(); }
bool is_list(const store::Image& image) { return image.is_list; }

struct BoolKey {
  std::string_view key;
  bool (*is)(const store::Image&);
};
// Nothing here is a read-only store or a step of a build.
constexpr BoolKey kBoolKeys[] = {
    {"dangling", is_dangling}, {"intermediate", never}, {"readonly", never}, {"manifest", is_list}};

Result<bool> read_bool(std::string_view key, std::string_view value) {
  auto truth = parse_bool(value);
  if (!truth)
    return Error(Errc::invalid_argument,
                 concat("non-boolean value ", quote(value), " for ", key, " filter"));
  return *truth;
}

Result<TimeNs> created_of(const store::Store& store, std::string_view key,
                          const std::string& name) {
  auto image = store.find_image_or_list(name);
  if (!image)
    return std::move(image.error())
        .wrap(concat("could not find local image for filter ", quote(concat(key, "=", name))));
  return image->created;
}

Result<Holds> compile_one(const store::Store& store, std::string_view key,
                          const std::string& value) {
  for (const BoolKey& row : kBoolKeys)
    if (row.key == key) return test_bool(TRY(read_bool(key, value)), row.is);
  if (key == "containers") {
    // Containers of other tools ("external") are not in this store.
    bool external = value == "external";
    bool wanted = external ? false : TRY(read_bool(key, value));
    return Holds([wanted, external](const store::Image& image, const ContainerCounts& counts) {
      return !external && counts.contains(image.id) == wanted;
    });
  }
  if (key == "label")
    return Holds([value](const store::Image& image, const ContainerCounts&) {
      return has_label(value, image.config.config.labels);
    });
  if (key == "id")
    return Holds([hex = value.starts_with("sha256:") ? value.substr(7) : value](
                     const store::Image& image, const ContainerCounts&) {
      return image.id.starts_with(hex);
    });
  if (key == "digest")
    return Holds([value](const store::Image& image, const ContainerCounts&) {
      return image.manifest_descriptor.digest.str().starts_with(value);
    });
  if (key == "reference") {
    auto named = store.find_image_or_list(value);
    return Holds([value, id = named ? named->id : std::string()](const store::Image& image,
                                                                 const ContainerCounts&) {
      return image.id == id || reference_matches(value, image);
    });
  }
  if (key == "until")
    return Holds(
        [time = TRY(filter_time(key, value))](const store::Image& image, const ContainerCounts&) {
          return image.created < time;
        });
  if (key == "before")
    return Holds(
        [time = TRY(created_of(store, key, value))](
            const store::Image& image, const ContainerCounts&) { return image.created < time; });
  if (key == "since" || key == "after")
    return Holds(
        [time = TRY(created_of(store, key, value))](
            const store::Image& image, const ContainerCounts&) { return image.created > time; });
  return Error(Errc::invalid_argument, concat("unsupported image filter ", quote(key)));
}

}  // namespace

bool reference_matches(const std::string& pattern, const store::Image& image) {
  return std::any_of(image.names.begin(), image.names.end(),
                     [&](const std::string& name) { return name_matches(pattern, name); }) ||
         std::any_of(image.digests.begin(), image.digests.end(),
                     [&](const std::string& digest) { return name_matches(pattern, digest); });
}

Result<ImageFilters> ImageFilters::compile(const store::Store& store,
                                           std::span<const std::string> texts) {
  ImageFilters filters;
  for (const std::string& text : texts) {
    auto parts = split_once(text, '=');
    if (!parts || parts->first.empty())
      return Error(Errc::invalid_argument,
                   concat("invalid image filter ", quote(text),
                          ": must be in the format \"filter=value or filter!=value\""));
    std::string_view key = parts->first;
    bool negated = key.ends_with('!');
    if (negated) key.remove_suffix(1);
    Holds holds = TRY(compile_one(store, key, std::string(parts->second)));
    if (negated)
      holds = [inner = std::move(holds)](const store::Image& image, const ContainerCounts& counts) {
        return !inner(image, counts);
      };
    filters.tests_.push_back({std::string(parts->first), std::move(holds)});
  }
  return filters;
}

bool ImageFilters::needs_counts() const {
  return std::any_of(tests_.begin(), tests_.end(),
                     [](const Test& test) { return test.key.starts_with("containers"); });
}

bool ImageFilters::matches(const store::Image& image, const ContainerCounts& counts) const {
  return std::all_of(tests_.begin(), tests_.end(), [&](const Test& test) {
    if (test.key == "label" || test.key.ends_with('!')) return test.holds(image, counts);
    return std::any_of(tests_.begin(), tests_.end(), [&](const Test& other) {
      return other.key == test.key && other.holds(image, counts);
    });
  });
}

}  // namespace minke::cli
