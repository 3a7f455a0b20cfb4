#include "codec/yaml.h"

#include <yaml.h>

#include <map>
#include <string>

#include "base/str.h"

namespace minke::yaml {
namespace {

using json::Value;

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { clear(); }
  void clear() {
    if (filled_) ::yaml_event_delete(&event_);
    filled_ = false;
  }
  Status next(yaml_parser_t* parser) {
    clear();
    if (::yaml_parser_parse(parser, &event_) == 0) {
      const char* problem = parser->problem != nullptr ? parser->problem : "cannot be read";
      return Error(Errc::invalid_argument,
                   concat("line ", parser->problem_mark.line + 1, ": ", problem));
    }
    filled_ = true;
    return {};
  }
  const yaml_event_t* operator->() const { return &event_; }
  yaml_event_type_t type() const { return event_.type; }

 private:
  yaml_event_t event_{};
  bool filled_ = false;
};

std::string text_of(const yaml_char_t* bytes) {
  return bytes == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(bytes));
}

std::size_t count_nodes(const Value& value) {
  std::size_t count = 1;
  if (const json::Array* items = value.as_array())
    for (const Value& item : *items) count += count_nodes(item);
  if (const json::Object* members = value.as_object())
    for (const auto& [key, member] : *members) count += count_nodes(member);
  return count;
}

class Reader {
 public:
  Reader(std::string_view text, ParseLimits limits) : limits_(limits) {
    MINKE_CHECK(::yaml_parser_initialize(&parser_) != 0);
    ::yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                   text.size());
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    event_.clear();
    ::yaml_parser_delete(&parser_);
  }

  Result<Value> document() {
    TRY(advance());  // the stream's start
    TRY(advance());
    if (event_.type() == YAML_STREAM_END_EVENT) return Value();
    TRY(advance());  // behind the document's start
    Value value = TRY(node(0));
    TRY(advance());  // the document's end
    TRY(advance());
    if (event_.type() != YAML_STREAM_END_EVENT) return fault("a second document");
    return value;
  }

 private:
  Status advance() { return event_.next(&parser_); }
  Error fault(std::string_view what) const {
    return {Errc::invalid_argument, concat("line ", event_->start_mark.line + 1, ": ", what)};
  }

  Status keep(const std::string& anchor, const Value& value) {
    if (!anchor.empty()) anchors_[anchor] = value;
    return {};
  }

  // The node that the current event begins; stands at its last event afterwards.
  Result<Value> node(std::size_t depth) {
    if (depth > limits_.max_depth) return fault("nested too deeply");
    if (++nodes_ > limits_.max_nodes) return fault("too large");
    switch (event_.type()) {
      case YAML_SCALAR_EVENT:
        return scalar();
      case YAML_ALIAS_EVENT:
        return alias();
      case YAML_SEQUENCE_START_EVENT:
        return sequence(depth);
      case YAML_MAPPING_START_EVENT:
        return mapping(depth);
      default:
        return fault("expected a value");
    }
  }

  Result<Value> scalar() {
    std::string text(reinterpret_cast<const char*>(event_->data.scalar.value),
                     event_->data.scalar.length);
    bool plain = event_->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                 event_->data.scalar.plain_implicit != 0;
    Value value = plain ? plain_value(std::move(text)) : Value(std::move(text));
    TRY(keep(text_of(event_->data.scalar.anchor), value));
    return value;
  }

  static Value plain_value(std::string text) {
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
      return {};
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    if (text[0] != '+')
      if (auto number = parse_int(text)) return *number;
    return text;
  }

  Result<Value> alias() {
    auto it = anchors_.find(text_of(event_->data.alias.anchor));
    if (it == anchors_.end()) return fault("an alias of nothing");
    // A few lines of aliases of aliases would fill any memory.
    nodes_ += count_nodes(it->second);
    if (nodes_ > limits_.max_nodes) return fault("too large");
    return it->second;
  }

  Result<Value> sequence(std::size_t depth) {
    std::string anchor = text_of(event_->data.sequence_start.anchor);
    json::Array items;
    for (;;) {
      TRY(advance());
      if (event_.type() == YAML_SEQUENCE_END_EVENT) break;
      Value item = TRY(node(depth + 1));
      items.push_back(std::move(item));
    }
    Value value(std::move(items));
    TRY(keep(anchor, value));
    return value;
  }

  Result<Value> mapping(std::size_t depth) {
    std::string anchor = text_of(event_->data.mapping_start.anchor);
    json::Object members;
    for (;;) {
      TRY(advance());
      if (event_.type() == YAML_MAPPING_END_EVENT) break;
      if (event_.type() != YAML_SCALAR_EVENT) return fault("a key must be text");
      std::string key(reinterpret_cast<const char*>(event_->data.scalar.value),
                      event_->data.scalar.length);
      if (members.find(key) != nullptr) return fault(concat("the key ", quote(key), " again"));
      TRY(advance());
      Value value = TRY(node(depth + 1));
      members.append(std::move(key), std::move(value));
    }
    Value value(std::move(members));
    TRY(keep(anchor, value));
    return value;
  }

  ParseLimits limits_;
  yaml_parser_t parser_{};
  Event event_;
  std::map<std::string, Value> anchors_;
  std::size_t nodes_ = 0;
};

}  // namespace

Result<Value> parse(std::string_view text, ParseLimits limits) {
  return Reader(text, limits).document();
}

}  // namespace minke::yaml
