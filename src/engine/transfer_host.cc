#include "engine/transfer_host.h"

namespace minke::engine {

store::TransferHost transfer_host(const RegistryHost& host) {
  store::TransferHost out;
  out.host = host.at.host;
  out.repository = host.at.repository;
  out.insecure = host.at.insecure;
  out.mirror = host.at.mirror;
  out.username = host.creds.username;
  out.password = host.creds.password;
  out.identity_token = host.creds.identity_token;
  out.ca_files = host.certs.cas;
  for (const auto& client : host.certs.clients) out.clients.push_back({client.cert, client.key});
  return out;
}

void set_retries(const RegistryAccess& access, store::TransferRequest* request) {
  request->retries = access.retries;
  request->retry_delay_ns = access.retry_delay_ns;
}

}  // namespace minke::engine
