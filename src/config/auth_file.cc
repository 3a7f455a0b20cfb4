#include "config/auth_file.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>

#include "base/str.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "config/credential_helper.h"
#include "config/toml_file.h"
#include "sys/fd.h"
#include "sys/lock.h"

namespace minke::config {
namespace {

constexpr std::string_view kFileHelper = "containers-auth.json";
constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kDockerHubIndex = "index.docker.io";
constexpr std::string_view kDockerHubKey = "https://index.docker.io/v1/";  // as Docker writes it
constexpr json::ParseLimits kLimits = {.max_depth = 16, .max_size = 4 << 20};

std::string_view host_of(std::string_view name) { return name.substr(0, name.find('/')); }

std::string_view as_index(std::string_view host) {
  return host == kDockerHub || host == "registry-1.docker.io" ? kDockerHubIndex : host;
}

// The host that a key of a file is about: "https://index.docker.io/v1/" is index.docker.io. A key
// with a path and no scheme is about that repository only, but in the legacy file.
std::string_view host_of_key(std::string_view key, bool legacy) {
  std::string_view stripped = key;
  for (std::string_view scheme : {"http://", "https://"})
    if (stripped.starts_with(scheme)) stripped.remove_prefix(scheme.size());
  if (legacy || stripped.size() != key.size()) stripped = host_of(stripped);
  return as_index(stripped);
}

// What a helper is asked for.
std::string server_of(std::string_view host, bool docker) {
  return std::string(docker && as_index(host) == kDockerHubIndex ? kDockerHubKey : host);
}

// "a/b/c", "a/b", "a".
std::vector<std::string_view> name_and_parents(std::string_view name) {
  std::vector<std::string_view> keys = {name};
  for (std::size_t slash = name.rfind('/'); slash != std::string_view::npos;
       slash = name.rfind('/', slash - 1)) {
    if (slash == 0) break;
    keys.push_back(name.substr(0, slash));
  }
  return keys;
}

Error fault(const std::string& path, std::string_view key, std::string_view what) {
  return {Errc::invalid_argument, concat(path, key.empty() ? "" : ": ", one_line(key), ": ", what)};
}

Result<std::string> text_member(const json::Value& entry, const char* member,
                                const std::string& path, std::string_view key) {
  const json::Value* value = entry.find(member);
  if (value == nullptr || value->is_null()) return std::string();
  if (value->as_string() == nullptr)
    return fault(path, concat(key, ".", member),
                 concat("must be a string, is ", value->type_name()));
  return *value->as_string();
}

// "auth" is USER:PASSWORD in base64; Docker ends some with NULs.
Result<AuthFile::Entry> parse_entry(const json::Value& value, const std::string& path,
                                    std::string_view key) {
  AuthFile::Entry entry;
  if (value.is_null()) return entry;
  if (value.as_object() == nullptr)
    return fault(path, key, concat("must be an object, is ", value.type_name()));
  std::string auth = TRY(text_member(value, "auth", path, key));
  entry.identity_token = TRY(text_member(value, "identitytoken", path, key));
  entry.username = TRY(text_member(value, "username", path, key));
  entry.password = TRY(text_member(value, "password", path, key));
  if (auth.empty()) return entry;
  auto decoded = base64_decode(auth);
  if (!decoded) return fault(path, concat(key, ".auth"), "is not base64");
  auto pair = split_once(*decoded, ':');
  if (!pair) return entry;  // as Podman and Docker: nobody
  entry.username = pair->first;
  std::string_view password = pair->second;
  while (password.ends_with('\0')) password.remove_suffix(1);
  entry.password = password;
  return entry;
}

Status parse_auths(const json::Value& auths, const std::string& path, std::string_view within,
                   AuthFile* file) {
  if (auths.is_null()) return {};
  if (auths.as_object() == nullptr)
    return fault(path, within, concat("must be an object, is ", auths.type_name()));
  for (const auto& [key, value] : *auths.as_object()) {
    std::string full = within.empty() ? key : concat(within, ".", key);
    file->auths[key] = TRY(parse_entry(value, path, full));
  }
  return {};
}

Result<json::Value> parse_object(std::string_view text, const std::string& path) {
  if (trim(text).empty()) return json::Value(json::Object());
  auto value = json::parse(text, kLimits);
  if (!value) return fault(path, "", value.error().message());
  if (value->as_object() == nullptr) return fault(path, "", "must be a JSON object");
  return std::move(*value);
}

Credentials credentials_of(const AuthFile::Entry& entry, const std::string& where) {
  return {entry.username, entry.password, entry.identity_token, where};
}

// Go's MarshalIndent with tabs, as Podman and Docker write these files.
std::string with_tabs(std::string_view text) {
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    std::size_t blanks = std::min(line.find_first_not_of(' '), line.size());
    out += concat(out.empty() ? "" : "\n", std::string(blanks, '\t'), line.substr(blanks));
  }
  return out;
}

// A change of the file: read again under a lock, written whole.
class Edit {
 public:
  static Result<Edit> begin(const std::string& path) {
    Edit edit;
    std::size_t slash = path.rfind('/');
    std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
    TRY(sys::ensure_dirs(folder.empty() ? "/" : folder, 0700));
    edit.lock_ = TRY(sys::FileLock::lock_folder(folder.empty() ? "/" : folder));
    // A link is written through, as an editor does: Docker's file often is one.
    edit.path_ = path;
    if (auto target = real_path(path)) edit.path_ = *target;
    auto text = sys::read_small_file(edit.path_);
    if (!text && text.error().code() != Errc::not_found) return std::move(text.error());
    edit.value_ = TRY(parse_object(text ? *text : "", edit.path_));
    edit.file_ = TRY(parse_auth_file(text ? *text : "", edit.path_));
    return edit;
  }

  const AuthFile& file() const { return file_; }

  json::Object& auths() {
    json::Value& member = (*value_.as_object())["auths"];
    if (member.as_object() == nullptr) member = json::Object();
    return *member.as_object();
  }
  void clear_helpers() { value_.as_object()->erase("credHelpers"); }

  Status commit() {
    return sys::write_file(path_, with_tabs(json::dump(value_, 1)), 0600, sys::Durability::data);
  }

 private:
  Edit() = default;
  static std::optional<std::string> real_path(const std::string& path) {
    std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
    if (!real) return std::nullopt;
    return std::string(real.get());
  }

  sys::FileLock lock_;
  std::string path_;
  json::Value value_;
  AuthFile file_;
};

}  // namespace

Result<Credentials> parse_creds(std::string_view text) {
  Credentials creds;
  auto pair = split_once(text, ':');
  creds.username = pair ? pair->first : text;
  if (pair) creds.password = pair->second;
  if (creds.username.empty())
    return Error(Errc::invalid_argument,
                 "--creds: username can't be empty: use USER:PASSWORD or USER");
  creds.where = "--creds";
  return creds;
}

Result<AuthFile> parse_auth_file(std::string_view text, const std::string& path, bool legacy) {
  json::Value value = TRY(parse_object(text, path));
  AuthFile file;
  if (legacy) {
    TRY(parse_auths(value, path, "", &file));
    return file;
  }
  if (const json::Value* auths = value.find("auths"))
    TRY(parse_auths(*auths, path, "auths", &file));
  file.creds_store = TRY(text_member(value, "credsStore", path, ""));
  const json::Value* helpers = value.find("credHelpers");
  if (helpers == nullptr || helpers->is_null()) return file;
  if (helpers->as_object() == nullptr)
    return fault(path, "credHelpers", concat("must be an object, is ", helpers->type_name()));
  for (const auto& [host, name] : *helpers->as_object()) {
    if (name.as_string() == nullptr)
      return fault(path, concat("credHelpers.", host),
                   concat("must be a string, is ", name.type_name()));
    file.cred_helpers[host] = *name.as_string();
  }
  return file;
}

AuthStore::AuthStore(RegistryPlaces places, std::string authfile, std::vector<std::string> helpers)
    : places_(std::move(places)), helpers_(std::move(helpers)) {
  if (helpers_.empty()) helpers_.emplace_back(kFileHelper);
  path_ = authfile.empty() ? places_.auth_file : std::move(authfile);
  named_ = !path_.empty();
  if (named_) {
    sources_.push_back({path_});
    return;
  }
  std::string runtime = places_.runtime_dir.empty()
                            ? concat(places_.prefix, "/run/containers/", places_.uid)
                            : places_.runtime_dir + "/containers";
  path_ = runtime + "/auth.json";
  sources_.push_back({path_});
  // Under su or cron there is no folder of the login, and /run/containers is root's.
  if (places_.uid != 0 && places_.runtime_dir.empty() && !places_.config_home.empty())
    path_ = places_.config_home + "/containers/auth.json";
  if (!places_.config_home.empty())
    sources_.push_back({places_.config_home + "/containers/auth.json"});
  if (!places_.docker_config.empty())
    sources_.push_back({places_.docker_config + "/config.json"});
  else if (!places_.home.empty())
    sources_.push_back({places_.home + "/.docker/config.json"});
  if (!places_.home.empty()) sources_.push_back({places_.home + "/.dockercfg", true});
}

void AuthStore::use_docker_format(std::string path) {
  path_ = std::move(path);
  sources_ = {{path_}};
  helpers_ = {std::string(kFileHelper)};
  named_ = docker_ = true;
}

Result<std::optional<AuthFile>> AuthStore::read(const Source& source) const {
  auto text = sys::read_small_file(source.path);
  if (!text) {
    // A place where one looks by default may be closed to this user (/run/containers is root's).
    Errc code = text.error().code();
    if (code == Errc::not_found || (code == Errc::permission && !named_))
      return std::optional<AuthFile>();
    return std::move(text.error());
  }
  AuthFile file = TRY(parse_auth_file(*text, source.path, source.legacy));
  return std::optional(std::move(file));
}

Result<Credentials> AuthStore::find_in_file(const Source& source, std::string_view name) const {
  std::optional<AuthFile> file = TRY(read(source));
  if (!file) return Credentials();
  std::string host(host_of(name));
  if (auto helper = file->cred_helpers.find(host); helper != file->cred_helpers.end())
    return CredentialHelper{helper->second}.get(host);
  if (!source.legacy)
    for (std::string_view key : name_and_parents(name))
      if (auto it = file->auths.find(std::string(key)); it != file->auths.end())
        if (Credentials creds = credentials_of(it->second, source.path); !creds.empty())
          return creds;
  for (const auto& [key, entry] : file->auths)
    if (host_of_key(key, source.legacy) == as_index(host))
      if (Credentials creds = credentials_of(entry, source.path); !creds.empty()) return creds;
  if (!file->creds_store.empty())
    return CredentialHelper{file->creds_store}.get(server_of(host, true));
  return Credentials();
}

Result<Credentials> AuthStore::find(std::string_view name) const {
  for (const std::string& helper : helpers_) {
    if (helper != kFileHelper) {
      Credentials creds = TRY(CredentialHelper{helper}.get(host_of(name)));
      if (!creds.empty()) return creds;
      continue;
    }
    for (const Source& source : sources_) {
      Credentials creds = TRY(find_in_file(source, name));
      if (!creds.empty()) return creds;
    }
  }
  return Credentials();
}

Result<std::string> AuthStore::store(std::string_view name, const Credentials& creds) const {
  std::string host(host_of(name));
  auto by_helper = [&](const std::string& helper, bool docker) -> Result<std::string> {
    if (host.size() != name.size())
      return Error(Errc::unsupported,
                   concat("credential helper docker-credential-", helper,
                          " keeps credentials of registries only, not of ", name));
    TRY(CredentialHelper{helper}.store(server_of(host, docker), creds));
    return "docker-credential-" + helper;
  };
  if (helpers_.front() != kFileHelper) return by_helper(helpers_.front(), false);
  Edit edit = TRY(Edit::begin(path_));
  const AuthFile& file = edit.file();
  if (auto helper = file.cred_helpers.find(host); helper != file.cred_helpers.end())
    return by_helper(helper->second, false);
  if (!file.creds_store.empty()) return by_helper(file.creds_store, true);
  json::Object entry;
  std::string pair = concat(creds.username, ":", creds.password);
  if (!creds.username.empty()) entry.set("auth", base64_encode(pair));
  if (!creds.identity_token.empty()) entry.set("identitytoken", creds.identity_token);
  edit.auths().set(docker_ ? server_of(name, true) : std::string(name), std::move(entry));
  TRY(edit.commit());
  return path_;
}

Result<bool> AuthStore::erase(std::string_view name) const {
  std::string host(host_of(name));
  bool found = false;
  auto by_helper = [&](const std::string& helper, const std::string& server) -> Status {
    bool erased = TRY(CredentialHelper{helper}.erase(server));
    found = found || erased;
    return {};
  };
  for (const std::string& helper : helpers_)
    if (helper != kFileHelper) TRY(by_helper(helper, host));
  if (std::find(helpers_.begin(), helpers_.end(), kFileHelper) == helpers_.end() ||
      !sys::exists(path_))
    return found;
  Edit edit = TRY(Edit::begin(path_));
  if (auto it = edit.file().cred_helpers.find(host); it != edit.file().cred_helpers.end())
    TRY(by_helper(it->second, host));
  if (!edit.file().creds_store.empty())
    TRY(by_helper(edit.file().creds_store, server_of(host, true)));
  bool changed = false;
  for (const auto& [key, entry] : edit.file().auths)
    if (key == name || (host == name && host_of_key(key, false) == as_index(host)))
      changed = edit.auths().erase(key) || changed;
  if (changed) TRY(edit.commit());
  return found || changed;
}

Status AuthStore::erase_all() const {
  for (const std::string& helper : helpers_) {
    if (helper == kFileHelper) continue;
    CredentialHelper program{helper};
    for (const std::string& server : TRY(program.list())) TRY(program.erase(server));
  }
  if (!sys::exists(path_)) return {};
  Edit edit = TRY(Edit::begin(path_));
  for (const auto& [host, helper] : edit.file().cred_helpers)
    TRY(CredentialHelper{helper}.erase(host));
  if (!edit.file().creds_store.empty()) {
    CredentialHelper program{edit.file().creds_store};
    for (const std::string& server : TRY(program.list())) TRY(program.erase(server));
  }
  edit.auths() = json::Object();
  edit.clear_helpers();
  return edit.commit();
}

Result<std::vector<std::string>> AuthStore::list() const {
  std::set<std::string> names;
  for (const std::string& helper : helpers_)
    if (helper != kFileHelper)
      for (std::string& server : TRY(CredentialHelper{helper}.list()))
        names.insert(std::move(server));
  for (const Source& source : sources_) {
    std::optional<AuthFile> file = TRY(read(source));
    if (!file) continue;
    for (const auto& [key, entry] : file->auths)
      if (!credentials_of(entry, "").empty())
        names.insert(std::string(key == kDockerHubKey ? kDockerHub : std::string_view(key)));
    for (const auto& [host, helper] : file->cred_helpers) names.insert(host);
    if (file->creds_store.empty()) continue;
    for (const std::string& server : TRY(CredentialHelper{file->creds_store}.list()))
      names.insert(server);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace minke::config
