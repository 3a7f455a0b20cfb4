#include "engine/prune.h"

#include <algorithm>
#include <set>

#include "engine/disk_usage.h"
#include "engine/events.h"
#include "engine/image_list.h"
#include "engine/tree_size.h"

namespace minke::engine {

std::int64_t PruneReport::bytes() const {
  std::int64_t sum = 0;
  for (const auto* list : {&containers, &volumes, &images, &steps})
    for (const Pruned& one : *list) sum += one.bytes;
  return sum;
}

Result<std::vector<Pruned>> prune_containers(Engine& engine, const WantContainer& wanted,
                                             ErrorList* errors) {
  std::vector<Pruned> gone;
  std::vector<ContainerSummary> containers = TRY(engine.list_containers());
  // The newest first: nothing older depends on it.
  std::reverse(containers.begin(), containers.end());
  for (const ContainerSummary& container : containers) {
    bool ended = container.state == ContainerState::created ||
                 container.state == ContainerState::exited ||
                 container.state == ContainerState::stopped;
    if (!ended || !wanted(container)) continue;
    auto sizes = engine.sizes(container.id);
    Status removed = engine.remove(container.id, {});
    if (removed)
      gone.push_back({container.id, sizes ? sizes->rw : 0});
    else if (removed.error().code() != Errc::not_found)  // another prune was faster
      errors->add(std::move(removed));
  }
  if (!gone.empty()) emit_prune(engine.host(), "container");
  return gone;
}

Result<std::vector<Pruned>> prune_volumes(Engine& engine, const WantVolume& wanted, bool dry_run,
                                          ErrorList* errors) {
  std::vector<Pruned> gone;
  std::vector<VolumeConfig> volumes = TRY(engine.volumes().list());
  if (volumes.empty()) return gone;
  std::set<std::string> used;
  for (const ContainerSummary& container : TRY(engine.list_containers()))
    used.insert(container.volumes.begin(), container.volumes.end());
  TRY(engine.enter());
  std::sort(volumes.begin(), volumes.end(),
            [](const VolumeConfig& a, const VolumeConfig& b) { return a.name < b.name; });
  for (const VolumeConfig& volume : volumes) {
    if (used.contains(volume.name) || !wanted(volume)) continue;
    std::int64_t size = 0;
    if (auto data = sys::open_dir(engine.volumes().mountpoint(volume.name)))
      if (auto bytes = tree_size(*data)) size = *bytes;
    if (dry_run) {
      gone.push_back({volume.name, size});
      continue;
    }
    Status removed = engine.remove_volume(volume.name, false, {});
    if (removed)
      gone.push_back({volume.name, size});
    else if (removed.error().code() != Errc::not_found && removed.error().code() != Errc::in_use)
      errors->add(std::move(removed));  // else removed or taken meanwhile
  }
  if (!gone.empty() && !dry_run) emit_prune(engine.host(), "volume");
  return gone;
}

Result<std::vector<Pruned>> prune_networks(Engine& engine, const WantNetwork& wanted,
                                           ErrorList* errors) {
  std::vector<Pruned> gone;
  const net::NetworkStore* store = TRY(engine.networks());
  std::set<std::string> used = {store->default_name()};
  for (const ContainerSummary& container : TRY(engine.list_containers()))
    used.insert(container.networks.begin(), container.networks.end());
  for (const net::Network& network : TRY(store->list())) {
    if (used.contains(network.name) || !wanted(network)) continue;
    Status removed = engine.remove_network(network.name, false, {});
    if (removed)
      gone.push_back({network.name, 0});
    else if (removed.error().code() != Errc::not_found && removed.error().code() != Errc::in_use)
      errors->add(std::move(removed));  // else removed or taken meanwhile
  }
  if (!gone.empty()) emit_prune(engine.host(), "network");
  return gone;
}

namespace {

// Images that lists name: without them no list could be pushed.
Result<std::set<std::string>> members_of_lists(Engine& engine) {
  std::set<std::string> digests;
  for (const store::Image& image : TRY(engine.store().list_images())) {
    if (!image.is_list) continue;
    auto list = ImageList::parse(image.manifest_json);
    if (!list) continue;
    for (const ListMember& member : list->members) digests.insert(member.digest);
  }
  return digests;
}

}  // namespace

Result<std::vector<Pruned>> prune_images(Engine& engine, bool all, const WantImage& wanted,
                                         ErrorList* errors) {
  std::vector<Pruned> gone;
  DiskUsage usage = TRY(disk_usage(engine));
  const std::set<std::string> members = TRY(members_of_lists(engine));
  for (const ImageUsage& one : usage.images) {
    if (!all && members.contains(one.image.manifest_descriptor.digest.str())) continue;
    if (one.containers > 0 || (!all && !one.image.names.empty()) || !wanted(one.image)) continue;
    // Name by name and never by force: a container that was made of it meanwhile makes it fail.
    Result<std::vector<std::string>> removed = std::vector<std::string>();
    for (const std::string& name : one.image.names)
      if (removed) removed = engine.remove_image(name, {});
    if (one.image.names.empty()) removed = engine.remove_image(one.image.id, {});
    if (removed)
      gone.push_back({one.image.id, one.unique});
    else if (removed.error().code() != Errc::not_found && removed.error().code() != Errc::in_use)
      errors->add(std::move(removed));
  }
  if (!gone.empty()) emit_prune(engine.host(), "image");
  return gone;
}

}  // namespace minke::engine
