// The types that options can have: how each is read and how its default is shown.
#include <limits>

#include "base/str.h"
#include "base/time.h"
#include "cli/option.h"

namespace minke::cli {
namespace {

Error strconv(const char* function, std::string_view text, const char* why) {
  return Error(Errc::invalid_argument,
               concat("strconv.", function, ": parsing ", quote(text), ": ", why));
}

// Go's base 0: 0x, 0o, 0b and a leading 0 choose the base.
struct Digits {
  std::string_view text;
  int base = 10;
  bool negative = false;
};
Digits split_number(std::string_view text) {
  Digits digits{text};
  if (text.starts_with('-') || text.starts_with('+')) {
    digits.negative = text[0] == '-';
    digits.text.remove_prefix(1);
  }
  std::string_view rest = digits.text;
  if (rest.size() > 1 && rest[0] == '0') {
    char kind = static_cast<char>(rest[1] | 0x20);
    digits.base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    digits.text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  return digits;
}

bool all_digits(const Digits& digits) {
  if (digits.text.empty()) return false;
  for (char c : digits.text) {
    int value = c >= '0' && c <= '9'                     ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : 99;
    if (value >= digits.base) return false;
  }
  return true;
}

template <typename T>
Status parse_value(std::string_view text, T& out) {
  if constexpr (std::is_same_v<T, bool>) {
    auto value = parse_bool(text);
    if (!value) return strconv("ParseBool", text, "invalid syntax");
    out = *value;
  } else if constexpr (std::is_same_v<T, std::string>) {
    out = text;
  } else if constexpr (std::is_same_v<T, double>) {
    auto value = parse_double(text.starts_with('+') ? text.substr(1) : text);
    if (!value) return strconv("ParseFloat", text, "invalid syntax");
    out = *value;
  } else if constexpr (std::is_same_v<T, Duration>) {
    auto value = parse_duration(text);
    if (!value) {
      bool number = parse_double(text).has_value();
      return Error(Errc::invalid_argument,
                   concat(number ? "time: missing unit in duration " : "time: invalid duration ",
                          quote(text)));
    }
    out.ns = *value;
  } else {
    constexpr const char* kFunction = std::is_signed_v<T> ? "ParseInt" : "ParseUint";
    Digits digits = split_number(text);
    if (!all_digits(digits) ||
        (!std::is_signed_v<T> && digits.text.data() != text.data() && digits.negative) ||
        (!std::is_signed_v<T> && text.starts_with('+')))
      return strconv(kFunction, text, "invalid syntax");
    auto magnitude = parse_uint(digits.text, digits.base);
    auto limit =
        static_cast<std::uint64_t>(std::numeric_limits<T>::max()) + (digits.negative ? 1 : 0);
    if (!magnitude || *magnitude > limit) return strconv(kFunction, text, "value out of range");
    out = static_cast<T>(digits.negative ? 0 - *magnitude : *magnitude);
  }
  return {};
}

Status append_values(std::string_view text, bool csv, bool again, std::vector<std::string>& out) {
  if (!again) out.clear();  // the first value replaces the default
  if (!csv) {
    out.emplace_back(text);
    return {};
  }
  if (text.empty()) return {};
  std::vector<std::string> pieces = TRY(split_csv(text));
  for (std::string& piece : pieces) out.push_back(std::move(piece));
  return {};
}

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <typename F>
Status set_field(void* field, std::string_view text, bool csv, bool again) {
  F& out = *static_cast<F*>(field);
  if constexpr (std::is_same_v<F, std::vector<std::string>>) {
    return append_values(text, csv, again, out);
  } else if constexpr (std::is_same_v<F, std::optional<std::vector<std::string>>>) {
    if (!out) out.emplace();
    return append_values(text, csv, again, *out);
  } else if constexpr (IsOptional<F>::value) {
    typename F::value_type value{};
    TRY(parse_value(text, value));
    out = std::move(value);
    return {};
  } else {
    return parse_value(text, out);
  }
}

template <typename T>
std::string value_text(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return value.empty() ? "" : quote(value);
  } else if constexpr (std::is_same_v<T, double>) {
    return value == 0 ? "" : format("%g", value);
  } else if constexpr (std::is_same_v<T, Duration>) {
    return value.ns == 0 ? "" : format_duration(value.ns);
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    return value.empty() ? "" : concat("[", join(value, ","), "]");
  } else {
    return value == 0 ? "" : concat(value);
  }
}

template <typename F>
std::string default_of(const void* field) {
  const F& value = *static_cast<const F*>(field);
  if constexpr (IsOptional<F>::value)
    return value ? value_text(*value) : "";
  else
    return value_text(value);
}

template <typename F>
constexpr const char* type_name() {
  if constexpr (IsOptional<F>::value)
    return type_name<typename F::value_type>();
  else if constexpr (std::is_same_v<F, bool>)
    return "";
  else if constexpr (std::is_same_v<F, std::string>)
    return "string";
  else if constexpr (std::is_same_v<F, double>)
    return "float";
  else if constexpr (std::is_same_v<F, Duration>)
    return "duration";
  else if constexpr (std::is_same_v<F, std::vector<std::string>>)
    return "stringArray";
  else
    return std::is_signed_v<F> ? "int" : "uint";
}

}  // namespace

#define MINKE_DEFINE_FIELD_TYPE(F)                    \
  template <>                                         \
  constinit const FieldType FieldTypeOf<F>::value = { \
      type_name<F>(), type_name<F>()[0] == '\0',      \
      std::string_view(type_name<F>()) == "stringArray", set_field<F>, default_of<F>};
MINKE_OPTION_TYPES(MINKE_DEFINE_FIELD_TYPE)
#undef MINKE_DEFINE_FIELD_TYPE

Result<std::vector<std::string>> split_csv(std::string_view text) {
  auto fault = [&](std::size_t at, const char* what) {
    return Error(Errc::invalid_argument,
                 concat("parse error on line 1, column ", at + 1, ": ", what));
  };
  std::vector<std::string> fields;
  std::size_t i = 0;
  while (true) {
    std::string field;
    if (i < text.size() && text[i] == '"') {
      ++i;
      while (true) {
        if (i >= text.size()) return fault(i, "extraneous or missing \" in quoted-field");
        if (text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"') {
          field += '"';
          i += 2;
        } else if (text[i] == '"') {
          ++i;
          break;
        } else {
          field += text[i++];
        }
      }
      if (i < text.size() && text[i] != ',')
        return fault(i - 1, "extraneous or missing \" in quoted-field");
    } else {
      for (; i < text.size() && text[i] != ','; ++i) {
        if (text[i] == '"') return fault(i, "bare \" in non-quoted-field");
        field += text[i];
      }
    }
    fields.push_back(std::move(field));
    if (i >= text.size()) return fields;
    ++i;
  }
}

}  // namespace minke::cli
