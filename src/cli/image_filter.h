// --filter of `images`, and its argument.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/filter.h"
#include "store/store.h"

namespace minke::cli {

// How many containers use an image, by its id.
using ContainerCounts = std::map<std::string, std::int64_t>;

class ImageFilters {
 public:
  // `texts` are "key=value" or "key!=value". Keys: reference, id, digest, label, dangling, before,
  // since, after, until, containers, intermediate, readonly, manifest. Errors in Podman's words.
  static Result<ImageFilters> compile(const store::Store& store,
                                      std::span<const std::string> texts);
  // Whether matches() looks at the counts.
  bool needs_counts() const;
  // Values of one key are alternatives, keys must all hold; labels must hold each.
  bool matches(const store::Image& image, const ContainerCounts& counts) const;

 private:
  struct Test {
    std::string key;  // "label!" for a negated one
    std::function<bool(const store::Image&, const ContainerCounts&)> holds;
  };
  std::vector<Test> tests_;
};

// Docker's and Podman's reading of a pattern: against the name whole, without registry, without
// path, each with and without tag; `*` does not cross a slash.
bool reference_matches(const std::string& pattern, const store::Image& image);

}  // namespace minke::cli
