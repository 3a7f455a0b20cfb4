// containers-certs.d(5): which certificate authorities a registry is believed by, and which
// certificates one shows to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/registries_conf.h"

namespace minke::config {

struct ClientCert {
  std::string cert, key;  // paths
};
struct Certs {
  std::string folder;               // where they are from; empty: there is none
  std::vector<std::string> cas;     // *.crt, beside those of the system
  std::vector<ClientCert> clients;  // *.cert with *.key of the same name
};

// Of `cert_dir` (--cert-dir) when given, else of the first of these that is there: HOST[:PORT] in
// ~/.config/containers/certs.d, /etc/containers/certs.d, /etc/docker/certs.d. A certificate without
// its key, or a key without its certificate, is an error; so is a --cert-dir that is not there.
Result<Certs> find_certs(const RegistryPlaces& places, std::string_view host,
                         const std::string& cert_dir = "");

}  // namespace minke::config
