#include "build/ignore.h"

#include <algorithm>

#include "base/str.h"
#include "imagework/tree_sink.h"

namespace minke::build {
namespace {

// The next character and its bytes; what is no UTF-8 is a character by itself.
std::uint32_t next_character(std::string_view text, std::size_t* at) {
  const auto lead = static_cast<unsigned char>(text[(*at)++]);
  const int more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  if (more == 0 || *at + static_cast<std::size_t>(more) > text.size()) return lead;
  std::uint32_t out = lead & (0x3fU >> more);
  for (int i = 0; i < more; ++i) {
    const auto c = static_cast<unsigned char>(text[*at + static_cast<std::size_t>(i)]);
    if ((c & 0xc0) != 0x80) return lead;
    out = out << 6 | (c & 0x3f);
  }
  *at += static_cast<std::size_t>(more);
  return out;
}

Error bad_pattern(std::string_view text) {
  return Error(Errc::invalid_argument,
               concat("bad pattern ", quote(text), " (an open [ or a \\ at the end?)"));
}

}  // namespace

std::string clean_relative(std::string_view path) {
  std::string clean = imagework::confined(path);
  return clean.empty() ? "." : clean;
}

bool has_wildcard(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '*' || text[i] == '?' || text[i] == '[')
      return true;
  }
  return false;
}

Status PathPattern::parse_set(std::size_t* at) {
  Token token{Kind::set, 0, false, {}};
  if (*at < text_.size() && text_[*at] == '^') {
    token.negated = true;
    ++*at;
  }
  auto character = [&]() -> Result<std::uint32_t> {
    if (*at >= text_.size()) return bad_pattern(text_);
    if (text_[*at] == '-' || text_[*at] == ']') return bad_pattern(text_);
    if (text_[*at] == '\\') ++*at;
    if (*at >= text_.size()) return bad_pattern(text_);
    return next_character(text_, at);
  };
  do {
    const std::uint32_t low = TRY(character());
    std::uint32_t high = low;
    if (*at < text_.size() && text_[*at] == '-') {
      ++*at;
      high = TRY(character());
    }
    token.ranges.emplace_back(low, high);
    if (*at >= text_.size()) return bad_pattern(text_);
  } while (text_[*at] != ']');
  ++*at;
  tokens_.push_back(std::move(token));
  return {};
}

Result<PathPattern> PathPattern::parse(std::string_view text) {
  PathPattern out;
  out.text_ = text;
  bool leading = false, trailing = false, other = false;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '*' && at + 1 < text.size() && text[at + 1] == '*') {
      leading |= at == 0;
      other |= at != 0;
      at += 2;
      const bool slash = at < text.size() && text[at] == '/';
      if (slash) ++at;
      // "**x" is any text that ends in x.
      const bool whole = at >= text.size() || (out.tokens_.empty() && !slash);
      out.tokens_.push_back({whole ? Kind::all : Kind::folders, 0, false, {}});
      trailing |= at >= text.size();
      continue;
    }
    switch (text[at]) {
      case '*':
        ++at;
        out.tokens_.push_back({Kind::star, 0, false, {}});
        other = true;
        break;
      case '?':
        ++at;
        out.tokens_.push_back({Kind::one, 0, false, {}});
        other = true;
        break;
      case '[':
        ++at;
        TRY(out.parse_set(&at));
        other = true;
        break;
      case '\\':
        if (++at >= text.size()) return bad_pattern(text);
        [[fallthrough]];
      default: {
        const std::size_t from = at;
        out.tokens_.push_back({Kind::character, next_character(text, &at), false, {}});
        out.literal_ += text.substr(from, at - from);
      }
    }
  }
  // The frequent shapes: a plain name, "folder/**", "**/name".
  const bool slash_ends = !out.literal_.empty() && out.literal_.back() == '/';
  const bool only_trailing =
      trailing && !leading && slash_ends && out.tokens_.size() > 1 &&
      std::count_if(out.tokens_.begin(), out.tokens_.end(),
                    [](const Token& t) { return t.kind != Kind::character; }) == 1;
  if (only_trailing)
    out.shape_ = Shape::prefix;
  else if (leading && !other && !trailing && out.tokens_[0].kind == Kind::folders)
    out.shape_ = Shape::suffix;
  else if (leading || trailing || other)
    out.shape_ = Shape::tokens;
  return out;
}

// All states that the tokens can be in, moved on one character at a time.
class PathPattern::Run {
 public:
  explicit Run(const std::vector<Token>& tokens)
      : tokens_(tokens), marks_(tokens.size() + 1, 0), states_{}, next_{} {
    ++step_;
    enter(0, &states_);
  }
  void feed(std::uint32_t c) {
    ++step_;
    next_.clear();
    for (std::size_t state : states_) {
      if (state == tokens_.size()) continue;
      const Token& token = tokens_[state];
      switch (token.kind) {
        case Kind::character:
          if (token.character == c) enter(state + 1, &next_);
          break;
        case Kind::one:
          if (c != '/') enter(state + 1, &next_);
          break;
        case Kind::star:
          if (c != '/') enter(state, &next_);
          break;
        case Kind::set:
          if (c != '/' && in_set(token, c)) enter(state + 1, &next_);
          break;
        case Kind::all:
          enter(state, &next_);
          break;
        case Kind::folders:
          mark(state, &next_);
          if (c == '/') enter(state + 1, &next_);
          break;
      }
    }
    states_.swap(next_);
  }
  bool alive() const { return !states_.empty(); }
  bool accepts() const {
    return std::find(states_.begin(), states_.end(), tokens_.size()) != states_.end();
  }

 private:
  static bool in_set(const Token& token, std::uint32_t c) {
    const bool inside =
        std::any_of(token.ranges.begin(), token.ranges.end(),
                    [c](const auto& range) { return range.first <= c && c <= range.second; });
    return inside != token.negated;
  }
  bool mark(std::size_t state, std::vector<std::size_t>* list) {
    if (marks_[state] == step_) return false;
    marks_[state] = step_;
    list->push_back(state);
    return true;
  }
  // What may be empty is passed over at once.
  void enter(std::size_t state, std::vector<std::size_t>* list) {
    for (;; ++state) {
      mark(state, list);
      if (state == tokens_.size()) return;
      const Kind kind = tokens_[state].kind;
      if (kind != Kind::star && kind != Kind::all && kind != Kind::folders) return;
    }
  }
  const std::vector<Token>& tokens_;
  std::vector<unsigned> marks_;
  unsigned step_ = 0;
  std::vector<std::size_t> states_, next_;
};

bool PathPattern::matches(std::string_view path) const {
  switch (shape_) {
    case Shape::plain:
      return path == literal_;
    case Shape::prefix:
      return path.starts_with(literal_);
    case Shape::suffix:
      return path.ends_with(literal_) &&
             (path.size() == literal_.size() || path[path.size() - literal_.size() - 1] == '/');
    case Shape::tokens:
      break;
  }
  Run run(tokens_);
  for (std::size_t at = 0; at < path.size() && run.alive();) run.feed(next_character(path, &at));
  return run.accepts();
}

bool PathPattern::may_match_below(std::string_view folder) const {
  if (folder == "." || folder.empty()) return true;
  Run run(tokens_);
  for (std::size_t at = 0; at < folder.size() && run.alive();)
    run.feed(next_character(folder, &at));
  run.feed('/');
  return run.alive();
}

Status IgnoreList::add(std::string_view text) {
  text = trim(text);
  if (text.empty()) return {};
  const bool keeps = text[0] == '!';
  if (keeps) text = trim(text.substr(1));
  if (text.empty()) return Error(Errc::invalid_argument, "a ! wants a pattern behind it");
  patterns_.push_back({TRY(PathPattern::parse(clean_relative(text))), keeps});
  return {};
}

Result<IgnoreList> IgnoreList::parse(std::string_view text, std::string_view filename) {
  IgnoreList list;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.starts_with('#')) continue;
    TRY_CTX(list.add(line), concat(filename, ":", number));
  }
  return list;
}

Result<IgnoreList> IgnoreList::from_patterns(const std::vector<std::string>& patterns) {
  IgnoreList list;
  for (const std::string& pattern : patterns) TRY(list.add(pattern));
  return list;
}

bool IgnoreList::ignores(std::string_view path, const Above* above, Above* own) const {
  bool ignored = false;
  if (own != nullptr) own->assign(patterns_.size(), 0);
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const Row& row = patterns_[i];
    bool match = above != nullptr && !above->empty() && (*above)[i] != 0;
    // One that cannot change the answer is not asked, unless what is below wants to know.
    if (!match && (row.keeps == ignored || own != nullptr)) match = row.pattern.matches(path);
    if (!match && above == nullptr)
      for (std::size_t slash = path.find('/'); slash != std::string_view::npos && !match;
           slash = path.find('/', slash + 1))
        match = row.pattern.matches(path.substr(0, slash));
    if (own != nullptr) (*own)[i] = match ? 1 : 0;
    if (match) ignored = !row.keeps;
  }
  return ignored;
}

bool IgnoreList::may_keep_below(std::string_view folder) const {
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Row& row) {
    return row.keeps && row.pattern.may_match_below(folder);
  });
}

}  // namespace minke::build
