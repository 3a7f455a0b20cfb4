#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>

#include "base/str.h"
#include "codec/gotemplate_internal.h"

namespace minke::gotemplate {
namespace {

constexpr std::size_t kMaxText = 1 << 20;
constexpr int kMaxDepth = 100;

enum class T : std::uint8_t {
  text,
  left,
  right,
  dot,
  field,
  variable,
  ident,
  number,
  string,
  chr,
  pipe,
  lparen,
  rparen,
  declare,
  assign,
  comma,
  eof
};

struct Token {
  T type;
  std::string_view text;
  std::size_t pos;
  bool space = false;  // blanks before it
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string rune_name(std::string_view rest) {
  char32_t rune = 0;
  std::size_t size = decode_rune(rest, &rune);
  return concat(format("U+%04X '", static_cast<unsigned>(rune)), rest.substr(0, size), "'");
}

// Turns the text into tokens; blanks become a mark on the next token.
class Lexer {
 public:
  Lexer(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  Result<std::vector<Token>> run() {
    while (true) {
      std::size_t open = text_.find("{{", pos_);
      bool trims = open != std::string_view::npos && trims_left(open);
      emit_text(open, trims);
      if (open == std::string_view::npos) break;
      pos_ = open;
      TRY(action(trims));
    }
    tokens_.push_back({T::eof, "", text_.size()});
    return std::move(tokens_);
  }

 private:
  bool trims_left(std::size_t open) const {
    return open + 3 < text_.size() && text_[open + 2] == '-' && is_space(text_[open + 3]);
  }
  bool at(std::string_view piece) const { return text_.substr(pos_).starts_with(piece); }
  char peek(std::size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }

  Error fault(std::string_view what) const { return fault_at(pos_, what); }
  Error fault_at(std::size_t pos, std::string_view what) const {
    auto line =
        1 + std::count(text_.begin(),
                       text_.begin() + static_cast<std::ptrdiff_t>(std::min(pos, text_.size())),
                       '\n');
    return Error(Errc::invalid_argument,
                 concat("template: ", name_, ":", static_cast<std::int64_t>(line), ": ", what));
  }

  void emit_text(std::size_t end, bool trim_end) {
    std::string_view piece = text_.substr(pos_, end == std::string_view::npos ? end : end - pos_);
    if (trim_end)
      while (!piece.empty() && is_space(piece.back())) piece.remove_suffix(1);
    if (!piece.empty()) tokens_.push_back({T::text, piece, pos_});
  }

  void skip_blanks() {
    while (pos_ < text_.size() && is_space(text_[pos_])) ++pos_;
  }

  // True when the action ends here; eats the mark, and the blanks after it when it trims.
  bool at_right() const { return at("}}") || (at("-}}") && pos_ > 0 && is_space(text_[pos_ - 1])); }
  void eat_right() {
    bool trim = at("-}}");
    pos_ += trim ? 3 : 2;
    if (trim) skip_blanks();
  }

  Status action(bool trims) {
    std::size_t start = pos_;
    pos_ += trims ? 3 : 2;
    std::size_t after = pos_;
    if (trims) skip_blanks();
    if (at("/*")) {
      std::size_t close = text_.find("*/", pos_ + 2);
      if (close == std::string_view::npos) return fault_at(start, "unclosed comment");
      pos_ = close + 2;
      if (is_space(peek()) && text_.substr(pos_ + 1).starts_with("-}}")) ++pos_;
      if (!at_right()) return fault("comment ends before closing delimiter");
      eat_right();
      return {};
    }
    pos_ = after;
    tokens_.push_back({T::left, text_.substr(start, pos_ - start), start});
    int parens = 0;
    while (true) {
      bool space = is_space(peek());
      skip_blanks();
      if (at_right()) {
        if (parens > 0) return fault("unclosed left paren");
        tokens_.push_back({T::right, "}}", pos_, space});
        eat_right();
        return {};
      }
      if (pos_ >= text_.size()) return fault_at(start, "unclosed action");
      TRY(token(space, parens));
    }
  }

  Status token(bool space, int& parens) {
    std::size_t start = pos_;
    char c = text_[pos_];
    auto emit = [&](T type, std::size_t size) {
      pos_ = start + size;
      tokens_.push_back({type, text_.substr(start, size), start, space});
    };
    if (c == '(') {
      ++parens;
      emit(T::lparen, 1);
    } else if (c == ')') {
      if (--parens < 0) return fault("unexpected right paren");
      emit(T::rparen, 1);
    } else if (c == '|') {
      emit(T::pipe, 1);
    } else if (c == ',') {
      emit(T::comma, 1);
    } else if (c == '=') {
      emit(T::assign, 1);
    } else if (c == ':') {
      if (peek(1) != '=') return fault("expected :=");
      emit(T::declare, 2);
    } else if (c == '"' || c == '\'') {
      return quoted(c, space);
    } else if (c == '`') {
      std::size_t close = text_.find('`', pos_ + 1);
      if (close == std::string_view::npos) return fault("unterminated raw quoted string");
      emit(T::string, close + 1 - start);
    } else if (std::isdigit(static_cast<unsigned char>(c)) ||
               ((c == '+' || c == '-' || c == '.') &&
                std::isdigit(static_cast<unsigned char>(peek(1))))) {
      std::size_t size = 1;
      while (is_alnum(peek(size)) || peek(size) == '.' ||
             ((peek(size) == '+' || peek(size) == '-') &&
              (peek(size - 1) == 'e' || peek(size - 1) == 'E')))
        ++size;
      emit(T::number, size);
    } else if (c == '.' || c == '$' || is_alnum(c)) {
      std::size_t size = 1;
      while (is_alnum(peek(size))) ++size;
      T type = c == '.' ? (size == 1 ? T::dot : T::field) : c == '$' ? T::variable : T::ident;
      emit(type, size);
      return terminated();
    } else {
      return fault(concat("unrecognized character in action: ", rune_name(text_.substr(pos_))));
    }
    return {};
  }

  // A name must end where another token may begin.
  Status terminated() const {
    char c = peek();
    if (pos_ >= text_.size() || is_space(c) ||
        std::string_view(".,|:)(=").find(c) != std::string_view::npos || at("}}"))
      return {};
    return fault(concat("bad character ", rune_name(text_.substr(pos_))));
  }

  Status quoted(char quote, bool space) {
    std::size_t start = pos_++;
    while (true) {
      char c = peek();
      if (pos_ >= text_.size() || c == '\n')
        return fault_at(
            start, quote == '"' ? "unterminated quoted string" : "unterminated character constant");
      pos_ += c == '\\' ? 2 : 1;
      if (c == quote) break;
    }
    pos_ = std::min(pos_, text_.size());
    tokens_.push_back(
        {quote == '"' ? T::string : T::chr, text_.substr(start, pos_ - start), start, space});
    return {};
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t pos_ = 0;
  std::vector<Token> tokens_;
};

// Go's strconv.Unquote for "..." and '...'; nothing when malformed.
std::optional<std::string> unquote(std::string_view literal) {
  if (literal.size() < 2) return std::nullopt;
  if (literal.front() == '`') {
    std::string raw;
    for (char c : literal.substr(1, literal.size() - 2))
      if (c != '\r') raw += c;
    return raw;
  }
  char quote = literal.front();
  std::string_view s = literal.substr(1, literal.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < s.size();) {
    if (s[i] != '\\') {
      out += s[i++];
      continue;
    }
    if (++i >= s.size()) return std::nullopt;
    char c = s[i++];
    constexpr std::string_view kNames = "abfnrtv\\";
    constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\";
    if (std::size_t at = kNames.find(c); at != std::string_view::npos) {
      out += kBytes[at];
    } else if (c == quote) {
      out += c;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      if (s.size() - i < digits) return std::nullopt;
      auto number = parse_uint(s.substr(i, digits), 16);
      if (!number || *number > 0x10FFFF) return std::nullopt;
      i += digits;
      if (c == 'x')
        out += static_cast<char>(*number);
      else
        append_rune(static_cast<char32_t>(*number), out);
    } else if (c >= '0' && c <= '7') {
      if (s.size() - i < 2) return std::nullopt;
      auto number = parse_uint(s.substr(i - 1, 3), 8);
      if (!number || *number > 255) return std::nullopt;
      i += 2;
      out += static_cast<char>(*number);
    } else {
      return std::nullopt;
    }
  }
  return out;
}

class Parser {
 public:
  Parser(Tree& tree, std::vector<Token> tokens) : tree_(tree), tokens_(std::move(tokens)) {
    variables_.push_back("$");
  }

  Status run() {
    Ending ending = TRY(list(tree_.nodes));
    if (ending.word != "") return fault(concat("unexpected {{", ending.word, "}}"));
    return {};
  }

 private:
  struct Ending {
    std::string_view word;  // "end", "else", or "" at the end of the text
  };

  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
  }
  const Token& take() {
    const Token& token = peek();
    if (next_ + 1 < tokens_.size()) ++next_;
    return token;
  }
  std::string_view source(std::size_t start, std::size_t end) const {
    std::string_view piece = std::string_view(tree_.text).substr(start, end - start);
    return trim(piece);
  }
  std::size_t end_of_last() const {
    const Token& last = tokens_[next_ - 1];
    return last.pos + last.text.size();
  }

  Error fault(std::string_view what) const {
    auto line = 1 + std::count(tree_.text.begin(),
                               tree_.text.begin() + static_cast<std::ptrdiff_t>(peek().pos), '\n');
    return Error(Errc::invalid_argument, concat("template: ", tree_.name, ":",
                                                static_cast<std::int64_t>(line), ": ", what));
  }
  Error unexpected(std::string_view context) const {
    const Token& token = peek();
    if (token.type == T::eof) return fault("unexpected EOF");
    return fault(
        concat("unexpected ",
               token.type == T::right ? std::string("\"}}\"") : concat("<", token.text, ">"),
               " in ", context));
  }

  // Nodes up to {{end}}, {{else...}} or the end of the text.
  Result<Ending> list(std::vector<Node>& nodes) {
    if (depth_ > kMaxDepth) return fault("nested too deeply");
    while (true) {
      const Token& token = peek();
      if (token.type == T::eof) return Ending{""};
      take();
      if (token.type == T::text) {
        Node node;
        node.text = token.text;
        nodes.push_back(std::move(node));
        continue;
      }
      if (peek().type == T::ident) {
        std::string_view word = peek().text;
        if (word == "end" || word == "else") {
          take();
          return Ending{word};
        }
        if (word == "define" || word == "template" || word == "block")
          return fault(concat("{{", word, "}} is not supported here"));
      }
      TRY(action(nodes));
    }
  }

  Status action(std::vector<Node>& nodes) {
    std::string_view word = peek().type == T::ident ? peek().text : "";
    Node node;
    if (word == "if" || word == "range" || word == "with") {
      take();
      node.kind = word == "if"      ? Node::Kind::if_
                  : word == "range" ? Node::Kind::range
                                    : Node::Kind::with;
      TRY(control(node, word));
    } else if (word == "break" || word == "continue") {
      take();
      if (loops_ == 0) return fault(concat("{{", word, "}} outside {{range}}"));
      node.kind = word == "break" ? Node::Kind::break_ : Node::Kind::continue_;
      TRY(close(word));
    } else {
      node.kind = Node::Kind::action;
      TRY(pipeline(node.pipe, "command", T::right));
    }
    nodes.push_back(std::move(node));
    return {};
  }

  Status close(std::string_view context) {
    if (peek().type != T::right) return unexpected(concat("{{", context, "}}"));
    take();
    return {};
  }

  Status control(Node& node, std::string_view word) {
    std::size_t scope = variables_.size();
    ++depth_;
    TRY(pipeline(node.pipe, word, T::right));
    loops_ += node.kind == Node::Kind::range;
    Ending ending = TRY(list(node.body));
    loops_ -= node.kind == Node::Kind::range;
    if (ending.word == "else") {
      std::string_view chained = peek().type == T::ident ? peek().text : "";
      // {{else if}} and {{else with}} are nested and share the one {{end}}.
      if ((chained == "if" && word == "if") || (chained == "with" && word == "with")) {
        take();
        Node inner;
        inner.kind = node.kind;
        TRY(control(inner, word));
        node.otherwise.push_back(std::move(inner));
        variables_.resize(scope);
        --depth_;
        return {};
      }
      TRY(close("else"));
      ending = TRY(list(node.otherwise));
    }
    if (ending.word != "end")
      return ending.word.empty() ? fault("unexpected EOF")
                                 : fault(concat("expected end; found {{", ending.word, "}}"));
    variables_.resize(scope);
    --depth_;
    return close("end");
  }

  Status declarations(Pipe& pipe, std::string_view context) {
    if (peek().type != T::variable) return {};
    const Token& after = peek(1);
    if (after.type == T::declare || after.type == T::assign) {
      pipe.variables.push_back(take().text);
      pipe.assign = take().type == T::assign;
    } else if (after.type == T::comma && context == "range" && peek(2).type == T::variable &&
               (peek(3).type == T::declare || peek(3).type == T::assign)) {
      pipe.variables.push_back(take().text);
      take();
      pipe.variables.push_back(take().text);
      pipe.assign = take().type == T::assign;
    }
    for (std::string_view name : pipe.variables) {
      if (pipe.assign)
        TRY(check_variable(name));
      else
        variables_.push_back(name);
    }
    return {};
  }

  Status check_variable(std::string_view name) const {
    if (std::find(variables_.begin(), variables_.end(), name) == variables_.end())
      return fault(concat("undefined variable ", quote(name)));
    return {};
  }

  Status pipeline(Pipe& pipe, std::string_view context, T end) {
    if (++depth_ > kMaxDepth) return fault("nested too deeply");
    pipe.pos = peek().pos;
    TRY(declarations(pipe, context));
    while (true) {
      TRY(command(pipe, context));
      if (peek().type == T::pipe) {
        take();
        if (peek().type == end) return fault(concat("missing value for ", context));
        continue;
      }
      if (peek().type != end) return unexpected(context);
      break;
    }
    pipe.source = source(pipe.pos, peek().pos);
    take();
    --depth_;
    return {};
  }

  Status command(Pipe& pipe, std::string_view context) {
    Command command;
    command.pos = peek().pos;
    while (true) {
      T type = peek().type;
      if (type == T::pipe || type == T::right || type == T::rparen) break;
      if (!command.args.empty() && !peek().space && type != T::lparen) return unexpected("operand");
      TRY(operand(command));
    }
    if (command.args.empty()) return fault(concat("missing value for ", context));
    if (!pipe.commands.empty()) {
      Operand::Kind first = command.args.front().kind;
      if (first == Operand::Kind::constant || first == Operand::Kind::dot ||
          first == Operand::Kind::nil)
        return fault(concat("non executable command in pipeline stage ", pipe.commands.size() + 1));
    }
    command.source = source(command.pos, end_of_last());
    pipe.commands.push_back(std::move(command));
    return {};
  }

  Status operand(Command& command) {
    const Token token = peek();
    Operand operand;
    operand.pos = token.pos;
    switch (token.type) {
      case T::dot:
        take();
        break;
      case T::field:
        take();
        operand.kind = Operand::Kind::field;
        operand.chain.push_back(token.text.substr(1));
        break;
      case T::variable:
        TRY(check_variable(token.text));
        take();
        operand.kind = Operand::Kind::variable;
        operand.name = token.text;
        break;
      case T::ident:
        TRY(word(operand, token.text));
        take();
        break;
      case T::number:
      case T::string:
      case T::chr:
        TRY(literal(operand, token));
        take();
        break;
      case T::lparen:
        take();
        operand.kind = Operand::Kind::pipe;
        operand.pipe = std::make_unique<Pipe>();
        TRY(pipeline(*operand.pipe, "parenthesized pipeline", T::rparen));
        break;
      default:
        return unexpected("operand");
    }
    bool first = true;
    while (peek().type == T::field && !peek().space) {
      if (operand.kind == Operand::Kind::constant || operand.kind == Operand::Kind::nil ||
          operand.kind == Operand::Kind::dot)
        return fault(concat("unexpected . after term ", quote(token.text)));
      // Go points at the first of the fields that follow.
      if (first) operand.pos = peek().pos;
      first = false;
      operand.chain.push_back(take().text.substr(1));
    }
    operand.source = source(token.pos, end_of_last());
    command.args.push_back(std::move(operand));
    return {};
  }

  Status word(Operand& operand, std::string_view name) const {
    if (name == "true" || name == "false") {
      operand.kind = Operand::Kind::constant;
      operand.constant = name == "true";
    } else if (name == "nil") {
      operand.kind = Operand::Kind::nil;
    } else if (name == "call") {
      return fault("function \"call\" is not supported here");
    } else if (is_function(name)) {
      operand.kind = Operand::Kind::function;
      operand.name = name;
    } else {
      return fault(concat("function ", quote(name), " not defined"));
    }
    return {};
  }

  Status literal(Operand& operand, const Token& token) const {
    operand.kind = Operand::Kind::constant;
    if (token.type == T::number) return number(operand, token.text);
    std::optional<std::string> text = unquote(token.text);
    if (!text)
      return fault(
          concat(token.type == T::chr ? "malformed character constant: " : "invalid syntax: ",
                 token.text));
    if (token.type == T::string) {
      operand.constant = std::move(*text);
      return {};
    }
    char32_t rune = 0;
    if (text->empty() || decode_rune(*text, &rune) != text->size())
      return fault(concat("malformed character constant: ", token.text));
    operand.constant = static_cast<std::int64_t>(rune);
    return {};
  }

  Status number(Operand& operand, std::string_view text) const {
    std::string digits;
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
                 [](char c) { return c != '_'; });
    std::string_view rest = digits;
    bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    int base = 10;
    if (rest.size() > 1 && rest[0] == '0') {
      char kind = static_cast<char>(std::tolower(static_cast<unsigned char>(rest[1])));
      base = kind == 'x'                                                     ? 16
             : kind == 'b'                                                   ? 2
             : kind == 'o' || std::isdigit(static_cast<unsigned char>(kind)) ? 8
                                                                             : 10;
      if (kind == 'x' || kind == 'b' || kind == 'o') rest.remove_prefix(2);
    }
    if (auto value = parse_uint(rest, base)) {
      if (negative && *value <= std::uint64_t{1} << 63)
        operand.constant = static_cast<std::int64_t>(0 - *value);
      else if (!negative)
        operand.constant = *value;
      else
        return fault(concat("integer overflow: ", quote(text)));
      return {};
    }
    if (!rest.empty() && rest.find_first_not_of("0123456789") == std::string_view::npos)
      return fault(concat("integer overflow: ", quote(text)));
    if (auto value =
            parse_double(digits.starts_with('+') ? std::string_view(digits).substr(1) : digits)) {
      operand.constant = *value;
      return {};
    }
    return fault(concat("bad number syntax: ", quote(text)));
  }

  Tree& tree_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int depth_ = 0;
  int loops_ = 0;
  std::vector<std::string_view> variables_;
};

}  // namespace

Template::Template(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Result<Template> Template::parse(std::string_view text, std::string_view name) {
  if (text.size() > kMaxText)
    return Error(Errc::invalid_argument, concat("template: ", name, ": longer than 1 MiB"));
  auto tree = std::make_unique<Tree>();
  tree->name = name;
  tree->text = text;
  std::vector<Token> tokens = TRY(Lexer(tree->text, tree->name).run());
  TRY(Parser(*tree, std::move(tokens)).run());
  return Template(std::move(tree));
}

}  // namespace minke::gotemplate
