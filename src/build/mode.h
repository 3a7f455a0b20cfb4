// --chmod: an octal number, or what chmod(1) takes ("u=rwX,go=rX", "a+x", "g-w").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::build {

class FileMode {
 public:
  static Result<FileMode> parse(std::string_view text);
  // The permission bits that a file with `mode` gets. A umask has no say.
  std::uint32_t apply(std::uint32_t mode, bool directory) const;

 private:
  struct Clause {
    std::uint32_t who = 0;  // bits of the classes: 0700, 0070, 0007
    char operation = '=';
    std::uint32_t bits = 0;  // r w x in all three classes
    bool set_id = false, sticky = false;
    bool only_executable = false;  // X
    char copy_of = 0;              // u, g or o: their bits
  };
  std::optional<std::uint32_t> number_;
  std::vector<Clause> clauses_;
};

}  // namespace minke::build
