#include "codec/units.h"

#include <cmath>
#include <optional>
#include <span>

#include "base/str.h"

namespace minke::units {
namespace {

constexpr const char* kDecimal[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
constexpr const char* kBinary[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};

std::string scaled(double size, double base, std::span<const char* const> names, int precision) {
  std::size_t i = 0;
  while (size >= base && i + 1 < names.size()) {
    size /= base;
    ++i;
  }
  return format("%.*g%s", precision, size, names[i]);
}

Result<std::int64_t> parse_size(std::string_view text, double base) {
  auto invalid = [&] {
    return Error(Errc::invalid_argument, concat("invalid size: '", text, "'"));
  };
  std::size_t last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos) return invalid();
  std::string_view digits = text.substr(0, text[last] == ' ' ? last : last + 1);
  std::string suffix = to_lower(text.substr(last + 1));
  std::optional<double> size = parse_double(digits.starts_with('+') ? digits.substr(1) : digits);
  if (!size)
    return Error(Errc::invalid_argument,
                 concat("strconv.ParseFloat: parsing ", quote(digits), ": invalid syntax"));
  if (*size < 0 || std::isnan(*size)) return invalid();
  auto bad_suffix = [&] {
    return Error(Errc::invalid_argument, concat("invalid suffix: '", suffix, "'"));
  };
  if (!suffix.empty() && suffix != "b") {
    constexpr std::string_view kSteps = "kmgtp";
    std::size_t step = kSteps.find(suffix[0]);
    std::string_view rest = std::string_view(suffix).substr(1);
    if (step == std::string_view::npos || (rest != "" && rest != "b" && rest != "ib"))
      return bad_suffix();
    *size *= std::pow(base, static_cast<double>(step + 1));
  }
  // 2^63: what no longer fits is no size of this world.
  if (*size >= 9223372036854775808.0) return invalid();
  return static_cast<std::int64_t>(*size);
}

}  // namespace

std::string human_size(double bytes, int precision) {
  return scaled(bytes, 1000, kDecimal, precision);
}
std::string bytes_size(double bytes) { return scaled(bytes, 1024, kBinary, 4); }

std::string human_size_spaced(double bytes) {
  std::string text = human_size(bytes, 3);
  std::size_t digit = text.find_last_of("0123456789");
  return text.insert(digit + 1, " ");
}

Result<std::int64_t> parse_ram(std::string_view text) { return parse_size(text, 1024); }
Result<std::int64_t> parse_human_size(std::string_view text) { return parse_size(text, 1000); }

}  // namespace minke::units
