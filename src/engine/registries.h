// What one command knows of registries: registries.conf, credentials, certificates and policy put
// together, each file read when it is first asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/auth_file.h"
#include "config/certs_d.h"
#include "config/policy_json.h"
#include "config/registries_conf.h"
#include "config/registries_d.h"
#include "engine/registry_access.h"
#include "oci/reference.h"

namespace minke::engine {

struct Host;

// One place to ask, and how.
struct RegistryHost {
  config::Endpoint at;
  config::Credentials creds;
  config::Certs certs;
};

class Registries {
 public:
  // `access`: what the command was told; it counts before any file.
  Registries(const Host& host, RegistryAccess access);

  Result<const config::RegistriesConf*> conf();
  // Credentials of files and helpers, as conf() names them.
  Result<const config::AuthStore*> auth();

  // Where a reference may be pulled from, in order: mirrors, then the registry. --creds are for the
  // registry that the reference names, never for its mirrors.
  Result<std::vector<RegistryHost>> pull_hosts(const oci::Reference& reference);
  Result<RegistryHost> push_host(const oci::Reference& reference);
  // A registry itself ("localhost:5000"; "quay.io/team" for credentials of that namespace).
  Result<RegistryHost> registry(std::string_view name);

  // What the repository of a short name may stand for. `terminal`: somebody can be asked.
  Result<config::ShortName> short_name(const oci::Reference& reference, bool terminal);
  Status remember_short_name(const oci::Reference& reference, std::string_view full_name);

  // What policy.json asks of `scope` ("quay.io/a:1", a path); an error when it rejects outright.
  // `image` as users see it ("docker://quay.io/a:1"). Keys are read, so that a worker has them.
  Result<std::vector<config::Requirement>> requirements(std::string_view transport,
                                                        std::string_view scope,
                                                        std::string_view image);
  Result<config::SignatureStore> signature_store(std::string_view reference) const;

  const config::RegistryPlaces& places() const { return places_; }
  const RegistryAccess& access() const { return access_; }

 private:
  Status check_auth_file();
  Result<RegistryHost> equip(config::Endpoint endpoint, std::string_view own_host);

  config::RegistryPlaces places_;
  RegistryAccess access_;
  std::optional<config::RegistriesConf> conf_;
  std::optional<config::AuthStore> auth_;
};

// "docker.io" for what is typed as a registry: "https://quay.io/", "index.docker.io". Errors name
// it. A path behind the host stays ("quay.io/team").
Result<std::string> registry_name(std::string_view typed);

}  // namespace minke::engine
