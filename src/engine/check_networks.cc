// check: networks, and addresses and ports that nobody has any more.
#include <sys/stat.h>

#include "base/str.h"
#include "engine/check_internal.h"
#include "engine/network_helper.h"
#include "engine/records.h"
#include "net/host_ports.h"
#include "net/ipam.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

std::vector<std::string> names_in(const std::string& path) {
  return sys::list_dir(sys::DirFd::cwd(), path.c_str()).value_or({});
}

void check_records(Checker* c, const net::NetworkStore& store) {
  const std::string folder = c->root() + "/networks";
  for (const std::string& file : names_in(folder)) {
    if (file.starts_with('.')) continue;
    const std::string path = concat(folder, "/", file);
    std::string fault;
    if (file.ends_with(".json")) {
      auto network = store.load(file.substr(0, file.size() - 5));
      if (network) continue;
      fault = network.error().message();
    } else {
      fault = "it is no network";
    }
    c->found_and(concat("network file ", path), fault, "removed",
                 [&] { return c->engine.store().move_to_trash(path); });
  }
}

}  // namespace

Status check_networks(Checker* c) {
  const net::NetworkStore* store = TRY(c->engine.networks());
  check_records(c, *store);
  const Host& host = c->engine.host();
  // Whose record says so has it; all else was left by a killed command.
  auto has_networks = [&host](const std::string& id) {
    ContainerPaths paths(host, id);
    return sys::exists(paths.dir) && (sys::exists(paths.run_dir + net::kAttachmentFile) ||
                                      sys::exists(paths.run_dir + kHelperFile));
  };
  const std::string run = host.runroot + "/networks";
  for (const std::string& name : names_in(run)) {
    net::Network network;
    network.name = name;
    struct stat st {};
    if (::stat(concat(run, "/", name).c_str(), &st) < 0 || !S_ISDIR(st.st_mode)) continue;
    net::Ipam ipam(run, network);
    int stale = 0;
    for (const auto& [address, owner] : TRY(ipam.list())) stale += has_networks(owner) ? 0 : 1;
    if (stale > 0)
      c->found_and(concat("network ", name),
                   concat(stale, " addresses are leased to containers that do not run"), "released",
                   [&]() -> Status {
                     TRY(ipam.release_stale(has_networks));
                     return {};
                   });
  }
  for (const std::string& file : names_in(host.runroot + "/ports")) {
    const std::string path = concat(host.runroot, "/ports/", file);
    auto owner = sys::read_link_at(sys::DirFd::cwd(), path.c_str());
    if (owner && has_networks(*owner)) continue;
    c->found_and(concat("port ", file), "it is reserved for a container that does not run",
                 "released", [&] { return sys::unlink_at(sys::DirFd::cwd(), path.c_str()); });
  }
  return {};
}

}  // namespace minke::engine
