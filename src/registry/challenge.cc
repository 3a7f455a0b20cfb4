#include "registry/challenge.h"

#include "base/str.h"

namespace minke::registry {
namespace {

constexpr std::size_t kMaxChallenges = 16;
constexpr std::size_t kMaxParams = 64;

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  void skip(std::string_view any) {
    while (!rest_.empty() && any.find(rest_.front()) != std::string_view::npos)
      rest_.remove_prefix(1);
  }
  void drop() { rest_.remove_prefix(1); }
  std::string_view token() {
    std::size_t size = 0;
    while (size < rest_.size() && is_token_char(rest_[size])) ++size;
    std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  // "name = value" ahead, and not the scheme of the next challenge or a token68.
  bool takes_equals() {
    Reader ahead = *this;
    ahead.skip(" \t");
    if (ahead.rest_.empty() || ahead.rest_.front() != '=') return false;
    ahead.drop();
    ahead.skip(" \t");
    if (ahead.rest_.empty() || ahead.rest_.front() == ',' || ahead.rest_.front() == '=')
      return false;
    *this = ahead;
    return true;
  }
  std::string value() {
    if (rest_.empty() || rest_.front() != '"') return std::string(token());
    drop();
    std::string out;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) drop();
      out += rest_.front();
      drop();
    }
    if (!rest_.empty()) drop();
    return out;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> out;
  Reader reader(header);
  for (;;) {
    reader.skip(" \t,");
    if (reader.at_end()) return out;
    std::string_view word = reader.token();
    if (word.empty()) {
      reader.drop();
    } else if (!out.empty() && reader.takes_equals()) {
      std::string value = reader.value();
      if (out.back().params.size() < kMaxParams)
        out.back().params.emplace(to_lower(word), std::move(value));
    } else {
      if (out.size() == kMaxChallenges) return out;
      out.push_back({to_lower(word), {}});
    }
  }
}

}  // namespace minke::registry
