// The functions that templates may call: Go's own, and those of Podman and Docker.
#include <algorithm>
#include <array>
#include <cctype>

#include "base/str.h"
#include "codec/gotemplate_internal.h"

namespace minke::gotemplate {
namespace {

struct Call {
  std::string_view name;
  std::span<const Item> args;
  const Shapes& shapes;
  std::size_t max_text;

  const json::Value* value(std::size_t i) const { return args[i].value.get(); }
  Error fault(std::string_view what) const {
    return Error(Errc::invalid_argument, concat("error calling ", name, ": ", what));
  }
  Result<Item> text(std::string piece) const {
    if (piece.size() > max_text) return fault("the text grows too long");
    return Item::made(std::move(piece));
  }
  Result<Item> text(BoundedText& piece) const {
    if (piece.overflow()) return fault("the text grows too long");
    return Item::made(std::move(piece.text()));
  }
  Result<std::string_view> string_arg(std::size_t i) const {
    if (args[i].valid())
      if (const std::string* text = value(i)->as_string()) return std::string_view(*text);
    return wrong_type("string", i);
  }
  Result<std::int64_t> int_arg(std::size_t i) const {
    if (args[i].valid())
      if (const std::int64_t* number = value(i)->as_int()) return *number;
    return wrong_type("int", i);
  }
  Error wrong_type(std::string_view want, std::size_t i) const {
    if (!args[i].valid())
      return Error(Errc::invalid_argument, concat("invalid value; expected ", want));
    return Error(Errc::invalid_argument, concat("wrong type for value; expected ", want, "; got ",
                                                type_text(args[i], shapes)));
  }
};

// ---- comparisons ----

enum class Basic : std::uint8_t { boolean, integer, real, text, null, none };

Basic basic_kind(const Item& item) {
  if (item.null()) return Basic::null;
  const json::Value& value = *item.value;
  if (value.as_bool() != nullptr) return Basic::boolean;
  if (value.as_int() != nullptr || value.as_uint() != nullptr) return Basic::integer;
  if (value.as_double() != nullptr) return Basic::real;
  if (value.as_string() != nullptr) return Basic::text;
  return Basic::none;
}

int compare_integers(const json::Value& a, const json::Value& b) {
  // What does not fit in a signed number is larger than all that does.
  if ((a.as_uint() != nullptr) != (b.as_uint() != nullptr)) return a.as_uint() != nullptr ? 1 : -1;
  if (a.as_uint() != nullptr) return *a.as_uint() < *b.as_uint() ? -1 : *a.as_uint() > *b.as_uint();
  return *a.as_int() < *b.as_int() ? -1 : *a.as_int() > *b.as_int();
}

// -1, 0, 1; an error when the kinds do not compare.
Result<int> compare(const Call& call, const Item& a, const Item& b, bool order) {
  Basic kind = basic_kind(a);
  Basic other = basic_kind(b);
  if (!order && (kind == Basic::null || other == Basic::null)) return kind == other ? 0 : 1;
  if (kind == Basic::none || other == Basic::none)
    return call.fault("non-comparable type " + type_text(kind == Basic::none ? a : b, call.shapes));
  if (kind == Basic::null || other == Basic::null) return call.fault("invalid type for comparison");
  if (kind != other) return call.fault("incompatible types for comparison");
  switch (kind) {
    case Basic::boolean:
      if (order) return call.fault("invalid type for comparison");
      return *a.value->as_bool() == *b.value->as_bool() ? 0 : 1;
    case Basic::integer:
      return compare_integers(*a.value, *b.value);
    case Basic::real: {
      double x = *a.value->as_double();
      double y = *b.value->as_double();
      return x < y ? -1 : x == y ? 0 : 1;
    }
    default: {
      int result = a.value->as_string()->compare(*b.value->as_string());
      return result < 0 ? -1 : result > 0;
    }
  }
}

Result<Item> eq(const Call& call) {
  if (call.args.size() < 2) return call.fault("missing argument for comparison");
  for (const Item& other : call.args.subspan(1)) {
    int result = TRY(compare(call, call.args[0], other, false));
    if (result == 0) return Item::made(true);
  }
  return Item::made(false);
}
Result<Item> ne(const Call& call) {
  int result = TRY(compare(call, call.args[0], call.args[1], false));
  return Item::made(result != 0);
}
Result<Item> lt(const Call& call) {
  int result = TRY(compare(call, call.args[0], call.args[1], true));
  return Item::made(result < 0);
}
Result<Item> le(const Call& call) {
  int result = TRY(compare(call, call.args[0], call.args[1], true));
  return Item::made(result <= 0);
}
Result<Item> gt(const Call& call) {
  int result = TRY(compare(call, call.args[0], call.args[1], true));
  return Item::made(result > 0);
}
Result<Item> ge(const Call& call) {
  int result = TRY(compare(call, call.args[0], call.args[1], true));
  return Item::made(result >= 0);
}

// ---- collections ----

Result<Item> not_(const Call& call) { return Item::made(!is_true(call.args[0])); }

Result<Item> len(const Call& call) {
  const Item& item = call.args[0];
  if (!item.valid()) return call.fault("len of nil pointer");
  if (const std::string* text = item.value->as_string())
    return Item::made(static_cast<std::int64_t>(text->size()));
  if (const json::Array* array = item.value->as_array())
    return Item::made(static_cast<std::int64_t>(array->size()));
  if (const json::Object* object = item.value->as_object(); object != nullptr && item.is_map())
    return Item::made(static_cast<std::int64_t>(object->size()));
  if (item.null() && (item.kind == FieldKind::map || item.kind == FieldKind::list))
    return Item::made(0);
  if (item.null()) return call.fault("len of nil pointer");
  return call.fault(concat("len of type ", type_text(item, call.shapes)));
}

// An index or a bound within 0..limit.
Result<std::size_t> position(const Call& call, std::size_t i, std::size_t limit) {
  if (!call.args[i].valid() || call.value(i)->is_null())
    return call.fault("cannot index slice/array with nil");
  const std::int64_t* number = call.value(i)->as_int();
  if (number == nullptr)
    return call.fault(
        concat("cannot index slice/array with type ", type_text(call.args[i], call.shapes)));
  if (*number < 0 || static_cast<std::uint64_t>(*number) > limit)
    return call.fault(concat("index out of range: ", *number));
  return static_cast<std::size_t>(*number);
}

// The zero value of a map's elements, which is known only from what stands in it.
Item element_zero(const Item& item, const json::Object* object) {
  if (object == nullptr || object->empty() || object->begin()->second.as_string() != nullptr)
    return Item::made("");
  const json::Value& sample = object->begin()->second;
  if (sample.as_bool() != nullptr) return Item::made(false);
  if (sample.is_number()) return Item::made(0);
  static const json::Value null;
  return Item::view(null, sample.as_array() != nullptr ? FieldKind::list : FieldKind::pointer,
                    item.path + ".*");
}

Result<Item> index(const Call& call) {
  Item item = call.args[0];
  if (!item.valid()) return call.fault("index of untyped nil");
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    // Indexing further keeps the container alive: element views point into it.
    std::shared_ptr<const json::Value> owner = item.value;
    auto keep = [&](Item found) {
      if (owner.use_count() > 0)
        found.value = std::shared_ptr<const json::Value>(owner, found.value.get());
      return found;
    };
    if (const json::Array* array = item.value->as_array()) {
      if (array->empty()) {
        TRY(position(call, i, SIZE_MAX >> 1));
        return call.fault(concat("index out of range: ", *call.value(i)->as_int()));
      }
      std::size_t at = TRY(position(call, i, array->size() - 1));
      item = keep(call.shapes.element(item, (*array)[at]));
    } else if (const std::string* text = item.value->as_string()) {
      if (text->empty()) return call.fault("index out of range");
      std::size_t at = TRY(position(call, i, text->size() - 1));
      item = Item::made(static_cast<std::int64_t>(static_cast<unsigned char>((*text)[at])));
    } else if (item.is_map()) {
      std::string_view key = TRY(call.string_arg(i));
      const json::Object* object = item.value->as_object();
      const json::Value* found = object != nullptr ? object->find(key) : nullptr;
      item = found != nullptr ? keep(call.shapes.member(item, key, *found))
                              : element_zero(item, object);
    } else if (item.null()) {
      if (item.kind != FieldKind::list) return call.fault("index of nil pointer");
      std::int64_t at = TRY(call.int_arg(i));
      return call.fault(concat("index out of range: ", at));
    } else {
      return call.fault(concat("can't index item of type ", type_text(item, call.shapes)));
    }
  }
  return item;
}

Result<Item> slice(const Call& call) {
  const Item& item = call.args[0];
  if (!item.valid()) return call.fault("slice of untyped nil");
  if (call.args.size() > 4)
    return call.fault(concat("too many slice indexes: ", call.args.size() - 1));
  const std::string* text = item.value->as_string();
  const json::Array* array = item.value->as_array();
  if (text == nullptr && array == nullptr)
    return call.fault(concat("can't slice item of type ", type_text(item, call.shapes)));
  if (text != nullptr && call.args.size() == 4) return call.fault("cannot 3-index slice a string");
  std::size_t size = text != nullptr ? text->size() : array->size();
  std::array<std::size_t, 3> bound = {0, size, size};
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    auto at = position(call, i, size);
    if (!at) return std::move(at.error());
    bound[i - 1] = *at;
  }
  if (bound[0] > bound[1])
    return call.fault(concat("invalid slice index: ", bound[0], " > ", bound[1]));
  if (bound[1] > bound[2])
    return call.fault(concat("invalid slice index: ", bound[1], " > ", bound[2]));
  if (text != nullptr) return call.text(text->substr(bound[0], bound[1] - bound[0]));
  json::Array part(array->begin() + static_cast<std::ptrdiff_t>(bound[0]),
                   array->begin() + static_cast<std::ptrdiff_t>(bound[1]));
  Item made = Item::made(std::move(part));
  made.kind = item.kind;
  made.path = item.path;
  return made;
}

// ---- text ----

Result<Item> print(const Call& call) {
  BoundedText out(call.max_text);
  sprint(call.args, call.shapes, out);
  return call.text(out);
}
Result<Item> println(const Call& call) {
  BoundedText out(call.max_text);
  sprintln(call.args, call.shapes, out);
  return call.text(out);
}
Result<Item> printf_(const Call& call) {
  std::string_view format = TRY(call.string_arg(0));
  BoundedText out(call.max_text);
  sprintf_items(format, call.args.subspan(1), call.shapes, out);
  return call.text(out);
}

// The arguments as one text: the string itself, or as print would.
Result<std::string> evaluated(const Call& call) {
  if (call.args.size() == 1 && call.args[0].valid())
    if (const std::string* text = call.value(0)->as_string()) return *text;
  BoundedText out(call.max_text);
  sprint(call.args, call.shapes, out);
  if (out.overflow()) return call.fault("the text grows too long");
  return std::move(out.text());
}

Result<Item> html(const Call& call) {
  std::string text = TRY(evaluated(call));
  std::string out;
  for (char c : text) {
    switch (c) {
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\0':
        out += "\uFFFD";
        break;
      default:
        out += c;
    }
  }
  return call.text(std::move(out));
}

Result<Item> js(const Call& call) {
  std::string text = TRY(evaluated(call));
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '\'' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '<' || c == '>' || c == '&' || c == '=' ||
               static_cast<unsigned char>(c) < 0x20) {
      out += minke::format("\\u%04X", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return call.text(std::move(out));
}

Result<Item> urlquery(const Call& call) {
  std::string text = TRY(evaluated(call));
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~'))
      out += c;
    else if (c == ' ')
      out += '+';
    else
      out += minke::format("%%%02X", byte);
  }
  return call.text(std::move(out));
}

Result<Item> json_(const Call& call) {
  if (!call.args[0].valid()) return Item::made("null");
  return call.text(json::dump(*call.value(0)));
}

Result<Item> join(const Call& call) {
  const json::Array* pieces = call.args[0].valid() ? call.value(0)->as_array() : nullptr;
  if (pieces == nullptr && !(call.args[0].valid() && call.args[0].null()))
    return call.wrong_type("[]string", 0);
  std::string_view separator = TRY(call.string_arg(1));
  BoundedText out(call.max_text);
  for (std::size_t i = 0; pieces != nullptr && i < pieces->size(); ++i) {
    if (i > 0) out.add(separator);
    print_item(call.shapes.element(call.args[0], (*pieces)[i]), FormatSpec{}, call.shapes, out);
  }
  return call.text(out);
}

Result<Item> split_(const Call& call) {
  constexpr std::size_t kMaxPieces = 1'000'000;
  std::string_view text = TRY(call.string_arg(0));
  std::string_view separator = TRY(call.string_arg(1));
  json::Array pieces;
  while (pieces.size() < kMaxPieces) {
    // An empty separator splits between characters.
    char32_t rune = 0;
    std::size_t end = separator.empty() ? decode_rune(text, &rune) : text.find(separator);
    if (separator.empty() && text.empty()) return Item::made(std::move(pieces));
    pieces.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return Item::made(std::move(pieces));
    text.remove_prefix(end + separator.size());
  }
  return call.fault("too many pieces");
}

Result<Item> lower(const Call& call) {
  std::string_view text = TRY(call.string_arg(0));
  return call.text(to_lower(text));
}
Result<Item> upper(const Call& call) {
  std::string_view text = TRY(call.string_arg(0));
  return call.text(to_upper(text));
}
Result<Item> title(const Call& call) {
  std::string_view text = TRY(call.string_arg(0));
  std::string out(text);
  bool start = true;
  for (char& c : out) {
    auto byte = static_cast<unsigned char>(c);
    if (start && byte < 0x80) c = static_cast<char>(std::toupper(byte));
    start = byte < 0x80 && std::isalnum(byte) == 0 && c != '_';
  }
  return call.text(std::move(out));
}

// Blanks before and after a text that is not empty.
Result<Item> pad(const Call& call) {
  std::string_view text = TRY(call.string_arg(0));
  std::int64_t before = TRY(call.int_arg(1));
  std::int64_t after = TRY(call.int_arg(2));
  BoundedText out(call.max_text);
  if (!text.empty()) {
    if (before < 0 || after < 0) return call.fault("strings: negative Repeat count");
    out.add(static_cast<std::size_t>(before), ' ');
    out.add(text);
    out.add(static_cast<std::size_t>(after), ' ');
  }
  return call.text(out);
}

Result<Item> truncate(const Call& call) {
  std::string_view text = TRY(call.string_arg(0));
  std::int64_t size = TRY(call.int_arg(1));
  if (size < 0) return call.fault("negative length");
  return call.text(std::string(text.substr(0, static_cast<std::size_t>(size))));
}

struct Function {
  std::string_view name;
  std::size_t min;
  std::size_t max;
  Result<Item> (*run)(const Call&);
};
constexpr std::size_t kAny = SIZE_MAX;
constexpr Function kFunctions[] = {
    {"and", 1, kAny, nullptr},
    {"or", 1, kAny, nullptr},  // evaluated by the executor: they stop early
    {"not", 1, 1, not_},
    {"eq", 1, kAny, eq},
    {"ne", 2, 2, ne},
    {"lt", 2, 2, lt},
    {"le", 2, 2, le},
    {"gt", 2, 2, gt},
    {"ge", 2, 2, ge},
    {"len", 1, 1, len},
    {"index", 1, kAny, index},
    {"slice", 1, kAny, slice},
    {"print", 0, kAny, print},
    {"printf", 1, kAny, printf_},
    {"println", 0, kAny, println},
    {"html", 0, kAny, html},
    {"js", 0, kAny, js},
    {"urlquery", 0, kAny, urlquery},
    {"json", 1, 1, json_},
    {"join", 2, 2, join},
    {"split", 2, 2, split_},
    {"lower", 1, 1, lower},
    {"upper", 1, 1, upper},
    {"title", 1, 1, title},
    {"pad", 3, 3, pad},
    {"truncate", 2, 2, truncate},
};

const Function* find_function(std::string_view name) {
  for (const Function& function : kFunctions)
    if (function.name == name) return &function;
  return nullptr;
}

}  // namespace

bool is_function(std::string_view name) { return find_function(name) != nullptr; }

Result<Item> call_function(std::string_view name, std::span<const Item> args, const Shapes& shapes,
                           std::size_t max_text) {
  const Function* function = find_function(name);
  if (args.size() < function->min || args.size() > function->max) {
    return Error(Errc::invalid_argument, concat("wrong number of args for ", name, ": want ",
                                                function->max == kAny ? "at least " : "",
                                                function->min, " got ", args.size()));
  }
  return function->run(Call{name, args, shapes, max_text});
}

}  // namespace minke::gotemplate
