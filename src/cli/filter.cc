#include "cli/filter.h"

#include <regex.h>

#include <algorithm>

#include "base/str.h"

namespace minke::cli {

Result<std::vector<Filter>> parse_filters(std::span<const std::string> texts) {
  std::vector<Filter> filters;
  for (const std::string& text : texts) {
    auto parts = split_once(text, '=');
    if (!parts || parts->first.empty())
      return Error(
          Errc::invalid_argument,
          concat("filter input must be in the form of filter=value: ", text, " is invalid"));
    filters.push_back({std::string(parts->first), std::string(parts->second)});
  }
  return filters;
}

std::vector<std::string_view> filter_values(std::span<const Filter> filters, std::string_view key) {
  std::vector<std::string_view> values;
  for (const Filter& filter : filters)
    if (filter.key == key) values.push_back(filter.value);
  return values;
}

Status check_filters(std::span<const Filter> filters, std::initializer_list<std::string_view> known,
                     std::string_view what) {
  for (const Filter& filter : filters)
    if (std::find(known.begin(), known.end(), filter.key) == known.end())
      return Error(Errc::invalid_argument,
                   concat(quote(filter.key), " is an invalid ", what, " filter"));
  return {};
}

bool any_value(std::span<const Filter> filters, std::string_view key,
               const std::function<bool(std::string_view value)>& matches) {
  bool asked = false;
  for (const Filter& filter : filters) {
    if (filter.key != key) continue;
    asked = true;
    if (matches(filter.value)) return true;
  }
  return !asked;
}

struct Pattern::Compiled {
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    if (ready) ::regfree(&regex);
  }
  regex_t regex = {};
  bool ready = false;
};

Result<Pattern> Pattern::compile(std::string_view key, std::string_view text) {
  auto compiled = std::make_shared<Compiled>();
  int fault = ::regcomp(&compiled->regex, std::string(text).c_str(), REG_EXTENDED | REG_NOSUB);
  if (fault != 0) {
    char reason[128];
    ::regerror(fault, &compiled->regex, reason, sizeof reason);
    return Error(Errc::invalid_argument, concat("invalid value for filter ", quote(key), ": ",
                                                quote(text), ": ", std::string_view(reason)));
  }
  compiled->ready = true;
  return Pattern(std::move(compiled));
}

bool Pattern::found_in(const std::string& text) const {
  return ::regexec(&compiled_->regex, text.c_str(), 0, nullptr, 0) == 0;
}

Result<std::vector<Pattern>> filter_patterns(std::span<const Filter> filters,
                                             std::string_view key) {
  std::vector<Pattern> patterns;
  for (std::string_view value : filter_values(filters, key))
    patterns.push_back(TRY(Pattern::compile(key, value)));
  return patterns;
}

bool any_pattern(std::span<const Pattern> patterns, const std::string& text) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [&](const Pattern& p) { return p.found_in(text); });
}

namespace {

bool has_label(std::string_view text, const std::map<std::string, std::string>& labels) {
  auto parts = split_once(text, '=');
  auto found = labels.find(std::string(parts ? parts->first : text));
  if (found == labels.end()) return false;
  return !parts || parts->second.empty() || found->second == parts->second;
}

}  // namespace

bool labels_match(std::span<const Filter> filters,
                  const std::map<std::string, std::string>& labels) {
  return std::all_of(filters.begin(), filters.end(), [&](const Filter& filter) {
    if (filter.key == "label") return has_label(filter.value, labels);
    if (filter.key == "label!") return !has_label(filter.value, labels);
    return true;
  });
}

Result<TimeNs> filter_time(std::string_view key, std::string_view value) {
  auto time = parse_timestamp(value, now());
  if (!time)
    return Error(Errc::invalid_argument, concat("invalid value for filter ", quote(key), ": ",
                                                quote(value), " is no time"));
  return *time;
}

Result<bool> filter_bool(std::string_view key, std::string_view value) {
  auto truth = parse_bool(value);
  if (!truth)
    return Error(Errc::invalid_argument, concat("invalid value for filter ", quote(key), ": ",
                                                quote(value), " is neither true nor false"));
  return *truth;
}

}  // namespace minke::cli
