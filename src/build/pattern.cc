#include "build/pattern.h"

#include <algorithm>

#include "base/str.h"

namespace minke::build {
namespace {

// Bytes of the character at `at`: what is no UTF-8 counts as one.
std::size_t character_size(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  std::size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + size > text.size()) return 1;
  for (std::size_t i = 1; i < size; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 1;
  return size;
}

// Bytes of the character that ends at `at`.
std::size_t size_before(std::string_view text, std::size_t at) {
  for (std::size_t size = std::min<std::size_t>(4, at); size > 1; --size)
    if (character_size(text, at - size) == size) return size;
  return 1;
}

}  // namespace

Result<ShellPattern> ShellPattern::parse(std::string_view text) {
  ShellPattern pattern;
  auto& steps = pattern.steps_;
  auto add_text = [&](char c) {
    if (steps.empty() || steps.back().kind != Step::Kind::text)
      steps.push_back({Step::Kind::text, ""});
    steps.back().text += c;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '*') {
      if (steps.empty() || steps.back().kind != Step::Kind::any)
        steps.push_back({Step::Kind::any, ""});
    } else if (text[i] == '?') {
      steps.push_back({Step::Kind::one, ""});
    } else if (text[i] == '\\') {
      ++i;
      if (i == text.size() || std::string_view("*?\\}/").find(text[i]) == std::string_view::npos)
        return Error(Errc::invalid_argument, concat("invalid pattern (", text,
                                                    "): \\ can only stand before * ? \\ } and /"));
      add_text(text[i]);
    } else {
      add_text(text[i]);
    }
  }
  return pattern;
}

void ShellPattern::run(std::string_view value, std::size_t from, std::vector<char>* reach) const {
  reach->assign(value.size() + 1, 0);
  (*reach)[from] = 1;
  std::vector<char> next;
  for (const Step& step : steps_) {
    next.assign(value.size() + 1, 0);
    bool any = false;
    for (std::size_t at = from; at <= value.size(); ++at) {
      if (!(*reach)[at] && !(step.kind == Step::Kind::any && any)) continue;
      switch (step.kind) {
        case Step::Kind::any:
          any = true;
          next[at] = 1;
          break;
        case Step::Kind::one:
          if (at < value.size()) next[at + character_size(value, at)] = 1;
          break;
        case Step::Kind::text:
          if (value.substr(at).starts_with(step.text)) next[at + step.text.size()] = 1;
          break;
      }
    }
    reach->swap(next);
  }
}

std::optional<std::size_t> ShellPattern::match_front(std::string_view value, Length length) const {
  std::vector<char> reach;
  run(value, 0, &reach);
  if (length == Length::shortest) {
    auto it = std::find(reach.begin(), reach.end(), 1);
    if (it == reach.end()) return std::nullopt;
    return static_cast<std::size_t>(it - reach.begin());
  }
  auto it = std::find(reach.rbegin(), reach.rend(), 1);
  if (it == reach.rend()) return std::nullopt;
  return static_cast<std::size_t>(reach.rend() - it - 1);
}

// Backwards: where a match can begin that ends with the value.
std::optional<std::size_t> ShellPattern::match_back(std::string_view value, Length length) const {
  std::vector<char> reach(value.size() + 1, 0), next;
  reach[value.size()] = 1;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    next.assign(value.size() + 1, 0);
    bool any = false;
    for (std::size_t at = value.size() + 1; at-- > 0;) {
      if (!reach[at] && !(step->kind == Step::Kind::any && any)) continue;
      switch (step->kind) {
        case Step::Kind::any:
          any = true;
          next[at] = 1;
          break;
        case Step::Kind::one:
          if (at > 0) next[at - size_before(value, at)] = 1;
          break;
        case Step::Kind::text:
          if (value.substr(0, at).ends_with(step->text)) next[at - step->text.size()] = 1;
          break;
      }
    }
    reach.swap(next);
  }
  if (length == Length::longest) {
    auto it = std::find(reach.begin(), reach.end(), 1);
    if (it == reach.end()) return std::nullopt;
    return static_cast<std::size_t>(reach.end() - it - 1);
  }
  auto it = std::find(reach.rbegin(), reach.rend(), 1);
  if (it == reach.rend()) return std::nullopt;
  return static_cast<std::size_t>(it - reach.rbegin());
}

// Saves a run where the first character already says no.
bool ShellPattern::may_begin(std::string_view value) const {
  return steps_.empty() || steps_.front().kind != Step::Kind::text ||
         value.starts_with(steps_.front().text);
}

std::optional<std::string> ShellPattern::replace(std::string_view value, std::string_view with,
                                                 bool all, std::size_t most) const {
  std::string out;
  std::vector<char> reach;
  std::size_t at = 0;
  bool behind_match = false;
  while (at <= value.size()) {
    auto it = reach.rend();
    if (may_begin(value.substr(at))) {
      run(value, at, &reach);
      it = std::find(reach.rbegin(), reach.rend(), 1);
    }
    const bool matched = it != reach.rend();
    const std::size_t end = matched ? static_cast<std::size_t>(reach.rend() - it - 1) : at;
    const bool nothing = matched && end == at;
    if (matched && !(nothing && behind_match)) {
      out += with;
      if (out.size() > most) return std::nullopt;
      if (!all) return out.append(value.substr(end));
    }
    behind_match = matched && !nothing;
    if (behind_match) {
      at = end;
      continue;
    }
    if (at == value.size()) break;
    const std::size_t size = character_size(value, at);
    out += value.substr(at, size);
    at += size;
  }
  return out;
}

}  // namespace minke::build
