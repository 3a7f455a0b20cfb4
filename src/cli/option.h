// Option tables, read by pflag's rules (the texts of faults are pflag's and Go's). A command has an
// options struct and a constexpr table of rows; help, man page, completion and "did you mean" come
// from the same rows.
//
//   struct RmOptions { bool all = false; std::optional<std::uint64_t> time;
//   std::vector<std::string> filter; }; constexpr Option<RmOptions> kOptions[] = {
//       {"all", 'a', &RmOptions::all, "Remove all containers"},
//       {"time", 't', &RmOptions::time, "`Seconds` to wait for stop", {.shown_default = "10"}},
//       {"filter", 0, &RmOptions::filter, "Filter output", {.csv = true}},
//       {"publish", 'p', refused, "comes with networks"},
//   };
// The type of the field is the type of the value; std::optional tells whether it was given. A word
// in `backquotes` in the help text names the value.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::cli {

// A Go duration ("1h30m") as the value of an option.
struct Duration {
  std::int64_t ns = 0;
};

struct OptionExtra {
  const char* alias = nullptr;          // second long name, not shown
  const char* no_value = nullptr;       // value when the option stands alone (pflag's NoOptDefVal)
  const char* value_name = nullptr;     // in help; else the backquoted word or the type
  const char* shown_default = nullptr;  // in help; else the field's own, unless empty
  bool csv = false;                     // lists: a value is split at commas (pflag's StringSlice)
  bool hidden = false;
  // Of a refused option: the values, by comma, that ask for nothing and so pass; an empty one
  // always does. With `no_value` it is a boolean, and false passes.
  const char* harmless = nullptr;
};

// What the parser and the help need to know about a field's type.
struct FieldType {
  const char* name;  // "string", "int", ...; "" for a boolean
  bool boolean;
  bool list;
  // `again`: not the first value of a list. The error is the bare reason.
  Status (*set)(void* field, std::string_view value, bool csv, bool again);
  std::string (*default_text)(const void* field);  // as pflag shows it; "" for an empty one
};
template <typename F>
struct FieldTypeOf {
  static const FieldType value;
};
// Every type that an option can have (option_types.cc).
// The formatter would take these for declarations.
// clang-format off
#define MINKE_OPTION_TYPES(X)     \
  X(bool)                         \
  X(std::string)                  \
  X(std::int32_t)                 \
  X(std::int64_t)                 \
  X(std::uint32_t)                \
  X(std::uint64_t)                \
  X(double)                       \
  X(Duration)                     \
  X(std::vector<std::string>)     \
  X(std::optional<bool>)          \
  X(std::optional<std::string>)   \
  X(std::optional<std::int32_t>)  \
  X(std::optional<std::int64_t>)  \
  X(std::optional<std::uint32_t>) \
  X(std::optional<std::uint64_t>) \
  X(std::optional<double>)        \
  X(std::optional<Duration>)      \
  X(std::optional<std::vector<std::string>>)
// clang-format on
#define MINKE_DECLARE_FIELD_TYPE(F) \
  template <>                       \
  const FieldType FieldTypeOf<F>::value;
MINKE_OPTION_TYPES(MINKE_DECLARE_FIELD_TYPE)
#undef MINKE_DECLARE_FIELD_TYPE

struct Refused {};
inline constexpr Refused refused;  // an option that is known and not supported: the text says why

// The part of a row that does not depend on the options struct.
struct OptionInfo {
  const char* name;
  char shorthand;         // 0: none
  const FieldType* type;  // null: refused
  const char* help;       // of a refused one: the reason
  OptionExtra extra;

  bool refused() const { return type == nullptr; }
};

namespace detail {
// A pointer to a member of one of the listed types: constexpr, and all of the size of an offset.
template <typename S, typename... F>
union Member {
  constexpr Member() : none(0) {}
  std::ptrdiff_t none;
};
template <typename S, typename F, typename... Rest>
union Member<S, F, Rest...> {
  constexpr Member(F S::*member) : head(member) {}  // NOLINT: implicit on purpose
  template <typename G>
  constexpr Member(G S::*member) : tail(member) {}  // NOLINT
  constexpr Member() : tail() {}
  F S::*head;
  Member<S, Rest...> tail;
};
template <typename S>
using AnyMember =
    Member<S, bool, std::string, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t, double,
           Duration, std::vector<std::string>, std::optional<bool>, std::optional<std::string>,
           std::optional<std::int32_t>, std::optional<std::int64_t>, std::optional<std::uint32_t>,
           std::optional<std::uint64_t>, std::optional<double>, std::optional<Duration>,
           std::optional<std::vector<std::string>>>;
}  // namespace detail

template <typename S>
struct Option : OptionInfo {
  template <typename F, typename B>
  requires std::derived_from<S, B>
  constexpr Option(const char* long_name, char short_name, F B::*field, const char* text,
                   OptionExtra more = {})
      : OptionInfo{long_name, short_name, &FieldTypeOf<F>::value, text, more},
        member(static_cast<F S::*>(field)) {}
  constexpr Option(const char* long_name, char short_name, Refused, const char* reason,
                   OptionExtra more = {})
      : OptionInfo{long_name, short_name, nullptr, reason, more}, member() {}

  detail::AnyMember<S> member;
};

// The rows of one struct, without its type.
struct OptionTable {
  const OptionInfo* first;
  std::size_t count;
  std::size_t stride;
  void* (*field)(const OptionInfo& row, void* options);

  const OptionInfo& row(std::size_t i) const {
    return *reinterpret_cast<const OptionInfo*>(reinterpret_cast<const char*>(first) + i * stride);
  }
};

// `S` is the command's struct, `B` the one that the rows are about: S itself or a base of it.
template <typename S, typename B, std::size_t N>
requires std::derived_from<S, B>
constexpr OptionTable option_table(const Option<B> (&rows)[N]) {
  return {rows, N, sizeof(Option<B>), [](const OptionInfo& row, void* options) -> void* {
            // A pointer to a data member is its offset (Itanium C++ ABI, which every Linux
            // follows).
            std::ptrdiff_t offset = 0;
            static_assert(sizeof(detail::AnyMember<B>) == sizeof offset);
            std::memcpy(&offset, &static_cast<const Option<B>&>(row).member, sizeof offset);
            return reinterpret_cast<char*>(static_cast<B*>(static_cast<S*>(options))) + offset;
          }};
}

// A table and the object that it fills.
struct BoundTable {
  OptionTable table;
  void* options = nullptr;
  bool shorthands = true;  // global options after the command's name have only their long names
};

struct ParsedOptions {
  std::vector<std::string> positional;
  std::vector<std::string_view> changed;  // long names, each once
  bool help = false;                      // --help, or -h where the command has no -h of its own
  bool is_changed(std::string_view name) const;
};

struct ParseRules {
  bool interspersed =
      true;  // false: options end at the first positional argument (run, create, exec)
};

// Fills the objects. Errors: invalid_argument with pflag's texts; unsupported for a refused option.
Result<ParsedOptions> parse_options(std::span<const BoundTable> tables,
                                    std::span<const std::string> args, ParseRules rules = {});

// The nearest long name for the "did you mean" line; "" when none is near.
std::string_view nearest_option(std::span<const BoundTable> tables, std::string_view name);

// pflag's FlagUsages: one line for each visible row, sorted by name, aligned, help text indented.
// The objects hold the defaults.
std::string option_usages(std::span<const BoundTable> tables);

// Help text without the backquotes, and the name of the value ("" for a boolean).
struct OptionText {
  std::string help;
  std::string value_name;
};
OptionText option_text(const OptionInfo& row);
// The default as help shows it ("" when there is nothing to show).
std::string option_default(const OptionInfo& row, const void* field);

// encoding/csv for one record: what --filter and other comma lists are split by.
Result<std::vector<std::string>> split_csv(std::string_view text);

}  // namespace minke::cli
