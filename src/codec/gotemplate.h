// Go's text/template over JSON values, as the --format options of Podman and Docker take it.
// Source: the documentation of Go's text/template and fmt; texts of errors are Go's. Not supported,
// and refused by name when parsed: define, template, block, call. Parse once, execute many; no
// system call, no global state.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"

namespace minke::gotemplate {

// What Go's static types know and JSON does not say. An object is a struct (an unknown field is an
// error) unless its path is a `map` here (an unknown key is "<no value>"). A field that JSON leaves
// out when empty is no error when it stands here: it has the zero value of its kind.
enum class FieldKind : std::uint8_t {
  any,
  text,
  number,
  boolean,
  list,
  map,
  pointer,    // absent or null: "<nil>"
  structure,  // absent: an empty struct
  time,       // RFC 3339 text, printed as Go prints a time.Time; has .Unix and .String
  duration,   // nanoseconds, printed as Go prints a time.Duration
};

// `path` is the names from the root joined by '.': members of a map are "*", lists are transparent,
// so "Labels" fits a report and a list of them, "NetworkSettings.Networks.*.IPAMConfig" a field of
// each network.
struct FieldShape {
  std::string_view path;
  FieldKind kind;
};

struct Shape {
  std::string_view type_name = "*entities.Report";  // of the root, for the text of errors
  std::span<const FieldShape> fields = {};
  // Members are found whatever their case, as where Go's CPUs is "cpus" in JSON.
  bool any_case = false;
};

struct Limits {
  std::size_t max_output = 64 << 20;  // bytes written, and of any single text made on the way
  std::uint64_t max_steps = 50'000'000;
};

struct Tree;  // the parsed form

class Template {
 public:
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  // `name` stands in the messages ("template: ps:1: ..."), which are Go's. At most 1 MiB of text.
  static Result<Template> parse(std::string_view text, std::string_view name = "template");
  Result<std::string> execute(const json::Value& data, const Shape& shape = {},
                              const Limits& limits = {}) const;

 private:
  explicit Template(std::unique_ptr<Tree> tree);
  std::unique_ptr<Tree> tree_;
};

}  // namespace minke::gotemplate
