#include "config/certs_d.h"

#include <algorithm>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::config {
namespace {

bool has(const std::vector<std::string>& names, std::string_view name) {
  for (const std::string& other : names)
    if (other == name) return true;
  return false;
}

Result<Certs> read_folder(const std::string& folder) {
  std::vector<std::string> names = TRY(sys::list_dir(sys::DirFd::cwd(), folder.c_str()));
  std::sort(names.begin(), names.end());
  Certs certs;
  certs.folder = folder;
  for (const std::string& name : names) {
    std::string path = concat(folder, "/", name);
    std::string stem = name.substr(0, name.rfind('.'));
    if (name.ends_with(".crt")) {
      certs.cas.push_back(std::move(path));
    } else if (name.ends_with(".cert")) {
      if (!has(names, stem + ".key"))
        return Error(Errc::invalid_argument,
                     concat(path, ": missing key ", stem, ".key for client certificate ", name,
                            ". CA certificates should use the extension .crt"));
      certs.clients.push_back({std::move(path), concat(folder, "/", stem, ".key")});
    } else if (name.ends_with(".key") && !has(names, stem + ".cert")) {
      return Error(Errc::invalid_argument,
                   concat(path, ": missing client certificate ", stem, ".cert for key ", name));
    }
  }
  return certs;
}

}  // namespace

Result<Certs> find_certs(const RegistryPlaces& places, std::string_view host,
                         const std::string& cert_dir) {
  if (!cert_dir.empty()) return read_folder(cert_dir);
  // Also "..": it stands for a folder of the path below.
  if (host.empty() || host.starts_with('.') || host.find('/') != std::string_view::npos)
    return Certs();
  std::vector<std::string> folders;
  if (!places.config_home.empty()) folders.push_back(places.config_home + "/containers/certs.d/");
  folders.push_back(places.prefix + "/etc/containers/certs.d/");
  folders.push_back(places.prefix + "/etc/docker/certs.d/");
  for (const std::string& folder : folders) {
    auto certs = read_folder(folder + std::string(host));
    if (certs || certs.error().code() != Errc::not_found) return certs;
  }
  return Certs();
}

}  // namespace minke::config
