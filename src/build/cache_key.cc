#include "build/cache_key.h"

#include "base/str.h"

namespace minke::build {

KeyMaker& KeyMaker::add(std::string_view part) {
  hasher_.update(concat(part.size(), ":"));
  hasher_.update(part);
  return *this;
}

KeyMaker& KeyMaker::add(const std::vector<std::string>& parts) {
  add(static_cast<std::int64_t>(parts.size()));
  for (const std::string& part : parts) add(part);
  return *this;
}

KeyMaker& KeyMaker::add(std::int64_t number) { return add(concat(number)); }

}  // namespace minke::build
