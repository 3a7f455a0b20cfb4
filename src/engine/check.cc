#include "engine/check.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/log.h"
#include "base/str.h"
#include "engine/check_internal.h"
#include "engine/events.h"
#include "engine/network_place.h"
#include "engine/records.h"
#include "engine/secret.h"
#include "engine/tree_size.h"
#include "oci/image.h"
#include "state/name_table.h"
#include "state/object_lock.h"
#include "store/layout.h"

namespace minke::engine {
namespace {

using sys::DirFd;

// The folders and files of the layout, and nothing that anybody else has put there.
constexpr const char* kOwnOfRoot[] = {"containers", "names",   "volumes",  "secrets",
                                      "images",     "layers",  "staging",  "trash",
                                      "seccomp",    "version", "networks", "buildcache"};
constexpr const char* kOwnOfRunroot[] = {"containers", "volumes", "secrets",    "images",
                                         "exits",      "trash",   "events.log", "events.log.1",
                                         "networks",   "ports",   "builds"};

}  // namespace

bool Checker::old_enough(const std::string& path) const {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0 && st.st_ctime + options.max_age_s <= now() / kSecond;
}

Result<CheckReport> check(Engine& engine, const CheckOptions& options) {
  TRY(engine.enter());
  Checker checker{engine, options, {}};
  TRY(check_images(&checker));
  TRY(check_containers(&checker));
  TRY(check_volumes(&checker));
  TRY(check_networks(&checker));
  TRY(check_leftovers(&checker));
  return std::move(checker.report);
}

std::vector<std::string> layers_of_containers(const Engine& engine) {
  std::vector<std::string> chains;
  const std::string root = engine.host().root;
  const std::string prefix = root + "/layers/";
  for (const std::string& id :
       sys::list_dir(DirFd::cwd(), (root + "/containers").c_str()).value_or({})) {
    auto config = load_config(concat(root, "/containers/", id));
    if (!config) continue;
    for (const std::string& lower : config->lower)
      if (lower.starts_with(prefix))
        chains.push_back(
            lower.substr(prefix.size(), lower.find('/', prefix.size()) - prefix.size()));
  }
  return chains;
}

Result<std::vector<Pruned>> collect_garbage(Engine& engine) {
  TRY(engine.enter());
  sys::FileLock lock = TRY(state::lock_object(engine.host().runroot + "/images", "the images"));
  int freed = 0;
  const std::string blobs = concat(engine.host().root, "/", store::kBlobsDir);
  auto sizes = [&]() -> std::int64_t {
    auto folder = sys::open_dir(blobs);
    if (!folder) return 0;
    return tree_size(*folder).value_or(0);
  };
  std::int64_t before = sizes();
  TRY(engine.store().collect(layers_of_containers(engine), &freed));
  std::vector<Pruned> gone;
  if (freed > 0) gone.push_back({concat(freed, " blobs and layers"), before - sizes()});
  TRY(engine.store().empty_trash());
  return gone;
}

// It is never removed, but its bridge goes.
static Status drop_default(const Host& host, const net::Network& network) {
  return at_bridges(
      host, [&](const net::Place& place) { return drop_idle_bridge(host, network, place); });
}

Status reset(Engine& engine) {
  TRY(engine.enter());
  ErrorList errors;
  std::vector<std::string> ids;
  for (const ContainerSummary& container : TRY(engine.list_containers()))
    ids.push_back(container.id);
  engine.end_together(ids, 0);
  for (const std::string& id : ids) {
    Status removed =
        engine.remove(id, {.force = true, .volumes = true, .depend = true, .timeout = 0});
    if (!removed && removed.error().code() != Errc::not_found) errors.add(std::move(removed));
  }
  // With a container left there is a mount or process left: nothing more is taken from under it.
  TRY(std::move(errors).to_status());
  const net::NetworkStore* store = TRY(engine.networks());
  for (const net::Network& network : TRY(store->list())) {
    Status removed = network.name == store->default_name()
                         ? drop_default(engine.host(), network)
                         : engine.remove_network(network.name, true, 0);
    if (!removed && removed.error().code() != Errc::not_found) log::warn(removed.error().message());
  }
  Secrets secrets(engine.host());
  for (const SecretConfig& secret : TRY(secrets.list())) {
    // Where a driver keeps data, they go too; a driver that fails does not keep the rest.
    if (secret.driver != "file") ignore(secrets.remove(secret), "the record goes anyway");
  }
  ErrorList left;
  // Those of --volumepath, which no folder of ours holds. What cannot be listed stops nothing.
  auto volumes = engine.volumes().list();
  if (volumes)
    for (const VolumeConfig& volume : *volumes) left.add(engine.volumes().remove(volume.name));
  else
    left.add(std::move(volumes.error()));
  const Host& host = engine.host();
  emit_system(host, "reset");
  for (const char* name : kOwnOfRoot)
    left.add(sys::remove_tree_at(DirFd::cwd(), concat(host.root, "/", name).c_str()));
  for (const char* name : kOwnOfRunroot)
    left.add(sys::remove_tree_at(DirFd::cwd(), concat(host.runroot, "/", name).c_str()));
  for (const std::string& folder : {host.volumes, host.root, host.runroot})
    ignore(sys::unlink_at(DirFd::cwd(), folder.c_str(), AT_REMOVEDIR),
           "what somebody else has put there stays");
  return std::move(left).to_status();
}

}  // namespace minke::engine
