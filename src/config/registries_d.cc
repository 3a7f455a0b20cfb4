#include "config/registries_d.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/str.h"
#include "codec/yaml.h"
#include "config/toml_file.h"
#include "sys/fd.h"

namespace minke::config {
namespace {

struct Namespace {
  std::string lookaside;
  std::optional<bool> attachments;
};
struct Merged {
  std::optional<Namespace> base;  // default-docker
  std::map<std::string, Namespace> docker;
  std::string base_file;
  std::map<std::string, std::string> files;  // which file has said each
};

class Reader {
 public:
  Reader(const std::string& path, Merged* out) : path_(path), out_(*out) {}

  Status file(const json::Value& top) {
    if (top.is_null()) return {};
    if (top.as_object() == nullptr) return fault("", "must be a map");
    for (const auto& [key, value] : *top.as_object()) {
      if (key == "default-docker") {
        if (out_.base) return fault(key, concat("was said by ", out_.base_file, " already"));
        out_.base = TRY(one(value, key));
        out_.base_file = path_;
      } else if (key == "docker") {
        TRY(docker(value));
      } else {
        return fault(key, "not known");
      }
    }
    return {};
  }

 private:
  Error fault(std::string_view key, std::string_view what) const {
    return {Errc::invalid_argument,
            concat(path_, key.empty() ? "" : ": ", one_line(key), ": ", what)};
  }

  Status docker(const json::Value& table) {
    if (table.is_null()) return {};
    if (table.as_object() == nullptr) return fault("docker", "must be a map");
    for (const auto& [name, value] : *table.as_object()) {
      std::string key = concat("docker.", name);
      if (auto it = out_.files.find(name); it != out_.files.end())
        return fault(key, concat("was said by ", it->second, " already"));
      out_.docker[name] = TRY(one(value, key));
      out_.files[name] = path_;
    }
    return {};
  }

  Result<Namespace> one(const json::Value& value, const std::string& within) const {
    Namespace out;
    if (value.is_null()) return out;
    if (value.as_object() == nullptr) return fault(within, "must be a map");
    std::string old;
    for (const auto& [key, member] : *value.as_object()) {
      std::string at = concat(within, ".", key);
      if (key == "use-sigstore-attachments") {
        if (member.as_bool() == nullptr) return fault(at, "must be true or false");
        out.attachments = *member.as_bool();
      } else if (key == "lookaside" || key == "sigstore") {
        std::string url = TRY(url_of(member, at));
        (key == "lookaside" ? out.lookaside : old) = std::move(url);
      } else if (key == "lookaside-staging" || key == "sigstore-staging") {
        TRY(url_of(member, at));  // where signatures are written to: nothing here writes any
      } else {
        return fault(at, "not known");
      }
    }
    if (out.lookaside.empty()) out.lookaside = old;
    return out;
  }

  Result<std::string> url_of(const json::Value& value, std::string_view at) const {
    if (value.as_string() == nullptr) return fault(at, "must be an address");
    std::string url = *value.as_string();
    bool known =
        url.starts_with("https://") || url.starts_with("http://") || url.starts_with("file:///");
    if (!known || std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' '; }))
      return fault(at, concat(quote(url), " is no http, https or file address"));
    while (url.ends_with('/') && !url.ends_with("//")) url.pop_back();
    return url;
  }

  const std::string& path_;
  Merged& out_;
};

}  // namespace

Result<SignatureStore> find_signature_store(const RegistryPlaces& places,
                                            std::string_view reference) {
  Merged merged;
  std::string folder = places.prefix + "/etc/containers/registries.d";
  if (!places.config_home.empty())
    if (std::string own = places.config_home + "/containers/registries.d"; sys::exists(own))
      folder = own;
  auto names = sys::list_dir(sys::DirFd::cwd(), folder.c_str());
  if (!names) {
    if (names.error().code() == Errc::not_found) return SignatureStore();
    return std::move(names.error());
  }
  for (const std::string& name : *names) {
    if (!name.ends_with(".yaml")) continue;
    std::string path = concat(folder, "/", name);
    std::string text = TRY(sys::read_small_file(path));
    json::Value value = TRY_CTX(yaml::parse(text), path);
    TRY(Reader(path, &merged).file(value));
  }

  // The reference, the repository, its parents, the host; then *.domains of the host.
  std::vector<std::string> keys = {std::string(reference)};
  std::string_view name = reference.substr(0, reference.find('@'));
  std::size_t slash = name.rfind('/'), colon = name.rfind(':');
  if (colon != std::string_view::npos && slash != std::string_view::npos && colon > slash)
    name = name.substr(0, colon);
  for (;; name = name.substr(0, name.rfind('/'))) {
    keys.emplace_back(name);
    if (name.find('/') == std::string_view::npos) break;
  }
  std::string_view host = name.substr(0, name.find(':'));
  for (std::size_t dot = host.find('.'); dot != std::string_view::npos;
       dot = host.find('.', dot + 1))
    keys.push_back(concat("*", host.substr(dot)));

  // Each of the two is of the nearest that says it.
  SignatureStore out;
  std::optional<bool> attachments;
  auto take = [&](const Namespace& from) {
    if (out.lookaside.empty()) out.lookaside = from.lookaside;
    if (!attachments) attachments = from.attachments;
  };
  for (const std::string& key : keys)
    if (auto it = merged.docker.find(key); it != merged.docker.end()) take(it->second);
  if (merged.base) take(*merged.base);
  out.sigstore_attachments = attachments.value_or(false);
  return out;
}

Result<std::string> signature_address(const SignatureStore& store, std::string_view reference,
                                      std::string_view digest, std::size_t number) {
  std::string_view name = reference.substr(0, reference.find('@'));
  std::size_t slash = name.find('/'), colon = name.rfind(':');
  auto parts = split_once(digest, ':');
  if (slash == std::string_view::npos || !parts || !is_hex(parts->second))
    return Error(Errc::invalid_argument, concat("no place for signatures of ", reference));
  if (colon != std::string_view::npos && colon > slash) name = name.substr(0, colon);
  return concat(store.lookaside, "/", name.substr(slash + 1), "@", parts->first, "=", parts->second,
                "/signature-", number);
}

void bind(json::Binder& b, SignatureStore& store) {
  b("lookaside", store.lookaside);
  b("sigstore_attachments", store.sigstore_attachments);
}

}  // namespace minke::config
