// Who one is at a registry: containers-auth.json(5), Docker's config.json and .dockercfg, and the
// programs docker-credential-NAME.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/registries_conf.h"

namespace minke::config {

struct Credentials {
  std::string username, password;
  std::string identity_token;  // of an OAuth2 login: in place of the password
  std::string where;           // the file or the helper that said so, for messages
  bool empty() const { return username.empty() && password.empty() && identity_token.empty(); }
};

// "USER:PASSWORD" or "USER" of --creds. The password of "USER" alone is empty: the caller asks.
Result<Credentials> parse_creds(std::string_view text);

// What one authentication file says.
struct AuthFile {
  struct Entry {
    std::string username, password, identity_token;
  };
  std::map<std::string, Entry> auths;               // by "quay.io/team", as written
  std::map<std::string, std::string> cred_helpers;  // registry -> NAME
  std::string creds_store;                          // NAME for all others; Docker's
};
// `legacy`: .dockercfg, which is the auths alone. Errors name `path` and the key, never a secret.
Result<AuthFile> parse_auth_file(std::string_view text, const std::string& path,
                                 bool legacy = false);

// Reads and writes credentials. `authfile` (--authfile) stands in front of REGISTRY_AUTH_FILE, and
// either is the only file then.
class AuthStore {
 public:
  // `helpers`: credential-helpers of registries.conf; none: the files alone.
  AuthStore(RegistryPlaces places, std::string authfile, std::vector<std::string> helpers = {});
  // The file is Docker's config.json by path, read and written in its format (--compat-auth-file).
  void use_docker_format(std::string path);

  // For `name`, "quay.io/team/app" or "quay.io": the longest key that is the name or a parent of
  // it, of the first file that has one; a registry of its own helper asks that. Empty: none known.
  // A file that is there and cannot be read is an error, and so is a helper that fails.
  Result<Credentials> find(std::string_view name) const;

  // Keeps them for `name`: by the helper that the file names for it, else in the file (0600, by
  // rename). Returns where.
  Result<std::string> store(std::string_view name, const Credentials& creds) const;
  // Forgets `name` in the file that store() writes and in helpers; false when nothing was there.
  Result<bool> erase(std::string_view name) const;
  Status erase_all() const;

  // Names with credentials, sorted, of all files and helpers.
  Result<std::vector<std::string>> list() const;

  // The file that `store` writes, for messages.
  const std::string& path() const { return path_; }
  bool was_named() const { return named_; }

 private:
  struct Source {
    std::string path;
    bool legacy = false;
  };
  Result<std::optional<AuthFile>> read(const Source& source) const;  // nothing: not there
  Result<Credentials> find_in_file(const Source& source, std::string_view name) const;

  RegistryPlaces places_;
  std::vector<std::string> helpers_;
  std::vector<Source> sources_;
  std::string path_;
  bool named_ = false;   // by --authfile or REGISTRY_AUTH_FILE: no other file counts
  bool docker_ = false;  // Docker's file: keys are registries only
};

}  // namespace minke::config
