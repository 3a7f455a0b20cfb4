#include "engine/disk_usage.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/log.h"
#include "base/str.h"
#include "engine/tree_size.h"
#include "store/layout.h"

namespace minke::engine {
namespace {

// Layers by chain id: their plain size, and how many images stand on each.
struct Layer {
  std::int64_t size = 0;
  int images = 0;
  bool needed = false;  // by the image of a container
};
using Layers = std::map<std::string, Layer>;

Result<std::int64_t> recorded_size(const std::string& root, const std::string& chain_id) {
  std::string path = concat(root, "/", store::kLayersDir, "/", chain_id, "/", store::kSizeFile);
  std::string text = TRY(sys::read_small_file(path, 64));
  auto size = parse_int(trim(text));
  if (!size || *size < 0) return Error(Errc::corrupt, concat(path, ": not a size"));
  return *size;
}

Layers read_layers(const Engine& engine, const std::vector<store::Image>& images,
                   const std::map<std::string, std::int64_t>& users) {
  Layers layers;
  for (const store::Image& image : images) {
    std::set<std::string> once(image.chain_ids.begin(), image.chain_ids.end());
    for (const std::string& chain_id : once) {
      auto [at, fresh] = layers.try_emplace(chain_id);
      if (fresh) {
        auto size = recorded_size(engine.host().root, chain_id);
        if (size)
          at->second.size = *size;
        else
          log::warn(concat("layer ", chain_id, ": ", size.error().message()));
      }
      ++at->second.images;
      if (users.contains(image.id)) at->second.needed = true;
    }
  }
  return layers;
}

void add_images(std::vector<store::Image> images, const std::map<std::string, std::int64_t>& users,
                const Layers& layers, DiskUsage* usage) {
  for (const auto& [chain_id, layer] : layers) {
    usage->images_size += layer.size;
    if (!layer.needed) usage->images_reclaimable += layer.size;
  }
  for (store::Image& image : images) {
    ImageUsage one;
    std::int64_t of_layers = 0;
    std::set<std::string> once(image.chain_ids.begin(), image.chain_ids.end());
    for (const std::string& chain_id : once) {
      const Layer& layer = layers.at(chain_id);
      of_layers += layer.size;
      if (layer.images > 1) one.shared += layer.size;
    }
    // Manifest and config belong to one image alone.
    std::int64_t own = std::max<std::int64_t>(0, image.size - of_layers);
    one.unique = image.size - one.shared;
    usage->images_size += own;
    auto used = users.find(image.id);
    one.containers = used == users.end() ? 0 : used->second;
    if (one.containers == 0) usage->images_reclaimable += own;
    one.image = std::move(image);
    usage->images.push_back(std::move(one));
  }
}

Status add_volumes(Engine& engine, const std::vector<ContainerSummary>& containers,
                   DiskUsage* usage) {
  std::vector<VolumeConfig> volumes = TRY(engine.volumes().list());
  std::sort(volumes.begin(), volumes.end(),
            [](const VolumeConfig& a, const VolumeConfig& b) { return a.name < b.name; });
  for (const VolumeConfig& volume : volumes) {
    VolumeUsage one;
    one.name = volume.name;
    for (const ContainerSummary& container : containers) {
      if (std::find(container.volumes.begin(), container.volumes.end(), volume.name) ==
          container.volumes.end())
        continue;
      ++one.links;
    }
    auto data = sys::open_dir(engine.volumes().mountpoint(volume.name));
    if (data) one.size = TRY_CTX(tree_size(*data), concat("volume ", volume.name));
    usage->volumes.push_back(std::move(one));
  }
  return {};
}

}  // namespace

Result<DiskUsage> disk_usage(Engine& engine) {
  std::vector<ContainerSummary> containers = TRY(engine.list_containers());
  std::vector<store::Image> images = TRY(engine.store().list_images());
  std::map<std::string, std::int64_t> users;
  for (const ContainerSummary& container : containers)
    if (!container.image_id.empty()) ++users[container.image_id];
  DiskUsage usage;
  Layers layers = read_layers(engine, images, users);
  add_images(std::move(images), users, layers, &usage);
  // Files of containers and volumes may belong to mapped users.
  std::vector<std::string> names =
      sys::list_dir(sys::DirFd::cwd(), engine.host().volumes.c_str()).value_or({});
  if (!containers.empty() || !names.empty()) TRY(engine.enter());
  for (ContainerSummary& container : containers) {
    auto sizes = engine.sizes(container.id);
    if (!sizes) {
      if (sizes.error().code() == Errc::not_found) continue;  // removed meanwhile
      return std::move(sizes.error());
    }
    usage.containers.push_back({container, sizes->rw, sizes->root});
  }
  if (!names.empty()) TRY(add_volumes(engine, containers, &usage));
  usage.builds = TRY(build_cache_usage(engine));
  return usage;
}

}  // namespace minke::engine
