// The name of a step's result: a digest of all that it can depend on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/digest.h"

namespace minke::build {

// Parts are told apart by their lengths, so that no two lists of them give one key.
class KeyMaker {
 public:
  explicit KeyMaker(std::string_view kind) { add(kind); }
  KeyMaker& add(std::string_view part);
  KeyMaker& add(const std::vector<std::string>& parts);
  KeyMaker& add(std::int64_t number);
  std::string hex() { return hasher_.hex(); }  // once

 private:
  Hasher hasher_;
};

}  // namespace minke::build
