#include "config/signature_payload.h"

#include "base/str.h"
#include "codec/json.h"

namespace minke::config {
namespace {

Error invalid(std::string_view what) {
  return {Errc::invalid_argument, concat("Invalid signature format: ", what)};
}

// The object's member of that name, and no other than the `count` names that it may have.
Result<const json::Value*> only_members(const json::Value& value, std::string_view where,
                                        std::initializer_list<std::string_view> names) {
  const json::Object* members = value.as_object();
  if (members == nullptr) return invalid(concat(where, " is no object"));
  for (std::string_view name : names)
    if (members->find(name) == nullptr) return invalid(concat(where, " has no ", quote(name)));
  if (members->size() != names.size())
    return invalid(concat(where, " has members that nobody knows"));
  return &value;
}

Result<std::string> text_at(const json::Value& value, std::string_view name) {
  const json::Value* member = value.find(name);
  if (member == nullptr || member->as_string() == nullptr)
    return invalid(concat(quote(name), " is no text"));
  return *member->as_string();
}

// "busybox:1" is docker.io/library/busybox:1.
std::string full_reference(std::string_view name) {
  std::size_t slash = name.find('/');
  std::string_view first = name.substr(0, slash);
  bool host = slash != std::string_view::npos &&
              (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  if (!host) return concat("docker.io/", slash == std::string_view::npos ? "library/" : "", name);
  if (first == "index.docker.io") return concat("docker.io", name.substr(slash));
  return std::string(name);
}

}  // namespace

Status check_payload(std::string_view payload, std::string_view type,
                     const SignedIdentity& identity, std::string_view reference,
                     std::string_view digest) {
  auto parsed = json::parse(payload, {.max_depth = 16, .max_size = 1 << 20});
  if (!parsed) return invalid(parsed.error().message());
  const json::Value* critical = parsed->find("critical");
  if (critical == nullptr) return invalid("no \"critical\"");
  // What is not understood may change what is meant, so it is refused.
  TRY(only_members(*critical, "\"critical\"", {"type", "image", "identity"}));
  TRY(only_members(*critical->find("image"), "\"image\"", {"docker-manifest-digest"}));
  TRY(only_members(*critical->find("identity"), "\"identity\"", {"docker-reference"}));
  std::string said_type = TRY(text_at(*critical, "type"));
  std::string said_digest = TRY(text_at(*critical->find("image"), "docker-manifest-digest"));
  std::string said_name = TRY(text_at(*critical->find("identity"), "docker-reference"));
  if (said_type != type) return invalid(concat("Unrecognized signature type ", quote(said_type)));
  if (!identity_matches(identity, reference, full_reference(said_name)))
    return Error(Errc::permission,
                 concat("Signature for identity ", quote(said_name), " is not accepted"));
  if (said_digest != digest)
    return Error(Errc::permission, concat("Signature for docker digest ", quote(said_digest),
                                          " does not match the image, which has ", digest));
  return {};
}

}  // namespace minke::config
