// Making a container: decide, record in staging, reserve the name, rename into place.
#include <algorithm>

#include "base/failpoint.h"
#include "base/rand.h"
#include "base/str.h"
#include "engine/defaults.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/pull.h"
#include "engine/pull_place.h"
#include "engine/random_name.h"
#include "engine/records.h"
#include "engine/shift.h"
#include "engine/volume_data.h"
#include "net/host_ports.h"
#include "runtime/cgroup_own.h"
#include "state/name_table.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

Error name_in_use(const std::string& name, const std::string& id) {
  return Error(Errc::already_exists, concat("creating container storage: the container name ",
                                            quote(name), " is already in use by ", id,
                                            ". You have to remove that container to be able to "
                                            "reuse that name: that name is already in use"));
}

// The image, fetched first where the policy says so: with no lock held, since nobody waits for a
// registry with one.
class RunImage {
 public:
  RunImage(Engine& engine, const CreateRequest& request) : engine_(engine), request_(request) {}
  // What has to be asked whether the image is here or not.
  Status prepare() {
    policy_ = TRY(parse_pull_policy(request_.pull.empty() ? "missing" : request_.pull));
    if (policy_ == PullPolicy::always || policy_ == PullPolicy::newer) return pull();
    return {};
  }
  // Nothing: it is not here, and may be pulled.
  Result<std::optional<store::Image>> find() {
    auto image = engine_.store().find_image(request_.image);
    if (!image && pulled_) image = engine_.store().find_image(pulled_->id);
    if (image && (pulled_ || fits(*image))) return std::optional(std::move(*image));
    bool gone = image || image.error().code() == Errc::not_found;
    if (gone && !pulled_ && policy_ == PullPolicy::missing) return std::optional<store::Image>();
    if (image) return std::optional(std::move(*image));
    return std::move(image.error());
  }
  Status pull() {
    PullRequest pull;
    pull.reference = request_.image;
    pull.policy = policy_;
    pull.os = request_.platform_os;
    pull.arch = request_.platform_arch;
    pull.variant = request_.platform_variant;
    pull.access = request_.registry;
    pull.watch = request_.pull_watch;
    pulled_ = TRY(pull_image(engine_, pull));
    return {};
  }

 private:
  bool fits(const store::Image& image) const {
    auto same = [](const std::string& asked, const std::string& found) {
      return asked.empty() || asked == found;
    };
    return same(request_.platform_os, image.config.os) &&
           (request_.platform_arch.empty() ||
            normal_architecture(request_.platform_arch) == image.config.architecture) &&
           same(request_.platform_variant, image.config.variant);
  }

  Engine& engine_;
  const CreateRequest& request_;
  PullPolicy policy_ = PullPolicy::missing;
  std::optional<store::Image> pulled_;
};

// Takes the name for the container, or finds who has it. A name whose container is neither there
// nor being made was left by a crash, as may be one of a container that was being renamed.
Status take_name(const Host& host, const std::string& name, const std::string& id,
                 const std::function<Status(const std::string&)>& heal) {
  state::NameTable names(host.root);
  for (int tries = 0;; ++tries) {
    Status reserved = names.reserve(name, id);
    if (reserved) return {};
    if (reserved.error().code() != Errc::already_exists || tries > 10) return reserved;
    auto owner = names.lookup(name);
    if (!owner) continue;  // released meanwhile
    ContainerPaths paths(host, *owner);
    if (sys::exists(paths.dir)) {
      std::vector<std::string> renamed = names_of_rename(paths.dir);
      if (std::find(renamed.begin(), renamed.end(), name) == renamed.end())
        return name_in_use(name, *owner);
      TRY(heal(*owner));
      continue;
    }
    auto lock = state::try_lock_object(paths.run_dir, concat("container ", short_id(*owner)));
    if (!lock) return name_in_use(name, *owner);
    if (sys::exists(paths.dir)) return name_in_use(name, *owner);
    TRY(names.release(name, *owner));
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), paths.run_dir.c_str()),
           "an empty folder may stay");
  }
}

}  // namespace

ResolveContext Engine::resolve_context(const store::Image* image, const std::string& id) {
  ResolveContext context;
  context.host = &host_;
  context.image = image;
  context.id = id;
  context.container_dir = ContainerPaths(host_, id).dir;
  context.find_container = [this](std::string_view name) -> Result<ContainerConfig> {
    std::string other = TRY(resolve_id(name));
    return load_config(ContainerPaths(host_, other).dir);
  };
  context.find_network = [this](std::string_view name) -> Result<net::Network> {
    const net::NetworkStore* store = TRY(networks());
    return store->find(name.empty() ? store->default_name() : name);
  };
  context.auto_maps_in_use = [this]() -> Result<std::vector<oci::IdMapping>> {
    std::vector<oci::IdMapping> taken;
    for (const std::string& other :
         TRY(sys::list_dir(sys::DirFd::cwd(), (host_.root + "/containers").c_str()))) {
      auto config = load_config(ContainerPaths(host_, other).dir);
      if (!config || config->request.userns.mode != "auto") continue;
      taken.insert(taken.end(), config->uid_map.begin(), config->uid_map.end());
    }
    return taken;
  };
  context.ensure_volume = [this](const std::string& name, bool) -> Result<std::string> {
    return volumes_.mountpoint(name);
  };
  context.find_image = [this](const std::string& name) -> Result<ImageTree> {
    store::Image found = TRY(store_->find_image(name));
    return ImageTree{found.id, found.names.empty() ? name : found.names[0],
                     store_->lower_dirs(found)};
  };
  return context;
}

Status Engine::ensure_volumes(const ContainerConfig& config) {
  for (const ResolvedMount& mount : config.mounts) {
    if (mount.volume_name.empty()) continue;
    sys::FileLock lock = TRY(state::lock_object(host_.runroot + "/volumes/" + mount.volume_name,
                                                concat("volume ", mount.volume_name)));
    if (sys::exists(host_.volumes + "/" + mount.volume_name)) {
      TRY(finish_import(host_, mount.volume_name));
      continue;
    }
    Volumes::Create request;
    request.name = mount.volume_name;
    request.anonymous = mount.anonymous;
    request.options = mount.volume_options;
    TRY(volumes_.create(request));
  }
  return {};
}

Result<Engine::New> Engine::create_locked(const CreateRequest& asked,
                                          std::optional<monitor::Handle>* early,
                                          const StepRequest* step) {
  const config::ContainersConf* defaults = TRY(conf());
  TRY(enter());
  CreateRequest request = asked;
  TRY(fold_defaults(*defaults, host_, &request));
  if (!request.name.empty()) TRY(state::check_name(request.name));
  RunImage source(*this, request);
  bool wants_image = step == nullptr && !request.rootfs;
  if (wants_image) TRY(source.prepare());
  auto lock_images = [this] {
    return state::lock_object(host_.runroot + "/images", "the images", sys::LockMode::shared);
  };
  // Until the container is on disk and counts as a user of the image, nobody may remove it.
  sys::FileLock images = TRY(lock_images());
  std::optional<store::Image> image;
  if (step != nullptr) image = step->image;
  if (wants_image) image = TRY(source.find());
  if (wants_image && !image) {
    images.release();
    TRY(source.pull());
    images = TRY(lock_images());
    image = TRY(source.find());
  }
  if (request.replace && !request.name.empty())
    if (auto old = state::NameTable(host_.root).lookup(request.name); old && resolve_id(*old)) {
      images.release();  // its end may take as long as it likes
      TRY(remove(*old, {.force = true}));
      images = TRY(lock_images());
      if (wants_image) image = TRY(source.find());
      if (wants_image && !image)
        return Error(Errc::not_found, concat(request.image, ": image not known"));
    }

  std::string id = random_hex(32);
  ContainerPaths paths(host_, id);
  Rollback undo;
  New made;
  made.lock = TRY(state::lock_object(paths.run_dir, concat("container ", short_id(id))));
  undo.add([&paths] {
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), paths.run_dir.c_str()),
           "an empty folder may stay");
  });
  if (early != nullptr && request.cgroups == "split") TRY(runtime::leave_own_cgroup());
  if (early != nullptr) *early = TRY(monitor::Handle::launch(host_.monitor_path, id, request.name));
  ResolveContext context = resolve_context(image ? &*image : nullptr, id);
  if (step != nullptr)
    context.find_image = [step, images = std::move(context.find_image)](
                             const std::string& name) -> Result<ImageTree> {
      auto tree = step->trees.find(name);
      if (tree != step->trees.end()) return tree->second;
      return images(name);
    };
  ContainerConfig config = TRY(resolve_config(request, context));
  config.id = id;
  config.created = now();
  TRY(net::choose_ports(&config.ports));
  if (step != nullptr)
    config.lower = step->lower;
  else if (image)
    config.lower = store_->lower_dirs(*image);
  // Root's engine has the owners shifted by idmapped mounts (runtime/build.cc); an ordinary user
  // may not make those.
  if (host_.rootless)
    config.lower = TRY(shift_layers(config.lower, config.uid_map, config.gid_map));

  failpoint("engine.create", 1);  // nothing but the run folder
  std::string staging = TRY(store_->make_staging("container"));
  undo.add([staging] {
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), staging.c_str()),
           "found and cleared as abandoned staging");
  });
  for (const char* name : {"/upper", "/work"})
    TRY(sys::make_dir_at(sys::DirFd::cwd(), (staging + name).c_str(), 0755));
  failpoint("engine.create", 2);  // staged, empty

  bool named = !request.name.empty();
  for (int tries = 0;; ++tries) {
    config.name = named ? request.name : random_name();
    Status taken = take_name(host_, config.name, id,
                             [this](const std::string& owner) { return heal_rename(owner); });
    if (taken) break;
    if (named || tries > 100 || taken.error().code() != Errc::already_exists)
      return std::move(taken.error());
  }
  undo.add([this, name = config.name, id] {
    ignore(state::NameTable(host_.root).release(name, id), "taken over by whoever wants it next");
  });
  if (request.defaults.name_as_hostname && request.hostname.empty() && config.uts_mode == "private")
    config.hostname = config.name;
  failpoint("engine.create", 3);  // the name is taken
  TRY(write_container_files(config, host_, staging));
  TRY(copy_secrets(config, host_, staging));
  // What --rm removes again need not survive a power cut.
  TRY(save_config(staging, config, request.remove ? sys::Durability::none : sys::Durability::data));
  failpoint("engine.create", 4);  // staged whole
  TRY(sys::rename_at(sys::DirFd::cwd(), staging.c_str(), sys::DirFd::cwd(), paths.dir.c_str()));
  failpoint("engine.create", 5);  // it exists
  undo.dismiss();
  if (Status made_volumes = ensure_volumes(config); !made_volumes) {
    ignore(remove_locked(id, true), "the reason comes first");
    return std::move(made_volumes.error());
  }
  if (!request.remove)
    if (auto folder = sys::open_dir(host_.root + "/containers")) TRY(sys::fsync_dir(*folder));
  emit_container(host_, "create", config);
  made.container.live = summarize(config);
  made.container.config = std::move(config);
  made.container.dir = paths.dir;
  made.container.run_dir = paths.run_dir;
  return made;
}

Result<Container> Engine::create(const CreateRequest& request) {
  New made = TRY(create_locked(request));
  const ContainerConfig& config = made.container.config;
  if (config.request.defaults.prepare_volumes && !config.mounts.empty()) {
    sys::UniqueFd view = TRY(open_rootfs_view(config, host_, made.container.dir + "/upper"));
    TRY(prepare_volumes(config, host_, view.get()));
  }
  return std::move(made.container);
}

}  // namespace minke::engine
