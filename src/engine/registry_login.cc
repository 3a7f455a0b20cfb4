#include "engine/registry_login.h"

#include "base/str.h"
#include "engine/transfer_host.h"
#include "store/transfer.h"

namespace minke::engine {

Result<std::string> default_registry(Registries& registries) {
  const config::RegistriesConf* conf = TRY(registries.conf());
  if (conf->where.empty()) return std::string("docker.io");
  if (!conf->unqualified_search.empty()) return conf->unqualified_search.front();
  return Error(Errc::invalid_argument,
               "no registries found in registries.conf, a registry must be provided");
}

Result<bool> credentials_work(Registries& registries, std::string_view name,
                              const config::Credentials& creds) {
  store::TransferRequest request;
  RegistryHost host = TRY(registries.registry(name));
  host.creds = creds;
  request.hosts.push_back(transfer_host(host));
  set_retries(registries.access(), &request);
  request.method = "GET";
  request.path = "/v2/";
  auto answer = store::ask_registry(std::move(request));
  if (!answer) {
    if (answer.error().code() == Errc::permission) return false;
    return std::move(answer.error());
  }
  if (answer->status == 401 || answer->status == 403) return false;
  // 404: a registry that has nothing there and answers everything else.
  if (answer->status == 200 || answer->status == 404) return true;
  return store::registry_fault(*answer);
}

}  // namespace minke::engine
