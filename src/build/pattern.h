// The patterns of ${NAME#PATTERN} and its kin: * is any text, ? one character, \ makes the next
// character plain.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace minke::build {

class ShellPattern {
 public:
  static Result<ShellPattern> parse(std::string_view text);

  enum class Length { shortest, longest };
  // How many bytes at the front (the back) of `value` match.
  std::optional<std::size_t> match_front(std::string_view value, Length length) const;
  std::optional<std::size_t> match_back(std::string_view value, Length length) const;
  // `value` with the first (or each) longest match exchanged; nothing: it outgrows `most` bytes.
  std::optional<std::string> replace(std::string_view value, std::string_view with, bool all,
                                     std::size_t most) const;

 private:
  struct Step {
    enum class Kind { text, one, any } kind;
    std::string text;
  };
  // Marks where a match can end that begins at `from`; `reach` is one flag per place in `value`.
  void run(std::string_view value, std::size_t from, std::vector<char>* reach) const;
  bool may_begin(std::string_view value) const;
  std::vector<Step> steps_;
};

}  // namespace minke::build
