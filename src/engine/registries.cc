#include "engine/registries.h"

#include "base/log.h"
#include "base/str.h"
#include "engine/host.h"
#include "sys/fd.h"

namespace minke::engine {

Registries::Registries(const Host& host, RegistryAccess access)
    : places_(config::find_registry_places(host.uid, host.home)), access_(std::move(access)) {}

Result<const config::RegistriesConf*> Registries::conf() {
  if (conf_) return &*conf_;
  std::vector<std::string> notes;
  config::RegistriesConf conf =
      TRY(config::load_registries_conf(places_, log::enabled(log::Level::info) ? &notes : nullptr));
  for (const std::string& note : notes) log::info(note);
  return &conf_.emplace(std::move(conf));
}

Result<const config::AuthStore*> Registries::auth() {
  if (auth_) return &*auth_;
  const config::RegistriesConf* known = TRY(conf());
  return &auth_.emplace(places_, access_.authfile, known->credential_helpers);
}

Result<RegistryHost> Registries::equip(config::Endpoint endpoint, std::string_view own_host) {
  RegistryHost out;
  if (access_.tls_verify) endpoint.insecure = !*access_.tls_verify;
  if (!access_.creds.empty()) {
    if (endpoint.host == own_host) out.creds = TRY(config::parse_creds(access_.creds));
  } else {
    const config::AuthStore* store = TRY(auth());
    std::string name = endpoint.repository.empty()
                           ? endpoint.host
                           : concat(endpoint.host, "/", endpoint.repository);
    out.creds = TRY(store->find(name));
  }
  out.certs = TRY(config::find_certs(places_, endpoint.host, access_.cert_dir));
  out.at = std::move(endpoint);
  return out;
}

// A file of credentials that was named and is not there: only login makes it.
Status Registries::check_auth_file() {
  const config::AuthStore* store = TRY(auth());
  if (!store->was_named() || !access_.creds.empty() || sys::exists(store->path())) return {};
  return Error(Errc::not_found,
               concat("checking authfile: stat ", store->path(), ": no such file or directory"));
}

Result<std::vector<RegistryHost>> Registries::pull_hosts(const oci::Reference& reference) {
  TRY(check_auth_file());
  const config::RegistriesConf* known = TRY(conf());
  std::vector<config::Endpoint> endpoints = TRY(
      config::resolve(*known, reference.registry, reference.repository, !reference.digest.empty()));
  std::vector<RegistryHost> out;
  for (config::Endpoint& endpoint : endpoints) {
    // The registry itself may be moved by registries.conf: its credentials are still the ones
    // meant.
    std::string own = endpoint.mirror ? reference.registry : endpoint.host;
    RegistryHost host = TRY(equip(std::move(endpoint), own));
    out.push_back(std::move(host));
  }
  return out;
}

Result<RegistryHost> Registries::push_host(const oci::Reference& reference) {
  TRY(check_auth_file());
  const config::RegistriesConf* known = TRY(conf());
  config::Endpoint endpoint =
      TRY(config::resolve_push(*known, reference.registry, reference.repository));
  std::string own = endpoint.host;
  return equip(std::move(endpoint), own);
}

Result<RegistryHost> Registries::registry(std::string_view name) {
  const config::RegistriesConf* known = TRY(conf());
  config::Endpoint endpoint;
  std::size_t slash = name.find('/');
  endpoint.host = name.substr(0, slash);
  if (slash != std::string_view::npos) endpoint.repository = name.substr(slash + 1);
  if (const config::RegistryRule* rule = config::find_rule(*known, name)) {
    if (rule->blocked)
      return Error(Errc::permission,
                   concat("registry ", rule->prefix, " is blocked in ", known->where));
    endpoint.insecure = rule->insecure;
  }
  std::string own = endpoint.host;
  return equip(std::move(endpoint), own);
}

Result<config::ShortName> Registries::short_name(const oci::Reference& reference, bool terminal) {
  const config::RegistriesConf* known = TRY(conf());
  return config::short_name_candidates(*known, reference.repository, terminal);
}

Status Registries::remember_short_name(const oci::Reference& reference,
                                       std::string_view full_name) {
  return config::remember_short_name(places_, reference.repository, full_name);
}

Result<std::vector<config::Requirement>> Registries::requirements(std::string_view transport,
                                                                  std::string_view scope,
                                                                  std::string_view image) {
  config::Policy policy = TRY(config::load_policy(places_));
  std::vector<config::Requirement> out = config::requirements_for(policy, transport, scope);
  TRY(config::check_outright(out, image));
  TRY(config::load_keys(&out));
  return out;
}

Result<config::SignatureStore> Registries::signature_store(std::string_view reference) const {
  return config::find_signature_store(places_, reference);
}

Result<std::string> registry_name(std::string_view typed) {
  std::string_view name = typed;
  bool scheme = false;
  for (std::string_view prefix : {"https://", "http://"})
    if (name.starts_with(prefix)) {
      name.remove_prefix(prefix.size());
      scheme = true;
    }
  // As Podman: behind a scheme only the host counts (https://index.docker.io/v1/).
  if (scheme) name = name.substr(0, name.find('/'));
  while (name.ends_with('/')) name.remove_suffix(1);
  if (name.empty() || name.find("//") != std::string_view::npos || name.starts_with('/') ||
      name.find_first_of(" \t@?#") != std::string_view::npos)
    return Error(Errc::invalid_argument, concat("registry ", quote(typed), " is not a valid name"));
  std::string_view host = name.substr(0, name.find('/'));
  if (host == "index.docker.io" || host == "registry-1.docker.io")
    return concat("docker.io", name.substr(host.size()));
  return std::string(name);
}

}  // namespace minke::engine
