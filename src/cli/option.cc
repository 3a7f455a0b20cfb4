#include "cli/option.h"

#include <algorithm>
#include <optional>

#include "base/str.h"

namespace minke::cli {
namespace {

struct Found {
  const OptionInfo* row = nullptr;
  void* field = nullptr;
};

template <typename Match>
Found find_row(std::span<const BoundTable> tables, Match match) {
  for (const BoundTable& bound : tables) {
    for (std::size_t i = 0; i < bound.table.count; ++i) {
      const OptionInfo& row = bound.table.row(i);
      if (match(row, bound))
        return {&row, row.refused() ? nullptr : bound.table.field(row, bound.options)};
    }
  }
  return {};
}

// Options are also found with "_" for "-" nowhere: pflag's names are exact.
Found find_long(std::span<const BoundTable> tables, std::string_view name) {
  return find_row(tables, [&](const OptionInfo& row, const BoundTable&) {
    return name == row.name || (row.extra.alias != nullptr && name == row.extra.alias);
  });
}
Found find_short(std::span<const BoundTable> tables, char c) {
  return find_row(tables, [&](const OptionInfo& row, const BoundTable& bound) {
    return bound.shorthands && c != '\0' && row.shorthand == c;
  });
}

Error fault(std::string message) { return Error(Errc::invalid_argument, std::move(message)); }

std::string shown_name(const OptionInfo& row) {
  return row.shorthand != 0 ? concat("-", row.shorthand, ", --", row.name) : concat("--", row.name);
}

class Parser {
 public:
  Parser(std::span<const BoundTable> tables, std::span<const std::string> args, ParseRules rules)
      : tables_(tables), args_(args), rules_(rules) {}

  Result<ParsedOptions> run() {
    while (next_ < args_.size()) {
      const std::string& arg = args_[next_++];
      if (arg.size() < 2 || arg[0] != '-') {
        parsed_.positional.push_back(arg);
        if (!rules_.interspersed) break;
      } else if (arg == "--") {
        break;
      } else if (arg[1] == '-') {
        TRY(long_option(std::string_view(arg).substr(2)));
      } else {
        TRY(short_options(std::string_view(arg).substr(1)));
      }
      if (parsed_.help) return std::move(parsed_);
    }
    for (; next_ < args_.size(); ++next_) parsed_.positional.push_back(args_[next_]);
    return std::move(parsed_);
  }

 private:
  Status long_option(std::string_view text) {
    if (text.empty() || text[0] == '-' || text[0] == '=')
      return fault(concat("bad flag syntax: --", text));
    auto parts = split_once(text, '=');
    std::string_view name = parts ? parts->first : text;
    Found found = find_long(tables_, name);
    if (found.row == nullptr) {
      if (name == "help") {
        parsed_.help = true;
        return {};
      }
      std::string message = concat("unknown flag: --", name);
      if (std::string_view near = nearest_option(tables_, name); !near.empty())
        message += concat("\nDid you mean --", near, "?");
      return fault(std::move(message));
    }
    if (found.row->refused())
      return refuse(*found.row, parts ? std::optional(parts->second) : std::nullopt);
    if (parts) return set(found, parts->second);
    if (const char* value = no_value(*found.row)) return set(found, value);
    if (next_ >= args_.size()) return fault(concat("flag needs an argument: --", name));
    return set(found, args_[next_++]);
  }

  Status short_options(std::string_view cluster) {
    std::string_view rest = cluster;
    while (!rest.empty()) {
      char c = rest[0];
      Found found = find_short(tables_, c);
      if (found.row == nullptr) {
        if (c == 'h') {
          parsed_.help = true;
          return {};
        }
        return fault(concat("unknown shorthand flag: '", c, "' in -", rest));
      }
      if (found.row->refused()) {
        bool joined = rest.size() > 1 && found.row->extra.no_value == nullptr;
        return refuse(*found.row, joined ? std::optional(rest.substr(1)) : std::nullopt);
      }
      if (rest.size() > 2 && rest[1] == '=') return set(found, rest.substr(2));
      if (const char* value = no_value(*found.row)) {
        TRY(set(found, value));
        rest.remove_prefix(1);
        continue;
      }
      if (rest.size() > 1) return set(found, rest.substr(1));
      if (next_ >= args_.size())
        return fault(concat("flag needs an argument: '", c, "' in -", rest));
      return set(found, args_[next_++]);
    }
    return {};
  }

  static const char* no_value(const OptionInfo& row) {
    if (row.extra.no_value != nullptr) return row.extra.no_value;
    return row.type->boolean ? "true" : nullptr;
  }

  // The error, unless its value asks for nothing.
  Status refuse(const OptionInfo& row, std::optional<std::string_view> value) {
    Error refusal(Errc::unsupported, concat(shown_name(row), ": not supported yet: ", row.help));
    if (row.extra.harmless == nullptr) return refusal;
    if (!value && row.extra.no_value != nullptr) return refusal;
    if (!value) {
      if (next_ >= args_.size()) return refusal;
      value = args_[next_++];
    }
    if (row.extra.no_value != nullptr) return parse_bool(*value) == false ? Status() : refusal;
    for (std::string_view harmless : split(row.extra.harmless, ','))
      if (*value == harmless) return {};
    return value->empty() ? Status() : refusal;
  }

  Status set(const Found& found, std::string_view value) {
    bool again = parsed_.is_changed(found.row->name);
    if (Status status = found.row->type->set(found.field, value, found.row->extra.csv, again);
        !status)
      return fault(concat("invalid argument ", quote(value), " for ", quote(shown_name(*found.row)),
                          " flag: ", status.error().message()));
    if (!again) parsed_.changed.push_back(found.row->name);
    return {};
  }

  std::span<const BoundTable> tables_;
  std::span<const std::string> args_;
  ParseRules rules_;
  std::size_t next_ = 0;
  ParsedOptions parsed_;
};

}  // namespace

bool ParsedOptions::is_changed(std::string_view name) const {
  return std::find(changed.begin(), changed.end(), name) != changed.end();
}

Result<ParsedOptions> parse_options(std::span<const BoundTable> tables,
                                    std::span<const std::string> args, ParseRules rules) {
  return Parser(tables, args, rules).run();
}

std::string_view nearest_option(std::span<const BoundTable> tables, std::string_view name) {
  std::string_view nearest;
  std::size_t best = name.size() < 4 ? 2 : 3;  // one or two slips
  for (const BoundTable& bound : tables) {
    for (std::size_t i = 0; i < bound.table.count; ++i) {
      const OptionInfo& row = bound.table.row(i);
      if (row.extra.hidden || row.refused()) continue;
      std::size_t distance = edit_distance(name, row.name);
      if (name.size() > 2 && std::string_view(row.name).starts_with(name)) distance = 1;
      if (distance >= best) continue;
      best = distance;
      nearest = row.name;
    }
  }
  return nearest;
}

OptionText option_text(const OptionInfo& row) {
  OptionText text{row.help, ""};
  if (row.refused()) return text;
  std::size_t open = text.help.find('`');
  std::size_t close = open == std::string::npos ? open : text.help.find('`', open + 1);
  if (close != std::string::npos) {
    text.value_name = text.help.substr(open + 1, close - open - 1);
    text.help.erase(close, 1).erase(open, 1);
  } else {
    text.value_name = row.type->list && row.extra.csv ? "strings" : row.type->name;
  }
  if (row.extra.value_name != nullptr) text.value_name = row.extra.value_name;
  return text;
}

std::string option_default(const OptionInfo& row, const void* field) {
  if (row.refused()) return "";
  if (row.extra.shown_default != nullptr) return row.extra.shown_default;
  return row.type->default_text(field);
}

std::string option_usages(std::span<const BoundTable> tables) {
  struct Line {
    std::string_view name;
    std::string left;
    std::string right;
  };
  std::vector<Line> lines;
  std::size_t width = 0;
  for (const BoundTable& bound : tables) {
    for (std::size_t i = 0; i < bound.table.count; ++i) {
      const OptionInfo& row = bound.table.row(i);
      if (row.extra.hidden || row.refused()) continue;
      OptionText text = option_text(row);
      Line line{row.name, "", std::move(text.help)};
      line.left = row.shorthand != 0 ? concat("  -", row.shorthand, ", --", row.name)
                                     : concat("      --", row.name);
      if (!text.value_name.empty()) line.left += concat(" ", text.value_name);
      if (row.extra.no_value != nullptr && !row.type->boolean)
        line.left += concat("[=", quote(row.extra.no_value), "]");
      if (std::string shown = option_default(row, bound.table.field(row, bound.options));
          !shown.empty())
        line.right += concat(" (default ", shown, ")");
      width = std::max(width, line.left.size());
      lines.push_back(std::move(line));
    }
  }
  std::sort(lines.begin(), lines.end(),
            [](const Line& a, const Line& b) { return a.name < b.name; });
  std::string out;
  for (const Line& line : lines) {
    out += line.left;
    out.append(width - line.left.size() + 3, ' ');
    for (char c : line.right) {
      out += c;
      if (c == '\n') out.append(width + 3, ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace minke::cli
