// Patterns over paths: .containerignore and .dockerignore, --exclude, and the wildcards of COPY.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace minke::build {

// "a//./b/../c/" is "a/c"; "" and "/" are "."; what leads out of the folder stays at its top.
std::string clean_relative(std::string_view path);

bool has_wildcard(std::string_view text);  // * ? [ that no \ stands before

// * and ? match all but slashes, [a-z] and [^a-z] one character, ** any number of folders, \ makes
// the next character plain.
class PathPattern {
 public:
  static Result<PathPattern> parse(std::string_view text);  // cleaned already
  bool matches(std::string_view path) const;
  // Whether it can match anything below `folder`.
  bool may_match_below(std::string_view folder) const;
  const std::string& text() const { return text_; }

 private:
  enum class Kind : std::uint8_t { character, one, star, set, folders, all };
  struct Token {
    Kind kind;
    std::uint32_t character = 0;
    bool negated = false;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
  };
  // How most of them can be answered without the tokens.
  enum class Shape : std::uint8_t { plain, prefix, suffix, tokens };
  class Run;
  Status parse_set(std::size_t* at);
  std::string text_, literal_;
  Shape shape_ = Shape::plain;
  std::vector<Token> tokens_;
};

class IgnoreList {
 public:
  // The lines of an ignore file. Errors name the line.
  static Result<IgnoreList> parse(std::string_view text, std::string_view filename);
  static Result<IgnoreList> from_patterns(const std::vector<std::string>& patterns);

  bool empty() const { return patterns_.empty(); }
  // Which of the patterns match a folder; given along a walk, none is asked twice for what is
  // below.
  using Above = std::vector<char>;
  // `path` is relative and clean. The last pattern that matches it, or a folder above it, counts.
  // `above`: what `own` was for the folder that it is in; null: the folders are looked at now.
  bool ignores(std::string_view path, const Above* above = nullptr, Above* own = nullptr) const;
  // Whether a "!" pattern can bring something back below `folder`, which is ignored itself.
  bool may_keep_below(std::string_view folder) const;

 private:
  struct Row {
    PathPattern pattern;
    bool keeps = false;  // "!"
  };
  Status add(std::string_view text);
  std::vector<Row> patterns_;
};

}  // namespace minke::build
