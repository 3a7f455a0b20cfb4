#include "build/variables.h"

#include <algorithm>

#include "base/str.h"
#include "build/pattern.h"
#include "build/platform_args.h"
#include "build/scan.h"

namespace minke::build {
namespace {

// A word that doubles itself line by line is stopped here.
constexpr std::size_t kMaxWord = 1 << 20;
constexpr int kMaxDepth = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error bad(std::string_view what) { return Error(Errc::invalid_argument, std::string(what)); }

// The result as one text and as words; blanks divide only where they were not quoted.
class Output {
 public:
  void plain(std::string_view text) {
    text_ += text;
    for (char c : text) {
      if (!is_blank(c)) {
        word_ += c;
      } else if (!word_.empty()) {
        words_.push_back(std::move(word_));
        word_.clear();
      }
    }
  }
  void quoted(std::string_view text) {
    text_ += text;
    word_ += text;
  }
  std::string& text() { return text_; }
  std::vector<std::string> words() {
    if (!word_.empty()) words_.push_back(std::move(word_));
    return std::move(words_);
  }
  bool too_large() const { return text_.size() > kMaxWord; }

 private:
  std::string text_, word_;
  std::vector<std::string> words_;
};

class Expander {
 public:
  Expander(std::string_view word, const Lookup& lookup, const ExpandOptions& options)
      : word_(word), lookup_(lookup), options_(options) {}

  // Up to `stop`, which is passed over; 0: to the end.
  Status run(char stop, bool keep_escapes, Output* out) {
    if (++depth_ > kMaxDepth) return bad("${...} are nested too deeply");
    while (!done()) {
      const char c = word_[at_];
      if (stop != 0 && c == stop) {
        ++at_;
        --depth_;
        return {};
      }
      if (c == '$') {
        out->plain(TRY(dollar()));
      } else if (!options_.quotes_are_plain && c == '\'') {
        out->quoted(TRY(single_quoted()));
      } else if (!options_.quotes_are_plain && c == '"') {
        out->quoted(TRY(double_quoted(keep_escapes)));
      } else if (c == options_.escape) {
        if (keep_escapes) out->quoted(word_.substr(at_, 1));
        ++at_;
        if (!done()) out->quoted(word_.substr(at_++, 1));
      } else {
        out->plain(word_.substr(at_++, 1));
      }
      if (out->too_large()) return bad("the value is larger than 1 MiB");
    }
    if (stop != 0) return bad(concat("the ", stop == '}' ? "}" : "/", " of ${...} is missing"));
    --depth_;
    return {};
  }

 private:
  bool done() const { return at_ >= word_.size(); }

  Result<std::string> single_quoted() {
    const std::size_t end = word_.find('\'', at_ + 1);
    if (end == std::string_view::npos) return bad("a single quote is not closed");
    std::string_view inside = word_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return options_.keep_quotes ? concat("'", inside, "'") : std::string(inside);
  }

  Result<std::string> double_quoted(bool keep_escapes) {
    std::string out = options_.keep_quotes ? "\"" : "";
    for (++at_; !done();) {
      char c = word_[at_];
      if (c == '"') {
        ++at_;
        if (options_.keep_quotes) out += '"';
        return out;
      }
      if (c == '$') {
        out += TRY(dollar());
        if (out.size() > kMaxWord) return bad("the value is larger than 1 MiB");
        continue;
      }
      ++at_;
      if (c == options_.escape) {
        if (keep_escapes) out += c;
        if (done()) continue;
        const char following = word_[at_];
        // Everything else keeps its escape, as in a shell.
        if (following == '"' || following == '$' || following == options_.escape) {
          c = following;
          ++at_;
        } else if (keep_escapes) {
          continue;
        }
      }
      out += c;
    }
    return bad("a double quote is not closed");
  }

  std::string_view name() {
    const std::size_t from = at_;
    if (!done() && is_digit(word_[at_])) {
      while (!done() && is_digit(word_[at_])) ++at_;
    } else if (!done() && std::string_view("@*#?-$!").find(word_[at_]) != std::string_view::npos) {
      ++at_;
    } else {
      while (!done() && (is_letter(word_[at_]) || is_digit(word_[at_]) || word_[at_] == '_')) ++at_;
    }
    return word_.substr(from, at_ - from);
  }

  Result<std::string> dollar() {
    const std::size_t from = at_++;
    if (done() || word_[at_] != '{') {
      std::string_view found = name();
      if (found.empty()) return std::string("$");
      auto value = lookup_(found);
      if (!value && options_.keep_unset) return std::string(word_.substr(from, at_ - from));
      return value.value_or("");
    }
    ++at_;
    if (done()) return bad("the } of ${...} is missing");
    std::string_view variable = name();
    if (variable.empty()) return bad("${} names no variable");
    if (done()) return bad("the } of ${...} is missing");
    auto value = lookup_(variable);
    const char operation = word_[at_++];
    if (operation == '}') {
      if (!value && options_.keep_unset) return std::string(word_.substr(from, at_ - from));
      return value.value_or("");
    }
    std::string result = TRY(operate(variable, value, operation));
    if (!value && options_.keep_unset) return std::string(word_.substr(from, at_ - from));
    return result;
  }

  Result<std::string> inner(char stop, bool keep_escapes) {
    Output out;
    TRY(run(stop, keep_escapes, &out));
    return std::move(out.text());
  }

  Result<std::string> operate(std::string_view variable, const std::optional<std::string>& value,
                              char operation) {
    bool empty_is_unset = operation == ':';
    if (empty_is_unset) {
      if (done()) return bad("the } of ${...} is missing");
      operation = word_[at_++];
      if (operation != '-' && operation != '+' && operation != '?')
        return bad(concat("${", variable, ":", operation, "...}: no such substitution (:- :+ :?)"));
    }
    const bool missing = !value || (empty_is_unset && value->empty());
    switch (operation) {
      case '-': {
        std::string other = TRY(inner('}', false));
        return missing ? other : *value;
      }
      case '+': {
        std::string other = TRY(inner('}', false));
        return missing ? std::string() : other;
      }
      case '?': {
        std::string message = TRY(inner('}', false));
        if (!missing) return *value;
        if (options_.keep_unset && !value) return std::string();
        if (message.empty())
          message = value ? "is not allowed to be empty" : "is not allowed to be unset";
        return bad(concat(variable, ": ", message));
      }
      case '#':
      case '%':
        return trimmed(value.value_or(""), operation);
      case '/':
        return exchanged(value.value_or(""));
      default:
        return bad(concat("${", variable, operation,
                          "...}: no such substitution (:- :+ :? - + ? # ## "
                          "% %% / //)"));
    }
  }

  Result<std::string> trimmed(std::string value, char operation) {
    std::string text = TRY(inner('}', true));
    // Not starts_with(): GCC 12 warns of it wrongly where it inlines all of this.
    const bool longest = !text.empty() && text.front() == operation;
    ShellPattern pattern = TRY(ShellPattern::parse(longest ? text.substr(1) : text));
    const auto length = longest ? ShellPattern::Length::longest : ShellPattern::Length::shortest;
    if (operation == '#') {
      if (auto size = pattern.match_front(value, length)) value.erase(0, *size);
    } else if (auto size = pattern.match_back(value, length)) {
      value.resize(value.size() - *size);
    }
    return value;
  }

  Result<std::string> exchanged(const std::string& value) {
    const bool all = !done() && word_[at_] == '/';
    if (all) ++at_;
    std::string text = TRY(inner('/', true));
    std::string with = TRY(inner('}', true));
    ShellPattern pattern = TRY(ShellPattern::parse(text));
    auto out = pattern.replace(value, with, all, kMaxWord);
    if (!out) return bad("the value is larger than 1 MiB");
    return std::move(*out);
  }

  std::string_view word_;
  const Lookup& lookup_;
  const ExpandOptions& options_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

Result<Output> expand(std::string_view word, const Lookup& lookup, const ExpandOptions& options) {
  Output out;
  TRY_CTX(Expander(word, lookup, options).run(0, options.keep_escapes, &out),
          concat("cannot expand ", quote(word.substr(0, 200))));
  return out;
}

std::optional<std::string_view> value_of(const std::vector<std::string>& env,
                                         std::string_view name) {
  for (const std::string& pair : env)
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return std::string_view(pair).substr(name.size() + 1);
  return std::nullopt;
}

}  // namespace

Result<std::string> expand_word(std::string_view word, const Lookup& lookup,
                                const ExpandOptions& options) {
  Output out = TRY(expand(word, lookup, options));
  return std::move(out.text());
}

Result<std::vector<std::string>> expand_words(std::string_view word, const Lookup& lookup,
                                              const ExpandOptions& options) {
  Output out = TRY(expand(word, lookup, options));
  return out.words();
}

void Variables::set_environment(const std::vector<std::string>& env) { env_ = env; }

void Variables::set_env(const std::string& name, const std::string& value) {
  const std::string pair = concat(name, "=", value);
  for (std::string& old : env_) {
    if (old.size() > name.size() && old.starts_with(name) && old[name.size()] == '=') {
      old = pair;
      return;
    }
  }
  env_.push_back(pair);
}

void Variables::declare_arg(const std::string& name, const std::optional<std::string>& value) {
  auto from = [&](const std::map<std::string, std::string>& map) -> std::optional<std::string> {
    auto it = map.find(name);
    if (it == map.end()) return std::nullopt;
    return it->second;
  };
  std::optional<std::string> found = from(given_->build_args);
  if (!found) found = value;
  if (!found) found = from(given_->globals);
  if (!found) found = from(given_->platform);
  if (!found) return;
  auto old =
      std::find_if(args_.begin(), args_.end(), [&](const auto& arg) { return arg.first == name; });
  if (old != args_.end())
    old->second = *found;
  else
    args_.emplace_back(name, *found);
}

std::optional<std::string> Variables::find(std::string_view name) const {
  if (auto value = value_of(env_, name)) return std::string(*value);
  for (const auto& [arg, value] : args_)
    if (arg == name) return value;
  if (is_proxy_arg(name)) {
    auto it = given_->build_args.find(std::string(name));
    if (it != given_->build_args.end()) return it->second;
  }
  return std::nullopt;
}

std::vector<std::string> Variables::cache_arguments() const {
  std::vector<std::string> out;
  for (const auto& [name, value] : args_)
    if (!value_of(env_, name)) out.push_back(concat(name, "=", value));
  return out;
}

std::vector<std::string> Variables::run_arguments() const {
  std::vector<std::string> out = cache_arguments();
  for (const auto& [name, value] : given_->build_args) {
    if (!is_proxy_arg(name) || value_of(env_, name)) continue;
    const bool declared =
        std::any_of(args_.begin(), args_.end(),
                    [&, n = std::string_view(name)](const auto& arg) { return arg.first == n; });
    if (!declared) out.push_back(concat(name, "=", value));
  }
  return out;
}

}  // namespace minke::build
