#include "base/roff.h"

#include <cstdlib>

#include "base/str.h"
#include "base/time.h"

namespace minke::roff {
namespace {

// The day of the pages: that of the sources when a package is built (SOURCE_DATE_EPOCH).
std::string date() {
  const char* epoch = ::getenv("SOURCE_DATE_EPOCH");
  auto seconds = epoch != nullptr ? parse_int(epoch) : std::nullopt;
  constexpr TimeNs kSecond = 1'000'000'000;
  return format_rfc3339(seconds ? *seconds * kSecond : now(), 0, true).substr(0, 10);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string head(std::string_view title, std::string_view summary) {
  return concat(".TH \"", to_upper(title), "\" 1 \"", date(), "\" \"minke ", MINKE_VERSION,
                "\"\n.SH NAME\n", escaped(title), " \\- ", escaped(summary), "\n");
}

}  // namespace minke::roff
