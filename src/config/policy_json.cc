#include "config/policy_json.h"

#include <algorithm>

#include "base/str.h"
#include "codec/base64.h"
#include "config/toml_file.h"
#include "sys/fd.h"

namespace minke::config {
namespace {

using Strings = std::vector<std::string>;
using Match = SignedIdentity::Match;
using Type = Requirement::Type;

constexpr struct {
  std::string_view name;
  Match match;
} kMatches[] = {
    {"matchExact", Match::match_exact},
    {"matchRepoDigestOrExact", Match::match_repo_digest_or_exact},
    {"matchRepository", Match::match_repository},
    {"exactReference", Match::exact_reference},
    {"exactRepository", Match::exact_repository},
    {"remapIdentity", Match::remap_identity},
};

// Names of transports, and whether a scope is a path.
constexpr std::string_view kTransports[] = {
    "atomic", "containers-storage", "dir",    "docker", "docker-archive", "docker-daemon",
    "oci",    "oci-archive",        "ostree", "sif",    "tarball"};

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Error fault(std::string_view where, std::string_view what) const {
    return {Errc::invalid_argument,
            concat(path_, where.empty() ? "" : ": ", one_line(where), ": ", what)};
  }

  Result<const json::Object*> object(const json::Value& value, std::string_view where) const {
    if (value.as_object() != nullptr) return value.as_object();
    return fault(where, concat("must be an object, is ", value.type_name()));
  }
  Result<std::string> text(const json::Value& value, std::string_view where) const {
    if (value.as_string() != nullptr) return *value.as_string();
    return fault(where, concat("must be a string, is ", value.type_name()));
  }
  Result<Strings> texts(const json::Value& value, std::string_view where) const {
    const json::Array* list = value.as_array();
    if (list == nullptr)
      return fault(where, concat("must be a list of strings, is ", value.type_name()));
    if (list->empty()) return fault(where, "is empty");
    Strings out;
    for (const json::Value& item : *list) {
      std::string one = TRY(text(item, where));
      out.push_back(std::move(one));
    }
    return out;
  }

  Result<Policy> policy(const json::Value& value) const {
    Policy policy;
    policy.path = path_;
    const json::Object* top = TRY(object(value, ""));
    bool has_default = false;
    for (const auto& [key, member] : *top) {
      if (key == "default") {
        policy.default_requirements = TRY(requirements(member, key));
        has_default = true;
      } else if (key == "transports") {
        TRY(transports(member, &policy));
      } else {
        return fault(key, "not known");
      }
    }
    if (!has_default) return fault("default", "is missing");
    return policy;
  }

 private:
  Status transports(const json::Value& value, Policy* policy) const {
    const json::Object* table = TRY(object(value, "transports"));
    for (const auto& [transport, scopes] : *table) {
      std::string where = concat("transports.", transport);
      if (std::find(std::begin(kTransports), std::end(kTransports), transport) ==
          std::end(kTransports))
        return fault(where, "no such transport");
      const json::Object* rows = TRY(object(scopes, where));
      for (const auto& [scope, list] : *rows) {
        std::string at = concat(where, ".", quote(scope));
        TRY(check_scope(transport, scope, at));
        policy->transports[transport][scope] = TRY(requirements(list, at));
      }
    }
    return {};
  }

  Status check_scope(const std::string& transport, const std::string& scope,
                     std::string_view at) const {
    if (scope.empty()) return {};
    if (transport == "docker" || transport == "atomic") {
      if (scope.find("//") != std::string::npos || scope.starts_with('/') ||
          scope.find('*', scope.starts_with("*.") ? 1 : 0) != std::string::npos || scope == "*.")
        return fault(at, "is neither HOST, HOST/PATH, a reference nor *.DOMAIN");
    } else if (transport == "dir" || transport == "oci") {
      if (!scope.starts_with('/')) return fault(at, "must be an absolute path");
    }
    return {};
  }

  Result<std::vector<Requirement>> requirements(const json::Value& value,
                                                std::string_view where) const {
    const json::Array* list = value.as_array();
    if (list == nullptr) return fault(where, concat("must be a list, is ", value.type_name()));
    if (list->empty()) return fault(where, "has no requirement: write one, such as reject");
    std::vector<Requirement> out;
    for (std::size_t i = 0; i < list->size(); ++i) {
      Requirement one = TRY(requirement((*list)[i], concat(where, "[", i, "]")));
      out.push_back(std::move(one));
    }
    return out;
  }

  Result<Requirement> requirement(const json::Value& value, const std::string& where) const {
    const json::Object* members = TRY(object(value, where));
    const json::Value* type = members->find("type");
    if (type == nullptr) return fault(where, "has no type");
    std::string name = TRY(text(*type, where + ".type"));
    Requirement out;
    out.where = concat(path_, ": ", where);
    if (name == "insecureAcceptAnything" || name == "reject") {
      out.type = name == "reject" ? Type::reject : Type::accept_anything;
      for (const auto& [key, member] : *members)
        if (key != "type") return fault(concat(where, ".", key), concat("not known of ", name));
      return out;
    }
    if (name == "signedBy") return signed_by(*members, where, std::move(out));
    if (name == "sigstoreSigned") return sigstore_signed(*members, where, std::move(out));
    if (name == "signedBaseLayer") {
      out.type = Type::signed_by;
      out.unsupported = "signedBaseLayer";
      return out;
    }
    return fault(where + ".type", concat("no such requirement: ", quote(name)));
  }

  // Exactly one of the four ways to give keys; `counted`: others that give keys too.
  Status check_keys(int ways, const std::string& where) const {
    if (ways == 1) return {};
    return fault(where, ways == 0 ? "has no key: keyPath, keyPaths or keyData"
                                  : "must have exactly one of keyPath, keyPaths and keyData");
  }

  // True when `key` is one that gives keys.
  Result<bool> key_member(const std::string& key, const json::Value& value,
                          const std::string& where, Requirement* out) const {
    std::string at = concat(where, ".", key);
    if (key == "keyPath") {
      std::string one = TRY(text(value, at));
      out->key_paths.push_back(std::move(one));
    } else if (key == "keyPaths") {
      out->key_paths = TRY(texts(value, at));
    } else if (key == "keyData") {
      std::string one = TRY(text(value, at));
      TRY(add_data(one, at, out));
    } else if (key == "keyDatas") {
      for (const std::string& one : TRY(texts(value, at))) TRY(add_data(one, at, out));
    } else {
      return false;
    }
    return true;
  }
  Status add_data(std::string_view encoded, std::string_view at, Requirement* out) const {
    if (!base64_decode(encoded)) return fault(at, "is not base64");
    out->key_data.emplace_back(encoded);
    return {};
  }

  Result<Requirement> signed_by(const json::Object& members, const std::string& where,
                                Requirement out) const {
    out.type = Type::signed_by;
    int ways = 0;
    bool key_type = false;
    for (const auto& [key, value] : members) {
      if (key == "type") continue;
      if (key == "keyType") {
        std::string kind = TRY(text(value, where + ".keyType"));
        key_type = true;
        if (kind == "signedByGPGKeys" || kind == "X509Certificates" || kind == "signedByX509CAs")
          out.unsupported = concat("keyType ", kind);
        else if (kind != "GPGKeys")
          return fault(where + ".keyType", concat("no such type of key: ", quote(kind)));
      } else if (key == "signedIdentity") {
        out.identity = TRY(identity(value, where + ".signedIdentity"));
      } else if (key != "keyDatas" && TRY(key_member(key, value, where, &out))) {
        ++ways;
      } else {
        return fault(concat(where, ".", key), "not known of signedBy");
      }
    }
    if (!key_type) return fault(where, "has no keyType: GPGKeys");
    TRY(check_keys(ways, where));
    return out;
  }

  Result<Requirement> sigstore_signed(const json::Object& members, const std::string& where,
                                      Requirement out) const {
    out.type = Type::sigstore_signed;
    int ways = 0;
    for (const auto& [key, value] : members) {
      if (key == "type") continue;
      if (key == "signedIdentity") {
        out.identity = TRY(identity(value, where + ".signedIdentity"));
      } else if (key == "fulcio" || key == "pki") {
        out.unsupported = key;
        ++ways;
      } else if (key == "rekorPublicKeyPath" || key == "rekorPublicKeyData" ||
                 key == "rekorPublicKeyPaths" || key == "rekorPublicKeyDatas") {
        out.unsupported = key;
      } else if (TRY(key_member(key, value, where, &out))) {
        ++ways;
      } else {
        return fault(concat(where, ".", key), "not known of sigstoreSigned");
      }
    }
    TRY(check_keys(ways, where));
    return out;
  }

  Result<SignedIdentity> identity(const json::Value& value, const std::string& where) const {
    const json::Object* members = TRY(object(value, where));
    SignedIdentity out;
    std::string type;
    for (const auto& [key, member] : *members) {
      std::string given = TRY(text(member, concat(where, ".", key)));
      if (key == "type")
        type = given;
      else if (key == "dockerReference" || key == "dockerRepository")
        out.reference = given;
      else if (key == "prefix")
        out.prefix = given;
      else if (key == "signedPrefix")
        out.signed_prefix = given;
      else
        return fault(concat(where, ".", key), "not known");
    }
    auto known = std::find_if(std::begin(kMatches), std::end(kMatches),
                              [&](const auto& row) { return row.name == type; });
    if (known == std::end(kMatches))
      return fault(where + ".type", concat("no such match: ", quote(type)));
    out.match = known->match;
    TRY(check_identity(*members, out, where));
    return out;
  }

  // Each match has its own members, all of them, and no others.
  Status check_identity(const json::Object& members, const SignedIdentity& identity,
                        const std::string& where) const {
    Strings wanted = {"type"};
    if (identity.match == Match::exact_reference) wanted.emplace_back("dockerReference");
    if (identity.match == Match::exact_repository) wanted.emplace_back("dockerRepository");
    if (identity.match == Match::remap_identity)
      wanted.insert(wanted.end(), {"prefix", "signedPrefix"});
    for (const std::string& key : wanted)
      if (const json::Value* value = members.find(key);
          value == nullptr || value->string_or("").empty())
        return fault(concat(where, ".", key), "is missing");
    for (const auto& [key, value] : members)
      if (std::find(wanted.begin(), wanted.end(), key) == wanted.end())
        return fault(concat(where, ".", key), "does not belong to this type of match");
    return {};
  }

  const std::string& path_;
};

// name, ":tag" or "@digest" of a full reference; of one with both, the digest.
struct Parts {
  std::string_view name, tag, digest;
};
Parts parts_of(std::string_view reference) {
  Parts parts;
  std::size_t at = reference.find('@');
  if (at != std::string_view::npos) parts.digest = reference.substr(at + 1);
  std::string_view rest = reference.substr(0, at);
  std::size_t slash = rest.rfind('/'), colon = rest.rfind(':');
  if (slash != std::string_view::npos && colon != std::string_view::npos && colon > slash) {
    parts.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  parts.name = rest;
  return parts;
}

bool same_exactly(const Parts& a, const Parts& b) {
  return a.name == b.name && a.tag == b.tag && a.digest == b.digest &&
         !(a.tag.empty() && a.digest.empty());
}

// A path and its parents, without "/" itself: that is the scope "".
const std::vector<Requirement>* find_path_scope(
    const std::map<std::string, std::vector<Requirement>>& scopes, std::string_view path) {
  while (!path.empty() && path != "/") {
    if (auto it = scopes.find(std::string(path)); it != scopes.end()) return &it->second;
    path = path.substr(0, path.rfind('/'));
  }
  return nullptr;
}

const std::vector<Requirement>* find_docker_scope(
    const std::map<std::string, std::vector<Requirement>>& scopes, std::string_view reference) {
  auto at = [&](const std::string& scope) {
    auto it = scopes.find(scope);
    return it != scopes.end() ? &it->second : nullptr;
  };
  if (const auto* found = at(std::string(reference))) return found;
  std::string_view name = parts_of(reference).name;
  for (;;) {
    if (const auto* found = at(std::string(name))) return found;
    std::size_t slash = name.rfind('/');
    if (slash == std::string_view::npos) break;
    name = name.substr(0, slash);
  }
  // What is left is the host: example.com:5000 is of *.com, as Podman has it, without its port.
  std::string_view host = name.substr(0, name.find(':'));
  for (std::size_t dot = host.find('.'); dot != std::string_view::npos;
       dot = host.find('.', dot + 1))
    if (const auto* found = at(concat("*", host.substr(dot)))) return found;
  return nullptr;
}

}  // namespace

Result<Policy> parse_policy(std::string_view text, const std::string& path) {
  auto value = json::parse(text, {.max_depth = 16, .max_size = 4 << 20});
  if (!value) return std::move(value.error()).wrap(path);
  return Reader(path).policy(*value);
}

Result<Policy> load_policy(const RegistryPlaces& places, const std::string& named) {
  Strings paths;
  if (!named.empty()) {
    paths.push_back(named);
  } else {
    if (!places.config_home.empty())
      paths.push_back(places.config_home + "/containers/policy.json");
    paths.push_back(places.prefix + "/etc/containers/policy.json");
    paths.push_back(places.prefix + "/usr/share/containers/policy.json");
  }
  for (const std::string& path : paths) {
    auto text = sys::read_small_file(path);
    if (text) return parse_policy(*text, path);
    if (!named.empty() || text.error().code() != Errc::not_found) return std::move(text.error());
  }
  Policy anything;
  anything.default_requirements.emplace_back();
  return anything;
}

const std::vector<Requirement>& requirements_for(const Policy& policy, std::string_view transport,
                                                 std::string_view scope) {
  auto scopes = policy.transports.find(std::string(transport));
  if (scopes == policy.transports.end()) return policy.default_requirements;
  const auto* found = transport == "docker" || transport == "atomic"
                          ? find_docker_scope(scopes->second, scope)
                          : find_path_scope(scopes->second, scope);
  if (found != nullptr) return *found;
  auto whole = scopes->second.find("");
  return whole != scopes->second.end() ? whole->second : policy.default_requirements;
}

Status load_keys(std::vector<Requirement>* requirements) {
  for (Requirement& one : *requirements) {
    for (const std::string& path : one.key_paths) {
      std::string key = TRY_CTX(sys::read_small_file(path, 1 << 20), one.where);
      one.key_data.push_back(base64_encode(key));
    }
    one.key_paths.clear();
  }
  return {};
}

bool accepts_unseen(const std::vector<Requirement>& requirements) {
  return std::all_of(requirements.begin(), requirements.end(),
                     [](const Requirement& one) { return one.type == Type::accept_anything; });
}

Status check_outright(const std::vector<Requirement>& requirements, std::string_view image) {
  for (const Requirement& one : requirements) {
    if (one.type == Type::reject)
      return Error(Errc::permission, concat("Source image rejected: Running image ", image,
                                            " is rejected by policy. (", one.where, ")"));
    if (!one.unsupported.empty())
      return Error(Errc::unsupported, concat("Source image rejected: ", one.where, ": ",
                                             one.unsupported, " is not supported"));
  }
  return {};
}

bool identity_matches(const SignedIdentity& identity, std::string_view wanted,
                      std::string_view signed_reference) {
  Parts want = parts_of(wanted), found = parts_of(signed_reference);
  if (found.name.empty()) return false;
  std::string remapped;
  switch (identity.match) {
    case Match::match_exact:
      return same_exactly(want, found);
    case Match::exact_reference:
      return same_exactly(parts_of(identity.reference), found);
    case Match::exact_repository:
      return found.name == identity.reference;
    case Match::match_repository:
      return found.name == want.name;
    case Match::remap_identity:
      if (std::string_view prefix = identity.prefix;
          wanted.starts_with(prefix) &&
          (wanted.size() == prefix.size() ||
           std::string_view("/:@").find(wanted[prefix.size()]) != std::string_view::npos)) {
        remapped = concat(identity.signed_prefix, wanted.substr(prefix.size()));
        want = parts_of(remapped);
      }
      [[fallthrough]];
    case Match::match_repo_digest_or_exact:
      // Asked for by digest, the signature of any tag will do: the digest is checked beside.
      if (want.tag.empty() && !want.digest.empty())
        return want.name == found.name && !(found.tag.empty() && found.digest.empty());
      return same_exactly(want, found);
  }
  return false;
}

void bind(json::Binder& b, SignedIdentity& identity) {
  auto match = static_cast<std::uint32_t>(identity.match);
  b.required("match", match);
  if (b.reading()) {
    if (match > static_cast<std::uint32_t>(Match::remap_identity)) return b.fail("no such match");
    identity.match = static_cast<Match>(match);
  }
  b("reference", identity.reference);
  b("prefix", identity.prefix);
  b("signed_prefix", identity.signed_prefix);
}

void bind(json::Binder& b, Requirement& requirement) {
  auto type = static_cast<std::uint32_t>(requirement.type);
  b.required("type", type);
  if (b.reading()) {
    if (type > static_cast<std::uint32_t>(Type::sigstore_signed))
      return b.fail("no such requirement");
    requirement.type = static_cast<Type>(type);
  }
  b("key_paths", requirement.key_paths);
  b("key_data", requirement.key_data);
  b("identity", requirement.identity);
  b("unsupported", requirement.unsupported);
  b("where", requirement.where);
}

}  // namespace minke::config
