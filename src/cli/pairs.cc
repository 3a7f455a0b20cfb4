#include "cli/pairs.h"

#include "base/str.h"

namespace minke::cli {

Result<std::map<std::string, std::string>> key_values(const std::vector<std::string>& texts,
                                                      std::string_view what) {
  std::map<std::string, std::string> out;
  for (const std::string& text : texts) {
    auto parts = split_once(text, '=');
    std::string_view key = parts ? parts->first : std::string_view(text);
    if (key.empty())
      return Error(Errc::invalid_argument, concat("unable to process ", what, "s: invalid ", what,
                                                  " format: ", quote(text)));
    out[std::string(key)] = parts ? parts->second : std::string_view();
  }
  return out;
}

}  // namespace minke::cli
