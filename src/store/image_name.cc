#include "store/image_name.h"

#include <algorithm>

#include "base/str.h"

namespace minke::store {

std::string name_as_typed(const Image& image, std::string_view typed) {
  auto ref = oci::Reference::parse(typed);
  if (!ref || !ref->digest.empty()) return {};
  auto has = [&image](const std::string& name) {
    return std::find(image.names.begin(), image.names.end(), name) != image.names.end();
  };
  if (ref->qualified()) {
    std::string name = ref->normalized("").str();
    return has(name) ? name : std::string();
  }
  for (const char* registry : {"localhost", "docker.io"})
    if (std::string name = ref->normalized(registry).str(); has(name)) return name;
  std::string end = concat("/", ref->normalized("").str());
  for (const std::string& name : image.names)
    if (name.ends_with(end)) return name;
  return {};
}

}  // namespace minke::store
