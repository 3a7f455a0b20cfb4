#include "engine/build_cache.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <set>

#include "base/str.h"
#include "engine/check_internal.h"
#include "engine/tree_size.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

using sys::DirFd;

std::set<std::string> layers_of_images(const Engine& engine) {
  std::set<std::string> layers;
  if (auto images = engine.store().list_images())
    for (const store::Image& image : *images)
      layers.insert(image.chain_ids.begin(), image.chain_ids.end());
  return layers;
}

struct CacheFolder {
  std::string path;
  TimeNs used = 0;
  std::int64_t size = 0;
};

Result<std::vector<CacheFolder>> list_mounts(const store::StepCache& cache) {
  std::vector<CacheFolder> mounts;
  const std::string all = cache.folder() + "/mounts";
  for (const std::string& name : sys::list_dir(DirFd::cwd(), all.c_str()).value_or({})) {
    CacheFolder mount;
    mount.path = concat(all, "/", name);
    struct stat st {};
    if (::lstat(mount.path.c_str(), &st) < 0) continue;
    mount.used = static_cast<TimeNs>(st.st_mtim.tv_sec) * kSecond + st.st_mtim.tv_nsec;
    if (auto folder = sys::open_dir(mount.path)) mount.size = tree_size(*folder).value_or(0);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

}  // namespace

Result<BuildCacheUsage> build_cache_usage(Engine& engine) {
  BuildCacheUsage usage;
  store::StepCache cache(engine.host().root);
  std::set<std::string> kept = layers_of_images(engine), counted;
  for (const store::CachedStep& step : TRY(cache.list())) {
    if (step.chain_id.empty()) continue;
    ++usage.steps;
    const bool in_image = kept.contains(step.chain_id);
    usage.in_images += in_image ? 1 : 0;
    if (!counted.insert(step.chain_id).second) continue;
    usage.size += step.size;
    if (!in_image) usage.reclaimable += step.size;
  }
  if (!sys::exists(cache.folder() + "/mounts")) return usage;
  TRY(engine.enter());  // their files may belong to mapped users
  for (const CacheFolder& mount : TRY(list_mounts(cache))) {
    ++usage.mounts;
    usage.size += mount.size;
    usage.reclaimable += mount.size;
  }
  return usage;
}

Result<std::vector<Pruned>> prune_build_cache(Engine& engine, const BuildCachePrune& what) {
  std::vector<Pruned> gone;
  store::StepCache cache(engine.host().root);
  if (!sys::exists(cache.folder())) return gone;
  TRY(engine.enter());
  auto wanted = [&](TimeNs used) { return !what.wanted || what.wanted(used); };
  std::set<std::string> kept = layers_of_images(engine), freed;
  for (const store::CachedStep& step : TRY(cache.list())) {
    const bool in_image = !step.chain_id.empty() && kept.contains(step.chain_id);
    if ((in_image && !what.all) || !wanted(step.used)) continue;
    TRY(cache.remove(step.key));
    const bool layer = !step.chain_id.empty() && !in_image && freed.insert(step.chain_id).second;
    gone.push_back({step.key, layer ? step.size : 0});
  }
  if (what.mounts)
    for (const CacheFolder& mount : TRY(list_mounts(cache))) {
      auto lock = sys::open(mount.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (!lock || ::flock(lock->get(), LOCK_EX | LOCK_NB) < 0 || !wanted(mount.used)) continue;
      TRY(engine.store().move_to_trash(mount.path));
      gone.push_back({mount.path.substr(mount.path.rfind('/') + 1), mount.size});
    }
  if (what.all)
    ignore(sys::unlink_at(DirFd::cwd(), (cache.folder() + "/files").c_str()),
           "digests of files may not be there");
  if (gone.empty()) return gone;
  {
    sys::FileLock lock = TRY(state::lock_object(engine.host().runroot + "/images", "the images"));
    TRY(engine.store().collect(layers_of_containers(engine), nullptr));
  }
  TRY(engine.store().empty_trash());
  return gone;
}

}  // namespace minke::engine
