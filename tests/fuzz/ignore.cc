// Ignore files: along a walk every path gets the answer that it gets by itself, and a folder that
// is left out with all that is in it holds nothing that counts.
#include "build/ignore.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minke::build;
  if (size > 2048) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // The path is the first line, the patterns are the rest.
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  const std::string path = clean_relative(text.substr(0, end));
  if (path == ".") return 0;
  auto list = IgnoreList::parse(text.substr(end + 1), "F");
  if (!list) {
    if (!list.error().message().starts_with("F:")) __builtin_trap();
    return 0;
  }
  IgnoreList::Above above;
  bool first = true;
  for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    IgnoreList::Above own;
    const bool along = list->ignores(part, first ? nullptr : &above, &own);
    if (along != list->ignores(part)) __builtin_trap();
    const bool gone = along && slash != std::string::npos && !list->may_keep_below(part);
    if (gone && !list->ignores(path)) __builtin_trap();
    if (slash == std::string::npos) break;
    above = std::move(own);
    first = false;
  }
  return 0;
}
