// Small text helpers. No locale, no allocation beyond the result.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace minke {

namespace detail {
inline void append_piece(std::string& out, std::string_view piece) { out += piece; }
inline void append_piece(std::string& out, const std::string& piece) { out += piece; }
inline void append_piece(std::string& out, const char* piece) { out += piece; }
inline void append_piece(std::string& out, char c) { out += c; }
template <typename T>
requires(std::is_integral_v<T> && !std::is_same_v<T, char> &&
         !std::is_same_v<T, bool>) void append_piece(std::string& out, T number) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}
}  // namespace detail

// The pieces (text, characters, integers) one after the other.
template <typename... Pieces>
std::string concat(const Pieces&... pieces) {
  std::string out;
  (detail::append_piece(out, pieces), ...);
  return out;
}

// printf into a string; the format is checked by the compiler.
std::string format(const char* fmt, ...) __attribute__((format(printf, 1, 2)));

// Splits at every `sep`: "a,,b" gives three pieces, "" gives one empty piece.
std::vector<std::string_view> split(std::string_view text, char sep);
// The part before the first `sep` and the rest after it; nothing when `sep` is not there.
std::optional<std::pair<std::string_view, std::string_view>> split_once(std::string_view text,
                                                                        char sep);
std::string join(const std::vector<std::string>& pieces, std::string_view sep);
std::string_view trim(std::string_view text);  // blanks, tabs, CR, LF at both ends
std::string to_lower(std::string_view ascii);
std::string to_upper(std::string_view ascii);
std::string quote(std::string_view text);  // Go's %q for printable text: "..." with escapes
std::string hex(std::string_view bytes);
bool is_hex(std::string_view text);  // lower or upper case digits, at least one

// Whole-string number parsers: nothing for an empty text, trailing bytes, or a value out of range.
std::optional<std::int64_t> parse_int(std::string_view text, int base = 10);
std::optional<std::uint64_t> parse_uint(std::string_view text, int base = 10);
std::optional<double> parse_double(std::string_view text);
// Go's strconv.ParseBool: 1 t T TRUE true True 0 f F FALSE false False.
std::optional<bool> parse_bool(std::string_view text);

// Edit distance (for "did you mean").
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace minke
