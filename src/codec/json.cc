#include "codec/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>

#include "base/str.h"

namespace minke::json {
namespace {

// Builds a Value from the events of Boost's parser.
struct Builder {
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  using ErrorCode = boost::system::error_code;
  using Text = boost::json::string_view;

  static constexpr std::size_t kSearched = 32;

  struct Open {
    Value value;
    std::string key;  // of the member that is being read
  };
  std::vector<Open> open;
  Value root;
  std::string text;

  bool put(Value value) {
    if (open.empty()) {
      root = std::move(value);
    } else if (Array* array = open.back().value.as_array()) {
      array->push_back(std::move(value));
    } else {
      // A search in each step would take foreign objects of many members hours (CVE-2024-24786).
      Object* object = open.back().value.as_object();
      if (object->size() < kSearched)
        object->set(open.back().key, std::move(value));
      else
        object->append(std::move(open.back().key), std::move(value));
    }
    return true;
  }
  bool close() {
    Value value = std::move(open.back().value);
    open.pop_back();
    return put(std::move(value));
  }
  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode&) {
    open.push_back({Object(), {}});
    return true;
  }
  bool on_object_end(std::size_t, ErrorCode&) {
    Object* object = open.back().value.as_object();
    if (object->size() > kSearched) object->merge_duplicates();
    return close();
  }
  bool on_array_begin(ErrorCode&) {
    open.push_back({Array(), {}});
    return true;
  }
  bool on_array_end(std::size_t, ErrorCode&) { return close(); }
  bool on_key_part(Text part, std::size_t, ErrorCode&) {
    text.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, ErrorCode&) {
    text.append(part.data(), part.size());
    open.back().key = std::move(text);
    text.clear();
    return true;
  }
  bool on_string_part(Text part, std::size_t, ErrorCode&) {
    text.append(part.data(), part.size());
    return true;
  }
  bool on_string(Text part, std::size_t, ErrorCode&) {
    text.append(part.data(), part.size());
    std::string whole = std::move(text);
    text.clear();
    return put(std::move(whole));
  }
  bool on_number_part(Text, ErrorCode&) { return true; }
  bool on_int64(std::int64_t number, Text, ErrorCode&) { return put(number); }
  bool on_uint64(std::uint64_t number, Text, ErrorCode&) { return put(number); }
  bool on_double(double number, Text, ErrorCode&) { return put(number); }
  bool on_bool(bool truth, ErrorCode&) { return put(truth); }
  bool on_null(ErrorCode&) { return put(nullptr); }
  bool on_comment_part(Text, ErrorCode&) { return true; }
  bool on_comment(Text, ErrorCode&) { return true; }
};

std::string place_of(std::string_view text, std::size_t offset) {
  std::string_view before = text.substr(0, std::min(offset, text.size()));
  std::size_t line = 1;
  for (char c : before) line += c == '\n';
  std::size_t last = before.rfind('\n');
  std::size_t column = last == std::string_view::npos ? before.size() + 1 : before.size() - last;
  return concat("line ", line, ", column ", column);
}

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void dump_string(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    // Runs that need no escape are copied whole: most texts are one.
    std::size_t run = 0;
    while (run < text.size() && !needs_escape(text[run])) ++run;
    out.append(text.substr(0, run));
    if (run == text.size()) break;
    char c = text[run];
    text.remove_prefix(run + 1);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += format("\\u%04x", c);
    }
  }
  out += '"';
}

void dump_double(double number, std::string& out) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  // As Go: an exponent only below 1e-6 and from 1e21 on, and without a leading zero.
  double size = std::fabs(number);
  bool scientific = size != 0 && (size < 1e-6 || size >= 1e21);
  char buffer[400];
  auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  std::string_view text(
      buffer, static_cast<std::size_t>(
                  std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr - buffer));
  if (scientific && text[text.size() - 2] == '0' && text[text.size() - 3] == '-') {
    out += text.substr(0, text.size() - 2);
    out += text.back();
  } else {
    out += text;
  }
}

struct Dumper {
  std::string& out;
  int indent;

  void line(int depth) {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent * depth), ' ');
  }
  void write(const Value& value, int depth) {
    if (value.is_null()) {
      out += "null";
    } else if (auto b = value.as_bool()) {
      out += *b ? "true" : "false";
    } else if (auto i = value.as_int()) {
      out += concat(*i);
    } else if (auto u = value.as_uint()) {
      out += concat(*u);
    } else if (auto d = value.as_double()) {
      dump_double(*d, out);
    } else if (auto s = value.as_string()) {
      dump_string(*s, out);
    } else if (auto a = value.as_array()) {
      write_array(*a, depth);
    } else {
      write_object(*value.as_object(), depth);
    }
  }
  void write_array(const Array& array, int depth) {
    out += '[';
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i > 0) out += ',';
      line(depth + 1);
      write(array[i], depth + 1);
    }
    if (!array.empty()) line(depth);
    out += ']';
  }
  void write_object(const Object& object, int depth) {
    out += '{';
    bool first = true;
    for (const auto& [key, value] : object) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      dump_string(key, out);
      out += indent == 0 ? ":" : ": ";
      write(value, depth + 1);
    }
    if (!first) line(depth);
    out += '}';
  }
};

}  // namespace

const Value* Object::find(std::string_view key) const {
  for (const auto& member : members_)
    if (member.first == key) return &member.second;
  return nullptr;
}

Value* Object::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

Value& Object::operator[](std::string_view key) {
  if (Value* found = find(key)) return *found;
  return members_.emplace_back(std::string(key), Value()).second;
}

void Object::set(std::string_view key, Value value) { (*this)[key] = std::move(value); }

void Object::append(std::string key, Value value) {
  members_.emplace_back(std::move(key), std::move(value));
}

void Object::merge_duplicates() {
  std::vector<std::size_t> order(members_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
    return members_[a].first < members_[b].first;
  });
  std::vector<bool> gone(members_.size());
  bool any = false;
  for (std::size_t i = 0, first = 0; i < order.size(); ++i) {
    if (members_[order[i]].first != members_[order[first]].first) first = i;
    if (i == first) continue;
    members_[order[first]].second = std::move(members_[order[i]].second);
    any = gone[order[i]] = true;
  }
  if (!any) return;
  Members kept;
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (!gone[i]) kept.push_back(std::move(members_[i]));
  members_ = std::move(kept);
}

bool Object::erase(std::string_view key) {
  return std::erase_if(members_, [key](const auto& member) { return member.first == key; }) > 0;
}

Value::Value() = default;
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

const Value* Value::find(std::string_view key) const {
  const Object* object = as_object();
  return object == nullptr ? nullptr : object->find(key);
}

std::string_view Value::string_or(std::string_view other) const {
  const std::string* text = as_string();
  return text == nullptr ? other : *text;
}

const char* Value::type_name() const {
  constexpr const char* kNames[] = {"null",     "a boolean", "a number", "a number",
                                    "a number", "a string",  "an array", "an object"};
  return kNames[data_.index()];
}

Result<Value> parse(std::string_view text, ParseLimits limits) {
  if (text.size() > limits.max_size)
    return Error(Errc::invalid_argument, concat("JSON of more than ", limits.max_size, " bytes"));
  boost::json::parse_options options;
  options.max_depth = limits.max_depth;
  boost::json::basic_parser<Builder> parser(options);
  boost::system::error_code fault;
  std::size_t used = parser.write_some(false, text.data(), text.size(), fault);
  if (!fault && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    return Error(Errc::invalid_argument,
                 concat(place_of(text, used), ": text after the end of the JSON value"));
  if (fault)
    return Error(Errc::invalid_argument, concat(place_of(text, used), ": ", fault.message()));
  return std::move(parser.handler().root);
}

std::string dump(const Value& value, int indent) {
  std::string out;
  Dumper{out, indent}.write(value, 0);
  return out;
}

Binder::Scope::Scope(Binder& b, std::string_view key, std::ptrdiff_t index, const Value& value)
    : binder_(b), outer_(b.in_), path_size_(b.path_.size()) {
  if (!b.path_.empty()) b.path_ += '.';
  b.path_ += key;
  if (index >= 0) b.path_ += concat("[", index, "]");
  b.in_ = &value;
}

Binder::Scope::~Scope() {
  binder_.in_ = outer_;
  binder_.path_.resize(path_size_);
}

void Binder::fail(std::string_view what) {
  if (!error_)
    error_ = Error(Errc::invalid_argument,
                   path_.empty() ? std::string(what) : concat(path_, ": ", what));
}

void Binder::fail_at(std::string_view key, std::string_view what) {
  Scope scope(*this, key, -1, in_ ? *in_ : Value());
  fail(what);
}

std::string Binder::concat_path(std::string_view a, std::string_view b) {
  return concat(a, ".", b);
}

bool Binder::check_object() {
  if (in_->as_object() != nullptr) return true;
  fail(concat("expected an object, found ", in_->type_name()));
  return false;
}

void Binder::operator()(const char* key, bool& field) {
  if (!reading()) {
    if (field) out_.set(key, Value(true));
    return;
  }
  const Value* member = in_->find(key);
  if (member == nullptr || member->is_null()) return;
  Scope scope(*this, key, -1, *member);
  if (const bool* truth = in_->as_bool())
    field = *truth;
  else
    fail(concat("expected a boolean, found ", in_->type_name()));
}

void Binder::operator()(const char* key, double& field) {
  if (!reading()) {
    if (field != 0) out_.set(key, Value(field));
    return;
  }
  const Value* member = in_->find(key);
  if (member == nullptr || member->is_null()) return;
  Scope scope(*this, key, -1, *member);
  if (auto d = in_->as_double())
    field = *d;
  else if (auto i = in_->as_int())
    field = static_cast<double>(*i);
  else if (auto u = in_->as_uint())
    field = static_cast<double>(*u);
  else
    fail(concat("expected a number, found ", in_->type_name()));
}

void Binder::text(const char* key, std::string& field, bool always) {
  if (!reading()) {
    if (always || !field.empty()) out_.set(key, Value(field));
    return;
  }
  const Value* member = in_->find(key);
  if (member == nullptr || member->is_null()) return;
  Scope scope(*this, key, -1, *member);
  if (const std::string* value = in_->as_string())
    field = *value;
  else
    fail(concat("expected a string, found ", in_->type_name()));
}

const Array* Binder::enter_array(const char* key) {
  const Value* member = in_->find(key);
  if (member == nullptr || member->is_null()) return nullptr;
  if (const Array* array = member->as_array()) return array;
  Scope scope(*this, key, -1, *member);
  fail(concat("expected an array, found ", member->type_name()));
  return nullptr;
}

const Object* Binder::enter_object(const char* key) {
  const Value* member = in_->find(key);
  if (member == nullptr || member->is_null()) return nullptr;
  if (const Object* object = member->as_object()) return object;
  Scope scope(*this, key, -1, *member);
  fail(concat("expected an object, found ", member->type_name()));
  return nullptr;
}

void Binder::operator()(const char* key, std::vector<std::string>& field) {
  if (!reading()) {
    if (!field.empty()) out_.set(key, Array(field.begin(), field.end()));
    return;
  }
  const Array* items = enter_array(key);
  if (items == nullptr) return;
  field.clear();
  for (std::size_t i = 0; i < items->size(); ++i) {
    const std::string* value = (*items)[i].as_string();
    if (value == nullptr) {
      Scope scope(*this, key, static_cast<std::ptrdiff_t>(i), (*items)[i]);
      return fail(concat("expected a string, found ", in_->type_name()));
    }
    field.push_back(*value);
  }
}

void Binder::operator()(const char* key, std::map<std::string, std::string>& field) {
  if (!reading()) {
    if (field.empty()) return;
    Object members;
    for (const auto& [name, value] : field) members.append(name, value);
    out_.set(key, std::move(members));
    return;
  }
  const Object* members = enter_object(key);
  if (members == nullptr) return;
  for (const auto& [name, member] : *members) {
    const std::string* value = member.as_string();
    if (value == nullptr) {
      Scope scope(*this, concat_path(key, name), -1, member);
      return fail(concat("expected a string, found ", in_->type_name()));
    }
    field[name] = *value;
  }
}

void Binder::operator()(const char* key, Value& field) {
  if (!reading()) {
    if (!field.is_null()) out_.set(key, field);
    return;
  }
  if (const Value* member = in_->find(key)) field = *member;
}

bool Binder::read_signed(std::int64_t min, std::int64_t max, std::int64_t* field) {
  if (const std::int64_t* number = in_->as_int()) {
    if (*number >= min && *number <= max) {
      *field = *number;
      return true;
    }
    fail(concat("number ", *number, " out of range ", min, " to ", max));
  } else if (in_->is_number()) {
    fail(concat("expected a whole number from ", min, " to ", max));
  } else {
    fail(concat("expected a number, found ", in_->type_name()));
  }
  return false;
}

void Binder::read_unsigned(std::uint64_t* field) {
  if (const std::uint64_t* big = in_->as_uint())
    *field = *big;
  else if (const std::int64_t* number = in_->as_int(); number != nullptr && *number >= 0)
    *field = static_cast<std::uint64_t>(*number);
  else if (in_->is_number())
    fail("expected a whole number of 0 or more");
  else
    fail(concat("expected a number, found ", in_->type_name()));
}

Status Binder::status() && {
  if (error_) return std::move(*error_);
  return {};
}

}  // namespace minke::json
