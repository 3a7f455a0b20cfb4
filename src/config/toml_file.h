// A TOML file as a flat list of what it sets, with the line of each. The one place that knows the
// TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace minke::config {

// What a file says, fit for a message of one line: control characters as "\n" or "\x1b".
std::string one_line(std::string_view text);

// A list of strings; `append`: it ends in {append=true} and is put behind what earlier files say.
struct TomlStrings {
  std::vector<std::string> items;
  bool append = false;
};
// What none of the configuration files uses: dates, fractions, lists of other things.
struct TomlOther {
  std::string type;
};

// A list of tables, their values as text.
struct TomlTables {
  std::vector<std::vector<std::pair<std::string, std::string>>> items;
};

struct TomlEntry {
  std::string section;  // "engine.runtimes"; "" at the top
  std::string key;
  std::variant<bool, std::int64_t, std::string, TomlStrings, TomlOther, TomlTables> value;
  std::uint32_t line = 0;
};

// In no particular order. An error names `path` and the line.
Result<std::vector<TomlEntry>> parse_toml(std::string_view text, std::string_view path);

// The same with all of its shape, for files with lists of tables.
struct TomlNode {
  enum class Kind : std::uint8_t { boolean, integer, string, list, table, other };
  Kind kind = Kind::other;
  std::string key;  // in a table
  bool flag = false;
  std::int64_t number = 0;
  std::string text;             // of a string; of `other`: what it is
  std::vector<TomlNode> items;  // of a list; of a table, by line
  std::uint32_t line = 0;

  // "a string", "a list", ... for messages.
  std::string type() const;
};
Result<TomlNode> parse_toml_tree(std::string_view text, std::string_view path);

// "a string", "an integer", ... for messages.
std::string toml_type(const TomlEntry& entry);

}  // namespace minke::config
