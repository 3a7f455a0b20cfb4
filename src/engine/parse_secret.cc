// --secret.
#include "base/str.h"
#include "engine/parse.h"

namespace minke::engine {
namespace {

Error fault(std::string_view what) {
  return {Errc::invalid_argument, concat(what, ": parsing secret")};
}

Result<std::uint32_t> number(std::string_view what, std::string_view text, int base) {
  auto value = parse_int(text, base);
  if (!value || *value < 0 || *value > UINT32_MAX || text.starts_with('+'))
    return fault(concat(what, " ", text, " invalid"));
  return static_cast<std::uint32_t>(*value);
}

}  // namespace

Result<SecretRequest> parse_secret(std::string_view text) {
  SecretRequest secret;
  std::vector<std::string_view> parts = split(text, ',');
  std::size_t first = 0;
  if (parts[0].find('=') == std::string_view::npos) {
    secret.source = parts[0];
    first = 1;
  }
  bool typed = false, mount_only = false;
  for (std::size_t i = first; i < parts.size(); ++i) {
    auto pair = split_once(parts[i], '=');
    if (!pair) return fault(concat("option ", parts[i], " must be in form option=value"));
    auto [name, value] = *pair;
    if (name == "source") {
      secret.source = value;
    } else if (name == "type") {
      if (typed) return fault("cannot set more than one secret type");
      if (value != "mount" && value != "env") return fault(concat("type ", value, " is invalid"));
      typed = true;
      secret.env = value == "env";
    } else if (name == "target") {
      secret.target = value;
    } else if (name == "mode") {
      mount_only = true;
      secret.mode = TRY(number("mode", value, 8));
    } else if (name == "uid") {
      mount_only = true;
      secret.uid = TRY(number("UID", value, 10));
    } else if (name == "gid") {
      mount_only = true;
      secret.gid = TRY(number("GID", value, 10));
    } else {
      return fault(concat("option ", parts[i], " invalid"));
    }
  }
  if (secret.source.empty()) return fault(concat("no source found ", text));
  if (secret.env && mount_only)
    return fault("UID, GID, Mode options cannot be set with secret type env");
  return secret;
}

}  // namespace minke::engine
