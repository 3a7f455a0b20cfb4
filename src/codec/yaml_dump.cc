#include "codec/yaml_dump.h"

#include <algorithm>
#include <vector>

#include "base/str.h"

namespace minke::yaml {
namespace {

bool reads_as_other(std::string_view text) {
  constexpr std::string_view kWords[] = {"~",   "null", "true", "false", "yes",  "no",   "on",
                                         "off", "y",    "n",    ".nan",  ".inf", "-.inf"};
  std::string lower = to_lower(text);
  if (std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords)) return true;
  return parse_double(text).has_value() ||
         (lower.starts_with("0x") && is_hex(std::string_view(lower).substr(2)));
}

bool is_plain(std::string_view text) {
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`";
  if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  // An indicator is harmless at the start when text follows it at once, but only these three.
  if (kIndicators.find(text.front()) != std::string_view::npos &&
      (std::string_view("-?:").find(text.front()) == std::string_view::npos || text.size() == 1 ||
       text[1] == ' '))
    return false;
  return text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

void block_text(std::string_view text, std::size_t indent, std::string& out) {
  bool ended = text.ends_with('\n');
  if (ended) text.remove_suffix(1);
  out += ended ? "|" : "|-";
  for (std::string_view line : split(text, '\n')) {
    out += '\n';
    if (!line.empty()) out.append(indent, ' ').append(line);
  }
}

void scalar(const json::Value& value, std::size_t indent, std::string& out) {
  const std::string* text = value.as_string();
  if (text == nullptr) {
    out += json::dump(value);
    return;
  }
  bool lines =
      text->find('\n') != std::string::npos && text->front() != ' ' && text->front() != '\n';
  if (text->empty() || reads_as_other(*text))
    out += concat("\"", *text, "\"");
  else if (lines && std::all_of(text->begin(), text->end(), [](char c) {
             return c == '\n' || is_printable({&c, 1});
           }))
    block_text(*text, indent, out);
  else if (!is_printable(*text))
    out += json::dump(value);  // JSON's escapes are YAML's
  else
    out += is_plain(*text) ? *text : single_quoted(*text);
}

bool is_empty(const json::Value& value) {
  return (value.as_array() != nullptr && value.as_array()->empty()) ||
         (value.as_object() != nullptr && value.as_object()->empty());
}
bool is_scalar(const json::Value& value) {
  return value.as_array() == nullptr && value.as_object() == nullptr;
}

void write(const json::Value& value, std::size_t indent, bool first_on_line, std::string& out);

void write_member(const json::Value& value, std::size_t indent, std::string& out) {
  if (is_scalar(value) || is_empty(value)) {
    out += ' ';
    write(value, indent + 2, true, out);
    return;
  }
  out += '\n';
  // Lists stand below their key, not to the right of it.
  write(value, value.as_array() != nullptr ? indent : indent + 2, false, out);
}

void write_object(const json::Object& object, std::size_t indent, bool first_on_line,
                  std::string& out) {
  std::vector<const std::pair<std::string, json::Value>*> members;
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->first < b->first; });
  for (const auto* member : members) {
    if (!first_on_line) out.append(indent, ' ');
    first_on_line = false;
    scalar(json::Value(member->first), indent, out);
    out += ':';
    write_member(member->second, indent, out);
  }
}

// A collection ends with a newline; what stands on one line gets one too.
void write(const json::Value& value, std::size_t indent, bool first_on_line, std::string& out) {
  if (is_empty(value)) {
    out += value.as_array() != nullptr ? "[]\n" : "{}\n";
  } else if (const json::Object* object = value.as_object()) {
    write_object(*object, indent, first_on_line, out);
  } else if (const json::Array* items = value.as_array()) {
    for (const json::Value& item : *items) {
      if (!first_on_line) out.append(indent, ' ');
      first_on_line = false;
      out += "- ";
      write(item, indent + 2, true, out);
    }
  } else {
    scalar(value, indent, out);
    out += '\n';
  }
}

}  // namespace

std::string dump(const json::Value& value) {
  std::string out;
  write(value, 0, true, out);
  return out;
}

}  // namespace minke::yaml
