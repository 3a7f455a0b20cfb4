// Shared by the parser, the evaluator and the functions of gotemplate; not for other modules.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/gotemplate.h"

namespace minke::gotemplate {

// ---- the parsed form; views point into Tree::text ----

struct Pipe;

struct Operand {
  enum class Kind : std::uint8_t { dot, nil, field, variable, function, constant, pipe };
  Kind kind = Kind::dot;
  std::size_t pos = 0;  // where errors point to
  std::string_view source;
  std::string_view name;                // function, variable
  std::vector<std::string_view> chain;  // field names that follow
  json::Value constant;
  std::unique_ptr<Pipe> pipe;
};

struct Command {
  std::size_t pos = 0;
  std::string_view source;
  std::vector<Operand> args;  // at least one
};

struct Pipe {
  std::vector<std::string_view> variables;
  bool assign = false;  // `=` instead of `:=`
  std::vector<Command> commands;
  std::size_t pos = 0;
  std::string_view source;
};

struct Node {
  enum class Kind : std::uint8_t { text, action, if_, range, with, break_, continue_ };
  Kind kind = Kind::text;
  std::string_view text;
  Pipe pipe;
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

struct Tree {
  std::string name;
  std::string text;
  std::vector<Node> nodes;
};

// True when `name` is a function that templates may call.
bool is_function(std::string_view name);

// ---- values while executing ----

struct Item {
  std::shared_ptr<const json::Value> value;  // none: Go's invalid value, printed "<no value>"
  FieldKind kind = FieldKind::any;
  std::string path;

  static Item missing() { return {}; }
  static Item made(json::Value v) {
    return {std::make_shared<const json::Value>(std::move(v)), FieldKind::any, "?"};
  }
  static Item view(const json::Value& v, FieldKind kind, std::string path) {
    return {std::shared_ptr<const json::Value>(std::shared_ptr<void>(), &v), kind, std::move(path)};
  }
  bool valid() const { return value != nullptr; }
  bool null() const { return !value || value->is_null(); }
  bool is_map() const { return kind == FieldKind::map; }
};

// Looks up kinds; made per execution.
class Shapes {
 public:
  explicit Shapes(const Shape& shape) : shape_(shape) {}
  FieldKind kind_of(std::string_view path) const;
  bool known(std::string_view path) const;
  std::string_view root_type() const { return shape_.type_name; }
  // A field of a struct, with the name that it has in JSON; null when there is none.
  const std::pair<std::string, json::Value>* find(const json::Object& object,
                                                  std::string_view name) const;
  Item member(const Item& of, std::string_view name, const json::Value& value) const;
  Item element(const Item& of, const json::Value& value) const;
  Item zero(const Item& of, std::string_view name) const;  // only when known()

 private:
  static std::string path_of(const Item& of, std::string_view name);
  const Shape& shape_;
};

// Members of a map in the order of their keys, as Go ranges and prints them.
std::vector<const std::pair<std::string, json::Value>*> sorted_members(const json::Object& object);

bool is_true(const Item& item);
std::string type_text(const Item& item, const Shapes& shapes);

// ---- printing (gotemplate_print.cc) ----

// Text with a bound: what goes beyond is dropped and remembered.
class BoundedText {
 public:
  explicit BoundedText(std::size_t max) : max_(max) {}
  void add(std::string_view piece) {
    if (piece.size() > max_ - text_.size())
      overflow_ = true;
    else
      text_ += piece;
  }
  void add(std::size_t count, char c) {
    if (count > max_ - text_.size())
      overflow_ = true;
    else
      text_.append(count, c);
  }
  bool overflow() const { return overflow_; }
  std::string& text() { return text_; }

 private:
  std::string text_;
  std::size_t max_;
  bool overflow_ = false;
};

struct FormatSpec {
  char verb = 'v';
  bool minus = false, plus = false, sharp = false, space = false, zero = false;
  bool plus_v = false;  // %+v: structs with the names of their fields
  int width = -1;
  int precision = -1;
};

// One value by one verb of fmt ('v' for print).
void print_item(const Item& item, const FormatSpec& spec, const Shapes& shapes, BoundedText& out);
// fmt.Sprint, Sprintln, Sprintf of the items.
void sprint(std::span<const Item> items, const Shapes& shapes, BoundedText& out);
void sprintln(std::span<const Item> items, const Shapes& shapes, BoundedText& out);
void sprintf_items(std::string_view format, std::span<const Item> items, const Shapes& shapes,
                   BoundedText& out);
std::string quoted_go(std::string_view text);
std::size_t decode_rune(std::string_view text, char32_t* rune);  // bytes read; U+FFFD for a bad one
void append_rune(char32_t rune, std::string& out);

// ---- functions (gotemplate_funcs.cc) ----

// Calls a function that evaluates all its arguments (not `and`, `or`). Errors have no place in
// them.
Result<Item> call_function(std::string_view name, std::span<const Item> args, const Shapes& shapes,
                           std::size_t max_text);

}  // namespace minke::gotemplate
