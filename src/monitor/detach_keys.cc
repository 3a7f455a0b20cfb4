#include "monitor/detach_keys.h"

#include "base/str.h"

namespace minke::monitor {
namespace {

int parse_key(std::string_view key) {
  if (key.size() == 1) return static_cast<unsigned char>(key[0]);
  if (key.size() != 6 || !key.starts_with("ctrl-")) return -1;
  char c = key[5];
  if (c >= 'a' && c <= 'z') return c - 'a' + 1;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 1;
  constexpr std::string_view kOthers = "@[\\]^_";
  constexpr int kCodes[] = {0, 27, 28, 29, 30, 31};
  std::size_t at = kOthers.find(c);
  return at == std::string_view::npos ? -1 : kCodes[at];
}

}  // namespace

Result<DetachKeys> DetachKeys::parse(std::string_view text) {
  DetachKeys out;
  if (text.empty()) return out;
  for (std::string_view key : split(text, ',')) {
    int code = parse_key(key);
    if (code < 0)
      return Error(Errc::invalid_argument,
                   concat("invalid detach keys ", quote(text), ": unknown key ", quote(key),
                          " (one character, or ctrl-<letter>, separated by commas)"));
    out.keys_ += static_cast<char>(code);
  }
  return out;
}

bool DetachKeys::feed(std::string_view typed, std::string* out) {
  if (keys_.empty()) {
    *out += typed;
    return false;
  }
  for (char c : typed) {
    // After a mismatch the longest tail of what was held back that begins the sequence stays held
    // back.
    while (matched_ > 0 && c != keys_[matched_]) {
      std::size_t shorter = matched_ - 1;
      while (shorter > 0 && keys_.compare(0, shorter, keys_, matched_ - shorter, shorter) != 0)
        --shorter;
      out->append(keys_, 0, matched_ - shorter);
      matched_ = shorter;
    }
    if (c != keys_[matched_]) {
      *out += c;
    } else if (++matched_ == keys_.size()) {
      matched_ = 0;
      return true;
    }
  }
  return false;
}

}  // namespace minke::monitor
