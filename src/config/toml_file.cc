#include "config/toml_file.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "base/str.h"

namespace minke::config {
namespace {

// Configuration files are comments for the most part, and the library decodes those letter by
// letter. Lines that hold nothing else become empty ones, so that line numbers stay; not where a
// string may go over several lines.
std::string without_comments(std::string_view text) {
  if (text.find("\"\"\"") != std::string_view::npos || text.find("'''") != std::string_view::npos)
    return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    std::string_view line = text.substr(at, end - at);
    std::size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && line[first] != '#') out += line;
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return out;
}

const char* type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

void read_list(const toml::array& list, TomlEntry* entry) {
  TomlStrings strings;
  for (const toml::node& item : list) {
    const toml::table* options = item.as_table();
    if (const auto* text = item.as_string()) {
      strings.items.push_back(text->get());
    } else if (options != nullptr && &item == &list.back() && options->contains("append") &&
               options->size() == 1 && options->get("append")->is_boolean()) {
      strings.append = options->get("append")->as_boolean()->get();
    } else {
      entry->value = TomlOther{concat("a list with ", type_of(item))};
      return;
    }
  }
  entry->value = std::move(strings);
}

void read_table(const toml::table& table, const std::string& section, std::vector<TomlEntry>* out) {
  for (const auto& [key, node] : table) {
    if (const toml::table* inner = node.as_table()) {
      read_table(*inner, concat(section, section.empty() ? "" : ".", key.str()), out);
      continue;
    }
    TomlEntry entry{section, std::string(key.str()), TomlOther{type_of(node)},
                    static_cast<std::uint32_t>(key.source().begin.line)};
    if (const auto* flag = node.as_boolean())
      entry.value = flag->get();
    else if (const auto* number = node.as_integer())
      entry.value = number->get();
    else if (const auto* text = node.as_string())
      entry.value = text->get();
    else if (const auto* list = node.as_array())
      read_list(*list, &entry);
    out->push_back(std::move(entry));
  }
}

}  // namespace

Result<std::vector<TomlEntry>> parse_toml(std::string_view text, std::string_view path) {
  toml::parse_result parsed = toml::parse(std::string_view(without_comments(text)));
  if (!parsed)
    return Error(Errc::invalid_argument, concat(path, ":", parsed.error().source().begin.line, ": ",
                                                parsed.error().description()));
  std::vector<TomlEntry> entries;
  read_table(parsed.table(), "", &entries);
  return entries;
}

std::string toml_type(const TomlEntry& entry) {
  constexpr const char* kTypes[] = {"a boolean", "an integer", "a string", "a list of strings"};
  if (const auto* other = std::get_if<TomlOther>(&entry.value)) return other->type;
  return kTypes[entry.value.index()];
}

}  // namespace minke::config
