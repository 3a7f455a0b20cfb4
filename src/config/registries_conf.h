// containers-registries.conf(5), version 2: where images with short names are looked for, and which
// hosts stand for a registry (mirrors, other places, blocked ones, plain HTTP).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::config {

// Where the configuration of registries is looked for: this file, auth_file.h, certs_d.h,
// policy_json.h and registries_d.h.
struct RegistryPlaces {
  uid_t uid = 0;            // the user's, also inside his namespace
  std::string home;         // of the user; empty: none
  std::string config_home;  // $XDG_CONFIG_HOME or ~/.config; empty: none
  std::string runtime_dir;  // $XDG_RUNTIME_DIR; empty: /run/containers/UID
  std::string conf;         // CONTAINERS_REGISTRIES_CONF (or REGISTRIES_CONFIG_PATH): the one file
  std::string conf_dir;     // CONTAINERS_REGISTRIES_CONF_DIR: the one folder of drop-ins
  std::string auth_file;    // REGISTRY_AUTH_FILE
  std::string docker_config;  // DOCKER_CONFIG: a folder
  std::string prefix;         // in front of /etc, /run, /usr and /var: for tests
};
// As the environment says.
RegistryPlaces find_registry_places(uid_t uid, const std::string& home);

enum class MirrorUse : std::uint8_t { all, digest_only, tag_only };
enum class ShortNameMode : std::uint8_t { enforcing, permissive, disabled };

// Where the bytes of one reference may be asked for. `host` is "quay.io", "localhost:5000" or
// "[::1]:5000", and is what credentials and certificates are looked up by; docker.io is spoken to
// at registry-1.docker.io by the client.
struct Endpoint {
  std::string host;
  std::string repository;  // "library/debian"
  bool insecure = false;   // certificates are not checked, and plain HTTP is tried too
  bool mirror = false;     // another place stands behind it
  std::string name() const { return host + "/" + repository; }
};

struct RegistryMirror {
  std::string location;
  bool insecure = false;
  MirrorUse use = MirrorUse::all;
};
struct RegistryRule {
  std::string prefix;    // "quay.io/team", "*.example.com"
  std::string location;  // what stands in place of the prefix; empty with a wildcard: nothing
  bool insecure = false, blocked = false, mirror_by_digest_only = false;
  std::vector<RegistryMirror> mirrors;
  std::string where;  // "FILE:LINE"
};

struct RegistriesConf {
  std::vector<std::string> unqualified_search;
  std::vector<std::string> credential_helpers;  // empty: the authentication files alone
  std::vector<RegistryRule> rules;              // one per prefix
  ShortNameMode short_name_mode = ShortNameMode::permissive;
  std::map<std::string, std::string> aliases;      // "debian" -> "docker.io/library/debian"
  std::map<std::string, std::string> alias_files;  // which file has said each
  std::string path;   // the main file that was read; empty when there was none at all
  std::string where;  // for messages: the files in the order they were read
};

// The main file (CONTAINERS_REGISTRIES_CONF, else ~/.config/containers/registries.conf, else
// /etc/containers/registries.conf), then *.conf of the folders registries.conf.d by name: what a
// later one says holds, rules are replaced by prefix, aliases one by one. Last the user's own
// aliases (short-name-aliases.conf of the cache). None of them need be there but one that was
// named. An error is one line with file, line and key. What has no effect here goes to `notes`, if
// any.
Result<RegistriesConf> load_registries_conf(const RegistryPlaces& places,
                                            std::vector<std::string>* notes = nullptr);

// Reads one file's text over what `conf` has; for tests and fuzzers.
Status merge_registries_conf(std::string_view text, const std::string& path, RegistriesConf* conf,
                             std::vector<std::string>* notes = nullptr);

// The rule for `name` ("quay.io/team/app", without tag and digest), the longest prefix; null: none.
const RegistryRule* find_rule(const RegistriesConf& conf, std::string_view name);

// Where to ask for registry/repository, in order: mirrors that serve such a reference first, then
// the place itself. `by_digest`: the reference has a digest (mirrors may be for those only).
// A blocked registry is an error (permission) that names the prefix and the file.
Result<std::vector<Endpoint>> resolve(const RegistriesConf& conf, std::string_view registry,
                                      std::string_view repository, bool by_digest);
// The same for pushing, which goes to the place itself only.
Result<Endpoint> resolve_push(const RegistriesConf& conf, std::string_view registry,
                              std::string_view repository);

// What a short name ("debian", "team/app": no registry, tag or digest) may stand for.
struct ShortName {
  std::vector<std::string> candidates;  // full names, "docker.io/library/debian", in order
  bool alias = false;                   // an alias, else one of a list of registries
  std::string where;                    // the file that says so; empty: none does
  bool ambiguous = false;  // several, and short-name-mode says that a person has to choose
};
// An alias stands alone; else the unqualified-search-registries. Where no registries.conf is there
// at all, docker.io. `terminal`: somebody can be asked; when the mode asks for a choice and nobody
// can be, "enforcing" with more than one candidate is an error in Podman's words. Errors when
// nothing is left to try.
Result<ShortName> short_name_candidates(const RegistriesConf& conf, std::string_view name,
                                        bool terminal);
// Records the choice for later, in the user's own file of aliases (kept whole when it fails).
Status remember_short_name(const RegistryPlaces& places, std::string_view name,
                           std::string_view value);

}  // namespace minke::config
