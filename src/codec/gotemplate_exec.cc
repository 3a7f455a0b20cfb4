#include "base/str.h"
#include "base/time.h"
#include "codec/gotemplate_internal.h"

namespace minke::gotemplate {

// ---- shapes ----

// "CreatedBy" is Go's name of what is "created_by" in JSON.
static bool is_go_name_of(std::string_view name, std::string_view key) {
  std::size_t at = 0;
  bool capital = true;
  for (char c : key) {
    if (c == '_') {
      capital = true;
      continue;
    }
    if (capital && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (at == name.size() || name[at] != c) return false;
    ++at;
    capital = false;
  }
  return at == name.size();
}

FieldKind Shapes::kind_of(std::string_view path) const {
  for (const FieldShape& row : shape_.fields)
    if (row.path == path) return row.kind;
  return FieldKind::any;
}

bool Shapes::known(std::string_view path) const {
  for (const FieldShape& row : shape_.fields)
    if (row.path == path) return true;
  return false;
}

const std::pair<std::string, json::Value>* Shapes::find(const json::Object& object,
                                                        std::string_view name) const {
  for (const auto& member : object)
    if (member.first == name) return &member;
  for (const auto& member : object)
    if (is_go_name_of(name, member.first)) return &member;
  if (!shape_.any_case) return nullptr;
  std::string lower = to_lower(name);
  for (const auto& member : object)
    if (to_lower(member.first) == lower) return &member;
  return nullptr;
}

std::string Shapes::path_of(const Item& of, std::string_view name) {
  if (of.is_map()) name = "*";
  return of.path.empty() ? std::string(name) : concat(of.path, ".", name);
}

Item Shapes::member(const Item& of, std::string_view name, const json::Value& value) const {
  std::string path = path_of(of, name);
  FieldKind kind = kind_of(path);
  Item item = Item::view(value, kind, std::move(path));
  item.value = std::shared_ptr<const json::Value>(of.value, &value);  // keeps what it points into
  return item;
}

Item Shapes::element(const Item& of, const json::Value& value) const {
  FieldKind kind = of.kind == FieldKind::list ? FieldKind::any : of.kind;
  Item item = Item::view(value, kind, of.path);
  item.value = std::shared_ptr<const json::Value>(of.value, &value);
  return item;
}

Item Shapes::zero(const Item& of, std::string_view name) const {
  static const json::Value kNull;
  std::string path = path_of(of, name);
  Item item;
  item.kind = kind_of(path);
  item.path = std::move(path);
  switch (item.kind) {
    case FieldKind::text:
      item.value = std::make_shared<json::Value>("");
      break;
    case FieldKind::number:
    case FieldKind::duration:
      item.value = std::make_shared<json::Value>(0);
      break;
    case FieldKind::boolean:
      item.value = std::make_shared<json::Value>(false);
      break;
    case FieldKind::time:
      item.value = std::make_shared<json::Value>("0001-01-01T00:00:00Z");
      break;
    case FieldKind::structure:
      item.value = std::make_shared<json::Value>(json::Object());
      break;
    case FieldKind::any:
    case FieldKind::list:
    case FieldKind::map:
    case FieldKind::pointer:
      item.value = std::shared_ptr<const json::Value>(std::shared_ptr<void>(), &kNull);
      break;
  }
  return item;
}

bool is_true(const Item& item) {
  if (item.null()) return false;
  const json::Value& value = *item.value;
  if (const bool* truth = value.as_bool()) return *truth;
  if (const std::int64_t* number = value.as_int()) return *number != 0;
  if (const double* real = value.as_double()) return *real != 0;
  if (const std::string* text = value.as_string()) return !text->empty();
  if (const json::Array* array = value.as_array()) return !array->empty();
  if (const json::Object* object = value.as_object()) return !item.is_map() || !object->empty();
  return true;
}

std::string type_text(const Item& item, const Shapes& shapes) {
  if (!item.valid()) return "nil";
  const json::Value& value = *item.value;
  if (item.kind == FieldKind::time) return "time.Time";
  if (item.kind == FieldKind::duration) return "time.Duration";
  if (item.is_map()) return "map[string]interface {}";
  if (value.as_bool() != nullptr) return "bool";
  if (value.as_int() != nullptr) return "int";
  if (value.as_uint() != nullptr) return "uint64";
  if (value.as_double() != nullptr) return "float64";
  if (value.as_string() != nullptr) return "string";
  if (value.as_array() != nullptr) return "[]interface {}";
  if (item.path.empty()) return std::string(shapes.root_type());
  std::size_t dot = item.path.rfind('.');
  return dot == std::string::npos ? item.path : item.path.substr(dot + 1);
}

namespace {

enum class Flow : std::uint8_t { on, break_, continue_ };

class Executor {
 public:
  Executor(const Tree& tree, const Shape& shape, const Limits& limits)
      : tree_(tree), shapes_(shape), limits_(limits), out_(limits.max_output) {}

  Result<std::string> run(const json::Value& data) {
    Item root = Item::view(data, shapes_.kind_of(""), "");
    variables_.push_back({"$", root});
    TRY(list(tree_.nodes, root));
    return std::move(out_.text());
  }

 private:
  struct Variable {
    std::string_view name;
    Item item;
  };

  Error fault(std::size_t pos, std::string_view source, std::string_view what) const {
    std::string_view before = std::string_view(tree_.text).substr(0, pos);
    std::size_t line = 1;
    for (char c : before) line += c == '\n';
    std::size_t last = before.rfind('\n');
    std::size_t column = last == std::string_view::npos ? pos : pos - last - 1;
    return Error(Errc::invalid_argument,
                 concat("template: ", tree_.name, ":", line, ":", column, ": executing ",
                        quote(tree_.name), " at <", source, ">: ", what));
  }

  // One step of work; a template within the size limit can still ask for years of it.
  Status step() {
    if (++steps_ > limits_.max_steps)
      return Error(Errc::invalid_argument,
                   concat("template: ", tree_.name, ": takes too many steps"));
    if (out_.overflow())
      return Error(Errc::invalid_argument,
                   concat("template: ", tree_.name, ": the output grows too long"));
    return {};
  }

  Result<Flow> list(const std::vector<Node>& nodes, const Item& dot) {
    for (const Node& node : nodes) {
      TRY(step());
      Flow flow = TRY(walk(node, dot));
      if (flow != Flow::on) return flow;
    }
    TRY(step());
    return Flow::on;
  }

  Result<Flow> walk(const Node& node, const Item& dot) {
    switch (node.kind) {
      case Node::Kind::text:
        out_.add(node.text);
        return Flow::on;
      case Node::Kind::break_:
        return Flow::break_;
      case Node::Kind::continue_:
        return Flow::continue_;
      case Node::Kind::action: {
        Item item = TRY(pipe(node.pipe, dot));
        if (node.pipe.variables.empty()) print(item);
        return Flow::on;
      }
      case Node::Kind::if_:
      case Node::Kind::with: {
        std::size_t scope = variables_.size();
        Item item = TRY(pipe(node.pipe, dot));
        bool truth = is_true(item);
        auto flow = list(truth ? node.body : node.otherwise,
                         truth && node.kind == Node::Kind::with ? item : dot);
        variables_.resize(scope);
        return flow;
      }
      case Node::Kind::range: {
        std::size_t scope = variables_.size();
        auto flow = range(node, dot);
        variables_.resize(scope);
        return flow;
      }
    }
    return Flow::on;
  }

  void print(const Item& item) {
    if (!item.valid())
      out_.add("<no value>");
    else
      print_item(item, FormatSpec{}, shapes_, out_);
  }

  Result<Flow> range(const Node& node, const Item& dot) {
    Item over = TRY(pipe(node.pipe, dot, false));
    std::size_t mark = variables_.size();
    bool any = false;
    auto once = [&](Item key, const Item& item) -> Result<Flow> {
      any = true;
      const auto& names = node.pipe.variables;
      // With one variable it is the element, with two the first is the key.
      if (!names.empty()) set(names.back(), item, node.pipe.assign);
      if (names.size() > 1) set(names.front(), std::move(key), node.pipe.assign);
      auto flow = list(node.body, item);
      variables_.resize(mark);
      return flow;
    };
    if (over.null() && (!over.valid() || over.kind != FieldKind::pointer)) {
      // nothing: an absent list or map
    } else if (const json::Array* array = over.value->as_array()) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        Flow flow =
            TRY(once(Item::made(static_cast<std::int64_t>(i)), shapes_.element(over, (*array)[i])));
        if (flow == Flow::break_) break;
      }
    } else if (const json::Object* object = over.value->as_object();
               object != nullptr && over.is_map()) {
      for (const auto* member : sorted_members(*object)) {
        Flow flow = TRY(
            once(Item::made(member->first), shapes_.member(over, member->first, member->second)));
        if (flow == Flow::break_) break;
      }
    } else {
      BoundedText text(200);
      print_item(over, FormatSpec{}, shapes_, text);
      const Command& last = node.pipe.commands.back();
      return fault(last.pos, last.source, concat("range can't iterate over ", text.text()));
    }
    if (!any) return list(node.otherwise, dot);
    return Flow::on;
  }

  void set(std::string_view name, Item item, bool assign) {
    if (assign) {
      for (auto it = variables_.rbegin(); it != variables_.rend(); ++it) {
        if (it->name != name) continue;
        it->item = std::move(item);
        return;
      }
    }
    variables_.push_back({name, std::move(item)});
  }

  // The variables of a range are set per element, so it does not declare them here.
  Result<Item> pipe(const Pipe& pipe, const Item& dot, bool declare = true) {
    Item item;
    const Item* final = nullptr;
    for (const Command& part : pipe.commands) {
      TRY(step());
      item = TRY(command(part, dot, final));
      final = &item;
    }
    if (declare)
      for (std::string_view name : pipe.variables) set(name, item, pipe.assign);
    return item;
  }

  Result<Item> command(const Command& command, const Item& dot, const Item* final) {
    const Operand& first = command.args.front();
    if (first.kind == Operand::Kind::function && first.chain.empty())
      return call(command, dot, final);
    if (first.kind == Operand::Kind::nil)
      return fault(first.pos, first.source, "nil is not a command");
    if (command.args.size() > 1 || final != nullptr) {
      if (first.kind == Operand::Kind::field || !first.chain.empty()) return method(command, dot);
      return fault(first.pos, first.source,
                   concat("can't give argument to non-function ", first.source));
    }
    return operand(first, dot);
  }

  // A field with arguments: there are no methods that take any.
  Result<Item> method(const Command& command, const Item& dot) {
    const Operand& first = command.args.front();
    TRY(operand(first, dot));
    return fault(first.pos, first.source,
                 concat(first.chain.back(), " has arguments but cannot be invoked as function"));
  }

  Result<Item> call(const Command& command, const Item& dot, const Item* final) {
    const Operand& function = command.args.front();
    std::size_t count = command.args.size() - 1 + (final != nullptr ? 1 : 0);
    if (function.name == "and" || function.name == "or") {
      if (count == 0)
        return fault(function.pos, function.source,
                     concat("wrong number of args for ", function.name, ": want at least 1 got 0"));
      bool stop = function.name == "or";
      Item item;
      for (std::size_t i = 1; i <= count; ++i) {
        item = i < command.args.size() ? TRY(operand(command.args[i], dot)) : *final;
        if (is_true(item) == stop) break;
      }
      return item;
    }
    std::vector<Item> args;
    args.reserve(count);
    for (std::size_t i = 1; i < command.args.size(); ++i) {
      Item item = TRY(operand(command.args[i], dot));
      args.push_back(std::move(item));
    }
    if (final != nullptr) args.push_back(*final);
    auto result = call_function(function.name, args, shapes_, limits_.max_output);
    if (!result) {
      const std::string& message = result.error().message();
      bool arity = message.starts_with("wrong number of args");
      return fault(function.pos, arity ? function.source : command.source, message);
    }
    return std::move(*result);
  }

  Result<Item> operand(const Operand& operand, const Item& dot) {
    TRY(step());
    Item item;
    switch (operand.kind) {
      case Operand::Kind::dot:
      case Operand::Kind::field:
        item = dot;
        break;
      case Operand::Kind::nil:
        return Item::missing();
      case Operand::Kind::variable:
        for (auto it = variables_.rbegin(); it != variables_.rend(); ++it) {
          if (it->name != operand.name) continue;
          item = it->item;
          break;
        }
        break;
      case Operand::Kind::constant:
        return Item::view(operand.constant, FieldKind::any, "?");
      case Operand::Kind::function: {
        auto result = call_function(operand.name, {}, shapes_, limits_.max_output);
        if (!result) return fault(operand.pos, operand.source, result.error().message());
        item = std::move(*result);
        break;
      }
      case Operand::Kind::pipe:
        item = TRY(pipe(*operand.pipe, dot));
        break;
    }
    for (std::string_view name : operand.chain) item = TRY(field(item, name, operand));
    return item;
  }

  Result<Item> field(const Item& of, std::string_view name, const Operand& operand) {
    if (!of.valid()) return Item::missing();
    const json::Value& value = *of.value;
    if (of.is_map()) {
      const json::Value* found = value.find(name);
      return found != nullptr ? shapes_.member(of, name, *found) : Item::missing();
    }
    if (const json::Object* object = value.as_object()) {
      if (const auto* found = shapes_.find(*object, name))
        return shapes_.member(of, found->first, found->second);
      if (shapes_.known(of.path.empty() ? std::string(name) : concat(of.path, ".", name)))
        return shapes_.zero(of, name);
    }
    if (value.is_null())
      return fault(operand.pos, operand.source,
                   concat("nil pointer evaluating ",
                          of.path.empty() ? std::string(shapes_.root_type()) : concat("*", of.path),
                          ".", name));
    if (of.kind == FieldKind::time) {
      std::optional<Item> made = time_method(of, name);
      if (made) return std::move(*made);
    }
    return fault(operand.pos, operand.source,
                 concat("can't evaluate field ", name, " in type ", type_text(of, shapes_)));
  }

  std::optional<Item> time_method(const Item& of, std::string_view name) const {
    const std::string* text = of.value->as_string();
    std::optional<TimeNs> time = text != nullptr ? parse_rfc3339(*text) : std::nullopt;
    if (name == "IsZero") return Item::made(!time.has_value());
    if (name == "String") {
      BoundedText out(200);
      print_item(of, FormatSpec{}, shapes_, out);
      return Item::made(std::move(out.text()));
    }
    TimeNs ns = time.value_or(kZeroTime);
    if (name == "Unix") return Item::made(time ? ns / kSecond : std::int64_t{-62135596800});
    if (name == "UnixNano") return Item::made(ns);
    return std::nullopt;
  }

  const Tree& tree_;
  Shapes shapes_;
  const Limits& limits_;
  BoundedText out_;
  std::uint64_t steps_ = 0;
  std::vector<Variable> variables_;
};

}  // namespace

Result<std::string> Template::execute(const json::Value& data, const Shape& shape,
                                      const Limits& limits) const {
  return Executor(*tree_, shape, limits).run(data);
}

}  // namespace minke::gotemplate
