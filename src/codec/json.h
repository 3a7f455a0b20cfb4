// JSON values that keep the order of members and 64-bit integers exact, and the binding of plain
// structs. Boost.JSON parses (json.cc is its only user); nothing here makes a system call.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace minke::json {

class Value;
using Array = std::vector<Value>;

// Members in the order of the text; look-up is linear, which is right for the sizes of this field.
class Object {
 public:
  Object() = default;
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  Value& operator[](std::string_view key);  // appended as null when new
  void set(std::string_view key, Value value);
  // Without a search, for keys that are new; merge_duplicates() afterwards where that is not known:
  // the first of several keeps the place, the last one the value, as set() would have it.
  void append(std::string key, Value value);
  void merge_duplicates();
  bool erase(std::string_view key);
  // Defined below, where Value is complete.
  using Members = std::vector<std::pair<std::string, Value>>;
  bool empty() const;
  std::size_t size() const;
  Members::const_iterator begin() const;
  Members::const_iterator end() const;
  Members::iterator begin();
  Members::iterator end();

 private:
  Members members_;
};

class Value {
 public:
  // Out of line: the variant's own are large, and GCC 12 warns of them wrongly where it inlines
  // them.
  Value();
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
  Value(std::nullptr_t) : Value() {}             // NOLINT: implicit on purpose, here and below
  Value(bool v) : data_(v) {}                    // NOLINT
  Value(std::int64_t v) : data_(v) {}            // NOLINT
  Value(int v) : data_(std::int64_t{v}) {}       // NOLINT
  Value(unsigned v) : data_(std::int64_t{v}) {}  // NOLINT
  Value(std::uint64_t v) {                       // NOLINT: above INT64_MAX it stays unsigned
    if (v <= INT64_MAX)
      data_ = static_cast<std::int64_t>(v);
    else
      data_ = v;
  }
  Value(double v) : data_(v) {}                         // NOLINT
  Value(const char* v) : data_(std::string(v)) {}       // NOLINT
  Value(std::string_view v) : data_(std::string(v)) {}  // NOLINT
  Value(std::string v) : data_(std::move(v)) {}         // NOLINT
  Value(Array v) : data_(std::move(v)) {}               // NOLINT
  Value(Object v) : data_(std::move(v)) {}              // NOLINT

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_number() const {
    return as_int() != nullptr || as_uint() != nullptr || as_double() != nullptr;
  }
  const bool* as_bool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&data_); }
  const std::uint64_t* as_uint() const {
    return std::get_if<std::uint64_t>(&data_);
  }  // only above INT64_MAX
  const double* as_double() const { return std::get_if<double>(&data_); }
  const std::string* as_string() const { return std::get_if<std::string>(&data_); }
  const Array* as_array() const { return std::get_if<Array>(&data_); }
  Array* as_array() { return std::get_if<Array>(&data_); }
  const Object* as_object() const { return std::get_if<Object>(&data_); }
  Object* as_object() { return std::get_if<Object>(&data_); }
  // Member of an object; null when this is none or has none.
  const Value* find(std::string_view key) const;
  std::string_view string_or(std::string_view other) const;
  const char* type_name() const;  // "null", "boolean", "number", "string", "array", "object"

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array,
               Object>
      data_;
};

inline bool Object::empty() const { return members_.empty(); }
inline std::size_t Object::size() const { return members_.size(); }
inline Object::Members::const_iterator Object::begin() const { return members_.begin(); }
inline Object::Members::const_iterator Object::end() const { return members_.end(); }
inline Object::Members::iterator Object::begin() { return members_.begin(); }
inline Object::Members::iterator Object::end() { return members_.end(); }

struct ParseLimits {
  std::size_t max_depth = 128;
  std::size_t max_size = 64 << 20;
};
// Strict RFC 8259; a fault names line and column. A doubled key keeps the last value, as Go does.
Result<Value> parse(std::string_view text, ParseLimits limits = {});

// Compact when `indent` is 0; else Go's MarshalIndent with that many blanks. No HTML escapes.
std::string dump(const Value& value, int indent = 0);

// Binds a struct to JSON in both directions by one function per struct:
//   void bind(json::Binder& b, Mount& m) { b("destination", m.destination); b("type", m.type); ...
//   }
// Reading: an absent or null member leaves the field as it is; a wrong type, a number out of range
// is a fault that names the JSON path ("mounts[2].destination: expected a string, found a number").
// Unknown members are left alone. Writing: empty text, list, map, false, 0 and absent optionals are
// left out.
class Binder {
 public:
  // Reading; `value` must outlive the binder.
  explicit Binder(const Value& value) : in_(&value) {}
  // Writing.
  Binder() = default;

  bool reading() const { return in_ != nullptr; }
  // Adds a fault at the current path; the first one counts.
  void fail(std::string_view what);
  // The same at the member `key` of the current object.
  void fail_at(std::string_view key, std::string_view what);
  bool failed() const { return error_.has_value(); }

  void operator()(const char* key, std::string& field) { text(key, field, false); }
  void operator()(const char* key, bool& field);
  void operator()(const char* key, std::int64_t& field) { number(key, field, false); }
  void operator()(const char* key, std::uint64_t& field) { number(key, field, false); }
  void operator()(const char* key, std::int32_t& field) { number(key, field, false); }
  void operator()(const char* key, std::uint32_t& field) { number(key, field, false); }
  void operator()(const char* key, std::uint16_t& field) { number(key, field, false); }
  void operator()(const char* key, double& field);
  void operator()(const char* key, std::vector<std::string>& field);
  void operator()(const char* key, std::map<std::string, std::string>& field);
  void operator()(const char* key, Value& field);

  template <typename T>
  void operator()(const char* key, std::optional<T>& field) {
    if (reading()) {
      const Value* member = in_->find(key);
      if (member == nullptr || member->is_null()) return;
      field.emplace();
      required(key, *field);
    } else if (field) {
      required(key, *field);
    }
  }
  template <typename T>
  void operator()(const char* key, std::vector<T>& field) {
    if (reading()) {
      const Array* items = enter_array(key);
      if (items == nullptr) return;
      field.clear();
      for (std::size_t i = 0; i < items->size(); ++i) {
        T& item = field.emplace_back();
        if constexpr (std::is_arithmetic_v<T>) {
          Scope scope(*this, key, static_cast<std::ptrdiff_t>(i), (*items)[i]);
          read_number(item);
        } else {
          Scope scope(*this, key, static_cast<std::ptrdiff_t>(i), (*items)[i]);
          if (check_object()) bind(*this, item);
        }
      }
    } else if (!field.empty()) {
      Array items;
      for (T& item : field) {
        if constexpr (std::is_arithmetic_v<T>) {
          items.push_back(Value(item));
        } else {
          items.push_back(write_struct(item));
        }
      }
      out_.set(key, std::move(items));
    }
  }
  template <typename T>
  void operator()(const char* key, std::map<std::string, T>& field) {
    if (reading()) {
      const Object* members = enter_object(key);
      if (members == nullptr) return;
      for (const auto& [name, member] : *members) {
        Scope scope(*this, concat_path(key, name), -1, member);
        if (check_object()) bind(*this, field[name]);
      }
    } else if (!field.empty()) {
      Object members;
      for (auto& [name, item] : field) members.append(name, write_struct(item));
      out_.set(key, std::move(members));
    }
  }
  // A nested struct: written even when all of it is empty only by required().
  template <typename T>
  requires std::is_class_v<T>
  void operator()(const char* key, T& field) {
    if (reading()) {
      const Value* member = in_->find(key);
      if (member == nullptr || member->is_null()) return;
      Scope scope(*this, key, -1, *member);
      if (check_object()) bind(*this, field);
    } else {
      Value value = write_struct(field);
      if (!value.as_object()->empty()) out_.set(key, std::move(value));
    }
  }
  // Written also when empty, false or 0.
  template <typename T>
  void required(const char* key, T& field) {
    if constexpr (std::is_same_v<T, std::string>) {
      text(key, field, true);
    } else if constexpr (std::is_same_v<T, bool>) {
      if (reading())
        (*this)(key, field);
      else
        out_.set(key, Value(field));
    } else if constexpr (std::is_same_v<T, double>) {
      if (reading())
        (*this)(key, field);
      else
        out_.set(key, Value(field));
    } else if constexpr (std::is_arithmetic_v<T>) {
      number(key, field, true);
    } else {
      (*this)(key, field);
      if (!reading() && out_.find(key) == nullptr) write_empty(key, field);
    }
  }

  // The end of reading: the first fault, as "path: what".
  Status status() &&;
  Value take() && { return Value(std::move(out_)); }

 private:
  // Stands in a member while it is read: sets value and path, and puts them back.
  class Scope {
   public:
    Scope(Binder& b, std::string_view key, std::ptrdiff_t index, const Value& value);
    ~Scope();

   private:
    Binder& binder_;
    const Value* outer_;
    std::size_t path_size_;
  };
  template <typename T>
  Value write_struct(T& item) {
    Binder inner;
    bind(inner, item);
    return std::move(inner).take();
  }
  template <typename T>
  void write_empty(const char* key, std::vector<T>&) {
    out_.set(key, Array());
  }
  template <typename T>
  void write_empty(const char* key, T&) {
    out_.set(key, Object());
  }
  static std::string concat_path(std::string_view a, std::string_view b);
  void text(const char* key, std::string& field, bool always);
  template <typename T>
  void number(const char* key, T& field, bool always) {
    if (reading()) {
      const Value* member = in_->find(key);
      if (member == nullptr || member->is_null()) return;
      Scope scope(*this, key, -1, *member);
      read_number(field);
    } else if (always || field != 0) {
      out_.set(key, Value(field));
    }
  }
  template <typename T>
  void read_number(T& field) {
    if constexpr (std::is_same_v<T, std::uint64_t>) {
      read_unsigned(&field);
    } else {
      std::int64_t wide = 0;
      if (read_signed(std::numeric_limits<T>::min(),
                      static_cast<std::int64_t>(std::numeric_limits<T>::max()), &wide))
        field = static_cast<T>(wide);
    }
  }
  bool read_signed(std::int64_t min, std::int64_t max, std::int64_t* field);
  void read_unsigned(std::uint64_t* field);
  const Array* enter_array(const char* key);
  const Object* enter_object(const char* key);
  bool check_object();

  const Value* in_ = nullptr;
  Object out_;
  std::string path_;
  std::optional<Error> error_;
};

// Value to struct and back.
template <typename T>
Result<T> from_value(const Value& value) {
  T out{};
  if (value.as_object() == nullptr) return Error(Errc::invalid_argument, "expected an object");
  Binder binder(value);
  bind(binder, out);
  Status status = std::move(binder).status();
  if (!status) return std::move(status.error());
  return out;
}
template <typename T>
Value to_value(const T& item) {
  Binder binder;
  bind(binder, const_cast<T&>(item));  // writing does not change it
  return std::move(binder).take();
}
template <typename T>
Result<T> parse_struct(std::string_view text, ParseLimits limits = {}) {
  Value value = TRY(parse(text, limits));
  return from_value<T>(value);
}
template <typename T>
std::string dump_struct(const T& item, int indent = 0) {
  return dump(to_value(item), indent);
}

}  // namespace minke::json
