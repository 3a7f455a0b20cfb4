#include "oci/reference.h"

#include "base/str.h"

namespace minke::oci {
namespace {

constexpr std::size_t kMaxName = 255, kMaxTag = 128;
constexpr std::string_view kDockerHub = "docker.io";

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alnum(char c) { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

Error invalid() { return {Errc::invalid_argument, "invalid reference format"}; }

// [a-z0-9]+ joined by one of "." "_" "__" or any number of "-".
bool is_path_component(std::string_view text) {
  if (text.empty() || !is_lower_alnum(text.front()) || !is_lower_alnum(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_lower_alnum(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && !is_lower_alnum(text[end])) ++end;
    std::string_view separator = text.substr(i, end - i);
    bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    i = end;
  }
  return true;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_host_label(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.back() == '-') return false;
  for (char c : text)
    if (!is_alnum(c) && c != '-') return false;
  return true;
}

bool is_registry(std::string_view text) {
  if (text.starts_with("[")) {
    std::size_t close = text.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    if (text.substr(1, close - 1).find_first_not_of("0123456789abcdefABCDEF:") !=
        std::string_view::npos)
      return false;
    std::string_view rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  if (auto parts = split_once(text, ':')) {
    if (!is_port(parts->second)) return false;
    text = parts->first;
  }
  for (std::string_view label : split(text, '.'))
    if (!is_host_label(label)) return false;
  return true;
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > kMaxTag || text.front() == '.' || text.front() == '-')
    return false;
  for (char c : text)
    if (!is_alnum(c) && c != '_' && c != '.' && c != '-') return false;
  return true;
}

bool has_upper(std::string_view text) {
  for (char c : text)
    if (c >= 'A' && c <= 'Z') return true;
  return false;
}

// The first component names a registry when it has a dot or a port, or is "localhost".
bool looks_like_registry(std::string_view component) {
  return component == "localhost" || component.find_first_of(".:") != std::string_view::npos;
}

}  // namespace

std::string Reference::name() const {
  return registry.empty() ? repository : concat(registry, "/", repository);
}

std::string Reference::str() const {
  std::string out = name();
  if (!tag.empty()) out += concat(":", tag);
  if (!digest.empty()) out += concat("@", digest.str());
  return out;
}

Result<Reference> Reference::parse(std::string_view text) {
  if (text.empty())
    return Error(Errc::invalid_argument, "repository name must have at least one component");
  Reference ref;
  std::string_view rest = text;
  if (auto parts = split_once(rest, '@')) {
    auto digest = Digest::parse(parts->second);
    if (!digest) return invalid();
    ref.digest = std::move(*digest);
    rest = parts->first;
  }
  std::size_t slash = rest.rfind('/');
  std::size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    std::string_view tag = rest.substr(colon + 1);
    if (!is_tag(tag)) return invalid();
    ref.tag = tag;
    rest = rest.substr(0, colon);
  }
  std::string_view path = rest;
  if (auto parts = split_once(rest, '/'); parts && looks_like_registry(parts->first)) {
    if (!is_registry(parts->first)) return invalid();
    ref.registry = parts->first == "index.docker.io" ? kDockerHub : parts->first;
    path = parts->second;
  }
  if (has_upper(path)) return Error(Errc::invalid_argument, "repository name must be lowercase");
  for (std::string_view component : split(path, '/'))
    if (!is_path_component(component)) return invalid();
  ref.repository = path;
  if (ref.registry == kDockerHub && path.find('/') == std::string_view::npos)
    ref.repository = concat("library/", path);
  // A short name must be one still when its registry stands before it: it is kept and read so.
  std::size_t length = ref.name().size();
  if (ref.registry.empty())
    length += kDockerHub.size() + (path.find('/') == std::string_view::npos ? 9 : 1);
  if (length > kMaxName)
    return Error(Errc::invalid_argument, "repository name must not be more than 255 characters");
  // Such a name could not be told from an image id.
  if (ref.registry.empty() && path.size() == 64 && is_hex(path))
    return Error(Errc::invalid_argument, concat("invalid repository name (", path,
                                                "), cannot specify 64-byte hexadecimal strings"));
  return ref;
}

Reference Reference::normalized(std::string_view default_registry) const {
  Reference out = *this;
  if (out.registry.empty()) {
    out.registry = default_registry;
    if (out.registry == kDockerHub && out.repository.find('/') == std::string::npos)
      out.repository.insert(0, "library/");
  }
  if (out.tag.empty() && out.digest.empty()) out.tag = "latest";
  return out;
}

}  // namespace minke::oci
