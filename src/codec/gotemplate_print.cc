// What Go's fmt does with the values of templates.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/str.h"
#include "base/time.h"
#include "codec/gotemplate_internal.h"

namespace minke::gotemplate {

std::size_t decode_rune(std::string_view text, char32_t* rune) {
  *rune = 0xFFFD;
  if (text.empty()) return 0;
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned first = byte(0);
  if (first < 0x80) {
    *rune = first;
    return 1;
  }
  std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
  if (size == 1 || first > 0xF4 || text.size() < size) return 1;
  char32_t value = first & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 1;
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[size] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return 1;
  *rune = value;
  return size;
}

void append_rune(char32_t rune, std::string& out) {
  if (rune > 0x10FFFF || (rune >= 0xD800 && rune < 0xE000)) rune = 0xFFFD;
  auto put = [&](char32_t bits) { out += static_cast<char>(bits); };
  if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xC0 | rune >> 6);
    put(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    put(0xE0 | rune >> 12);
    put(0x80 | (rune >> 6 & 0x3F));
    put(0x80 | (rune & 0x3F));
  } else {
    put(0xF0 | rune >> 18);
    put(0x80 | (rune >> 12 & 0x3F));
    put(0x80 | (rune >> 6 & 0x3F));
    put(0x80 | (rune & 0x3F));
  }
}

std::string quoted_go(std::string_view text) { return quote(text); }

std::vector<const std::pair<std::string, json::Value>*> sorted_members(const json::Object& object) {
  std::vector<const std::pair<std::string, json::Value>*> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->first < b->first; });
  return members;
}

namespace {

std::size_t rune_count(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void pad(std::string_view text, const FormatSpec& spec, bool numeric, BoundedText& out) {
  std::size_t size = rune_count(text);
  std::size_t width = spec.width > 0 ? static_cast<std::size_t>(spec.width) : 0;
  std::size_t fill = width > size ? width - size : 0;
  if (spec.minus) {
    out.add(text);
    out.add(fill, ' ');
  } else if (spec.zero && numeric && !text.empty() && (text[0] == '-' || text[0] == '+')) {
    out.add(text.substr(0, 1));
    out.add(fill, '0');
    out.add(text.substr(1));
  } else {
    out.add(fill, spec.zero ? '0' : ' ');
    out.add(text);
  }
}

// %!verb(type=value), fmt's answer to a verb that does not fit.
void bad_verb(const Item& item, const FormatSpec& spec, const Shapes& shapes, BoundedText& out) {
  out.add(concat("%!", spec.verb, "("));
  if (item.null()) {
    out.add("<nil>");
  } else {
    out.add(type_text(item, shapes));
    out.add("=");
    print_item(item, FormatSpec{}, shapes, out);
  }
  out.add(")");
}

void print_text(std::string_view text, const Item& item, const FormatSpec& spec,
                const Shapes& shapes, BoundedText& out) {
  switch (spec.verb) {
    case 'v':
    case 's': {
      if (spec.verb == 'v' && spec.sharp) return pad(quote(text), spec, false, out);
      if (spec.precision >= 0) {
        std::size_t end = 0;
        char32_t rune = 0;
        for (int i = 0; i < spec.precision && end < text.size(); ++i)
          end += decode_rune(text.substr(end), &rune);
        text = text.substr(0, end);
      }
      return pad(text, spec, false, out);
    }
    case 'q':
      return pad(quote(text), spec, false, out);
    case 'x':
      return pad(hex(text), spec, false, out);
    case 'X':
      return pad(to_upper(hex(text)), spec, false, out);
    default:
      return bad_verb(item, spec, shapes, out);
  }
}

void print_integer(bool negative, std::uint64_t magnitude, const Item& item, const FormatSpec& spec,
                   const Shapes& shapes, BoundedText& out) {
  int base = 10;
  std::string prefix;
  switch (spec.verb) {
    case 'v':
    case 'd':
      break;
    case 'x':
    case 'X':
      base = 16;
      if (spec.sharp) prefix = spec.verb == 'x' ? "0x" : "0X";
      break;
    case 'o':
    case 'O':
      base = 8;
      if (spec.sharp) prefix = "0";
      if (spec.verb == 'O') prefix = "0o";
      break;
    case 'b':
      base = 2;
      if (spec.sharp) prefix = "0b";
      break;
    case 'c':
    case 'q':
    case 'U': {
      auto rune =
          negative || magnitude > 0x10FFFF ? char32_t{0xFFFD} : static_cast<char32_t>(magnitude);
      std::string text;
      if (spec.verb == 'U') {
        text = minke::format("U+%04lX", static_cast<unsigned long>(magnitude));
      } else {
        append_rune(rune, text);
        if (spec.verb == 'q') text = rune == '\'' ? "'\\''" : concat("'", text, "'");
      }
      return pad(text, spec, false, out);
    }
    default:
      return bad_verb(item, spec, shapes, out);
  }
  char buffer[72];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, magnitude, base).ptr;
  std::string digits(buffer, end);
  if (spec.verb == 'X') digits = to_upper(digits);
  if (spec.precision > static_cast<int>(digits.size()))
    digits.insert(0, static_cast<std::size_t>(std::min(spec.precision, 1000)) - digits.size(), '0');
  std::string sign = negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  pad(concat(sign, prefix, digits), spec, true, out);
}

// Go's shortest form: with an exponent when that is below -4 or not below 6.
std::string shortest(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Inf" : "+Inf";
  char buffer[400];
  auto end =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  std::size_t mark = text.find('e');
  auto exponent = parse_int(text.substr(mark + (text[mark + 1] == '+' ? 2 : 1))).value_or(0);
  if (number != 0 && (exponent < -4 || exponent >= 6)) return std::string(text);
  end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed).ptr;
  return std::string(buffer, end);
}

void print_float(double number, const Item& item, const FormatSpec& spec, const Shapes& shapes,
                 BoundedText& out) {
  std::string text;
  switch (spec.verb) {
    case 'v':
      text = spec.precision < 0 ? shortest(number)
                                : minke::format("%.*g", std::min(spec.precision, 300), number);
      break;
    case 'g':
    case 'G':
      text = spec.precision < 0 ? shortest(number)
                                : minke::format("%.*g", std::min(spec.precision, 300), number);
      break;
    case 'f':
    case 'F':
      text = minke::format("%.*f", spec.precision < 0 ? 6 : std::min(spec.precision, 300), number);
      break;
    case 'e':
    case 'E':
      text = minke::format(spec.verb == 'e' ? "%.*e" : "%.*E",
                           spec.precision < 0 ? 6 : std::min(spec.precision, 300), number);
      break;
    default:
      return bad_verb(item, spec, shapes, out);
  }
  if (number >= 0 && spec.plus && !text.starts_with('+')) text.insert(0, "+");
  if (number >= 0 && spec.space) text.insert(0, " ");
  pad(text, spec, true, out);
}

std::string time_text(const std::string& text) {
  auto time = parse_rfc3339(text);
  if (!time) return text == "0001-01-01T00:00:00Z" ? format_go_time(kZeroTime, true) : text;
  return format_go_time(*time, text.ends_with('Z'));
}

void print_null(const Item& item, const FormatSpec& spec, BoundedText& out) {
  if (item.kind == FieldKind::map && spec.verb != 'd') return out.add("map[]");
  if (item.kind == FieldKind::list) return out.add("[]");
  if (item.kind == FieldKind::text) return pad("", spec, false, out);
  if (spec.verb == 'v')
    pad("<nil>", spec, false, out);
  else
    out.add(concat("%!", spec.verb, "(<nil>)"));
}

void print_object(const Item& item, const json::Object& object, const FormatSpec& spec,
                  const Shapes& shapes, BoundedText& out) {
  bool map = item.is_map();
  out.add(map ? "map[" : "{");
  bool first = true;
  auto member = [&](const std::string& name, const json::Value& value) {
    if (!first) out.add(" ");
    first = false;
    if (map || spec.plus_v) {
      out.add(name);
      out.add(":");
    }
    if (!out.overflow()) print_item(shapes.member(item, name, value), spec, shapes, out);
  };
  if (map)
    for (const auto* entry : sorted_members(object)) member(entry->first, entry->second);
  else
    for (const auto& [name, value] : object) member(name, value);
  out.add(map ? "]" : "}");
}

}  // namespace

void print_item(const Item& item, const FormatSpec& spec, const Shapes& shapes, BoundedText& out) {
  if (!item.valid())
    return spec.verb == 'v' ? pad("<nil>", spec, false, out)
                            : out.add(concat("%!", spec.verb, "(<nil>)"));
  if (spec.verb == 'T') return pad(type_text(item, shapes), spec, false, out);
  const json::Value& value = *item.value;
  if (value.is_null()) {
    print_null(item, spec, out);
  } else if (const bool* truth = value.as_bool()) {
    if (spec.verb == 'v' || spec.verb == 't')
      pad(*truth ? "true" : "false", spec, false, out);
    else
      bad_verb(item, spec, shapes, out);
  } else if (const std::string* text = value.as_string()) {
    print_text(item.kind == FieldKind::time ? time_text(*text) : *text, item, spec, shapes, out);
  } else if (const std::int64_t* number = value.as_int()) {
    if (item.kind == FieldKind::duration && (spec.verb == 'v' || spec.verb == 's')) {
      pad(format_duration(*number), spec, false, out);
    } else {
      auto magnitude = static_cast<std::uint64_t>(*number);
      print_integer(*number < 0, *number < 0 ? 0 - magnitude : magnitude, item, spec, shapes, out);
    }
  } else if (const std::uint64_t* large = value.as_uint()) {
    print_integer(false, *large, item, spec, shapes, out);
  } else if (const double* real = value.as_double()) {
    print_float(*real, item, spec, shapes, out);
  } else if (const json::Array* array = value.as_array()) {
    out.add("[");
    for (std::size_t i = 0; i < array->size() && !out.overflow(); ++i) {
      if (i > 0) out.add(" ");
      print_item(shapes.element(item, (*array)[i]), spec, shapes, out);
    }
    out.add("]");
  } else {
    print_object(item, *value.as_object(), spec, shapes, out);
  }
}

void sprint(std::span<const Item> items, const Shapes& shapes, BoundedText& out) {
  auto is_text = [](const Item& item) {
    return item.valid() && item.value->as_string() != nullptr;
  };
  for (std::size_t i = 0; i < items.size(); ++i) {
    // Print sets a blank between two operands when neither is a string.
    if (i > 0 && !is_text(items[i]) && !is_text(items[i - 1])) out.add(" ");
    print_item(items[i], FormatSpec{}, shapes, out);
  }
}

void sprintln(std::span<const Item> items, const Shapes& shapes, BoundedText& out) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.add(" ");
    print_item(items[i], FormatSpec{}, shapes, out);
  }
  out.add("\n");
}

namespace {

// Reads a width or precision: digits, or `*` from the arguments. -1 when there is none.
int read_number(std::string_view format, std::size_t& at, std::span<const Item> items,
                std::size_t& next, BoundedText& out, std::string_view bad) {
  if (at < format.size() && format[at] == '*') {
    ++at;
    const std::int64_t* number =
        next < items.size() && items[next].valid() ? items[next].value->as_int() : nullptr;
    ++next;
    if (number == nullptr || *number < -1'000'000 || *number > 1'000'000) {
      out.add(bad);
      return -1;
    }
    return static_cast<int>(*number);
  }
  int number = -1;
  while (at < format.size() && format[at] >= '0' && format[at] <= '9') {
    number = std::max(number, 0) * 10 + (format[at++] - '0');
    if (number > 1'000'000) number = 1'000'000;
  }
  return number;
}

bool set_flag(FormatSpec& spec, char c) {
  switch (c) {
    case '-':
      spec.minus = true;
      return true;
    case '+':
      spec.plus = true;
      return true;
    case '#':
      spec.sharp = true;
      return true;
    case ' ':
      spec.space = true;
      return true;
    case '0':
      spec.zero = true;
      return true;
    default:
      return false;
  }
}

}  // namespace

void sprintf_items(std::string_view format, std::span<const Item> items, const Shapes& shapes,
                   BoundedText& out) {
  std::size_t next = 0;
  for (std::size_t at = 0; at < format.size() && !out.overflow();) {
    std::size_t percent = format.find('%', at);
    out.add(format.substr(at, percent == std::string_view::npos ? percent : percent - at));
    if (percent == std::string_view::npos) break;
    at = percent + 1;
    FormatSpec spec;
    while (at < format.size() && set_flag(spec, format[at])) ++at;
    spec.width = read_number(format, at, items, next, out, "%!(BADWIDTH)");
    if (spec.width < -1) {
      spec.minus = true;
      spec.width = -spec.width;
    }
    if (at < format.size() && format[at] == '.') {
      ++at;
      spec.precision = std::max(0, read_number(format, at, items, next, out, "%!(BADPREC)"));
    }
    if (at >= format.size()) {
      out.add("%!(NOVERB)");
      break;
    }
    char32_t verb = 0;
    std::size_t size = decode_rune(format.substr(at), &verb);
    std::string_view verb_text = format.substr(at, size);
    at += size;
    if (verb == '%') {
      out.add("%");
    } else if (next >= items.size()) {
      out.add(concat("%!", verb_text, "(MISSING)"));
    } else {
      spec.verb = verb < 0x80 ? static_cast<char>(verb) : '?';
      if (spec.verb == 'v') spec.plus_v = std::exchange(spec.plus, false);
      print_item(items[next++], spec, shapes, out);
    }
  }
  if (next >= items.size()) return;
  out.add("%!(EXTRA ");
  for (std::size_t i = next; i < items.size(); ++i) {
    if (i > next) out.add(", ");
    if (items[i].null()) {
      out.add("<nil>");
      continue;
    }
    out.add(type_text(items[i], shapes));
    out.add("=");
    print_item(items[i], FormatSpec{}, shapes, out);
  }
  out.add(")");
}

}  // namespace minke::gotemplate
