// --filter: what is asked, and the comparisons that several listings share.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace minke::cli {

struct Filter {
  std::string key;  // "label", "status", ...; "label!" stands for a negated one
  std::string value;
};

// "key=value" and "key!=value" (key "key!"). Errors: `filter input must be in the form of
// filter=value: x is invalid`.
Result<std::vector<Filter>> parse_filters(std::span<const std::string> texts);

// The values of `key`, in order.
std::vector<std::string_view> filter_values(std::span<const Filter> filters, std::string_view key);

// An error for the first key that is none of `known`: `"foo" is an invalid WHAT filter`.
Status check_filters(std::span<const Filter> filters, std::initializer_list<std::string_view> known,
                     std::string_view what);

// Values of one key are alternatives, except labels, which must all hold.
bool any_value(std::span<const Filter> filters, std::string_view key,
               const std::function<bool(std::string_view value)>& matches);

// Where a filter takes a regular expression ("name"): true when it is found anywhere in one of the
// texts; "^web$" for the whole. POSIX extended, which is Go's for what people write here.
class Pattern {
 public:
  // Errors: `invalid value for filter "name": "a(": Unmatched ( or \(`.
  static Result<Pattern> compile(std::string_view key, std::string_view text);
  bool found_in(const std::string& text) const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

// The patterns of every filter of that key.
Result<std::vector<Pattern>> filter_patterns(std::span<const Filter> filters, std::string_view key);
// True when one of them is found, or there are none.
bool any_pattern(std::span<const Pattern> patterns, const std::string& text);

// Every "label" holds ("k" or "k=v") and no "label!" does; true when there are none.
bool labels_match(std::span<const Filter> filters,
                  const std::map<std::string, std::string>& labels);

// "since" and "until" values that are times: RFC 3339, a date, Unix seconds, a duration before now.
Result<TimeNs> filter_time(std::string_view key, std::string_view value);

// "true", "false", "1", "0" and what else Go's ParseBool takes.
Result<bool> filter_bool(std::string_view key, std::string_view value);

}  // namespace minke::cli
