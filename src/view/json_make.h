// JSON of plain lists and maps, for the view models.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codec/json.h"

namespace minke::view {

inline json::Array to_array(const std::vector<std::string>& items) {
  json::Array array;
  array.reserve(items.size());
  for (const std::string& item : items) array.emplace_back(item);
  return array;
}
inline json::Object to_object(const std::map<std::string, std::string>& items) {
  json::Object object;
  for (const auto& [key, value] : items) object.append(key, value);
  return object;
}
// As Go writes a slice or map that was never made.
inline json::Value array_or_null(const std::vector<std::string>& items) {
  return items.empty() ? json::Value() : json::Value(to_array(items));
}
inline json::Value object_or_null(const std::map<std::string, std::string>& items) {
  return items.empty() ? json::Value() : json::Value(to_object(items));
}

}  // namespace minke::view
