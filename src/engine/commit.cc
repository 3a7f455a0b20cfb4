// diff and commit: what a container changed, and an image made of it.
#include "engine/commit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/records.h"
#include "engine/rootfs_view.h"
#include "engine/specgen.h"
#include "engine/tree_changes.h"
#include "oci/reference.h"
#include "store/changes.h"
#include "store/image_worker.h"
#include "sys/process.h"

namespace minke::engine {
namespace {

// What the engine itself puts into every container is no change of the user's.
bool is_ours(std::string_view path, const ContainerConfig* config) {
  for (std::string_view own :
       {"/dev", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/proc", "/run", "/run/notify",
        "/run/.containerenv", "/run/secrets", "/sys", "/etc/mtab"})
    if (path == own) return true;
  if (config != nullptr)
    for (const ResolvedMount& mount : config->mounts)
      if (path == mount.destination) return true;
  return false;
}

// Layers put together; nothing when there are none.
Result<sys::UniqueFd> open_layers(const std::vector<std::string>& lower, bool rootless) {
  if (lower.empty()) return sys::UniqueFd();
  if (lower.size() == 1) return sys::open(lower[0], O_RDONLY | O_DIRECTORY);
  return mount_layers(lower, rootless);
}

// Runs a container on again when the command that paused it is killed: a process of its own that
// sees the pipe close.
class PauseGuard {
 public:
  static Result<PauseGuard> pause(Engine& engine, const std::string& id) {
    auto [reader, writer] = TRY(sys::make_pipe());
    pid_t child = ::fork();
    if (child < 0) return Error::from_errno(errno, "fork");
    if (child == 0) {
      writer.reset();
      ::setsid();
      ::signal(SIGTERM, SIG_IGN);
      ::signal(SIGINT, SIG_IGN);
      char byte;
      while (::read(reader.get(), &byte, 1) < 0 && errno == EINTR) {
      }
      ignore(engine.pause(id, false), "it has ended, or runs already");
      ::_exit(0);
    }
    PauseGuard guard(child, std::move(writer));
    TRY(engine.pause(id, true));
    return guard;
  }
  PauseGuard(PauseGuard&&) = default;
  PauseGuard& operator=(PauseGuard&&) = delete;
  ~PauseGuard() {
    if (!alive_) return;
    alive_.reset();
    ignore(sys::wait_pid(child_), "it was only a guard");
  }

 private:
  PauseGuard(pid_t child, sys::UniqueFd alive) : child_(child), alive_(std::move(alive)) {}
  pid_t child_;
  sys::UniqueFd alive_;
};

void add_container(const ContainerConfig& container, bool include_volumes,
                   oci::ImageProcessConfig* config) {
  config->entrypoint = container.entrypoint;
  if (container.entrypoint.empty()) config->entrypoint.reset();
  config->cmd = container.command;
  if (container.command.empty()) config->cmd.reset();
  config->env = container.env;
  for (const auto& [key, value] : container.labels) config->labels[key] = value;
  if (!container.user.empty()) config->user = container.user;
  config->working_dir = container.workdir;
  for (const std::string& port : container.expose) config->exposed_ports[port] = json::Object();
  for (const net::PortMapping& port : container.ports)
    for (std::uint32_t i = 0; i < port.range; ++i)
      config
          ->exposed_ports[concat(port.container_port + i, "/", net::protocol_name(port.protocol))] =
          json::Object();
  for (const ResolvedMount& mount : container.mounts)
    if (include_volumes || mount.anonymous) config->volumes[mount.destination] = json::Object();
}

void set_env(std::vector<std::string>* env, const std::string& entry) {
  std::string name = entry.substr(0, entry.find('=') + 1);
  std::erase_if(*env, [&](const std::string& old) { return old.starts_with(name); });
  env->push_back(entry);
}

// --config: what the file names replaces what is there; sets and variables are added.
void merge(const oci::ImageProcessConfig& from, oci::ImageProcessConfig* to) {
  if (!from.user.empty()) to->user = from.user;
  if (!from.working_dir.empty()) to->working_dir = from.working_dir;
  if (!from.stop_signal.empty()) to->stop_signal = from.stop_signal;
  if (from.entrypoint) to->entrypoint = from.entrypoint;
  if (from.cmd) to->cmd = from.cmd;
  if (from.shell) to->shell = from.shell;
  if (from.on_build) to->on_build = from.on_build;
  if (from.healthcheck) to->healthcheck = from.healthcheck;
  for (const auto& [key, value] : from.exposed_ports) to->exposed_ports[key] = value;
  for (const auto& [key, value] : from.volumes) to->volumes[key] = value;
  for (const auto& [key, value] : from.labels) to->labels[key] = value;
  for (const std::string& entry : from.env) set_env(&to->env, entry);
}

Result<oci::ImageConfig> make_config(const Container& container, const store::Image& image,
                                     const CommitOptions& options) {
  oci::ImageConfig config = image.config;
  config.created = format_rfc3339(now(), -1, true);
  config.comment = options.message;
  config.author = options.author;
  add_container(container.config, options.include_volumes, &config.config);
  TRY(store::apply_changes(options.changes, &config.config));
  if (!options.config_json.empty())
    merge(TRY_CTX(json::parse_struct<oci::ImageProcessConfig>(options.config_json), "--config"),
          &config.config);
  if (options.squash) {
    config.history.clear();
    config.diff_ids.clear();
  }
  oci::History history;
  history.created = config.created;
  history.created_by = "/bin/sh";
  history.author = options.author;
  const std::string& base = container.config.image_name;
  if (!base.empty()) history.comment = concat("FROM ", base);
  config.history.push_back(std::move(history));
  return config;
}

// Owners in an image are those that the container saw.
std::vector<store::WorkerIdRange> back(const std::vector<oci::IdMapping>& map) {
  std::vector<store::WorkerIdRange> ranges;
  for (const oci::IdMapping& row : map) ranges.push_back({row.host_id, row.container_id, row.size});
  return ranges;
}

}  // namespace

Result<std::string> Engine::commit(const std::string& id, const CommitOptions& options) {
  TRY(enter());
  Container container = TRY(find_container(id));
  if (!container.config.rootfs.empty())
    return Error(Errc::unsupported, "cannot commit a container that uses an exploded rootfs");
  store::Image image = TRY_CTX(store_->find_image(container.config.image_id),
                               concat("the image of container ", short_id(id)));
  store::CommitRequest request;
  if (!options.name.empty()) {
    oci::Reference name = TRY_CTX(oci::Reference::parse(options.name),
                                  concat("normalizing name ", quote(options.name)));
    if (!name.digest.empty())
      return Error(Errc::invalid_argument,
                   concat(quote(options.name), ": an image cannot be named by a digest"));
    request.name = name.normalized("localhost").str();
  }
  request.config = TRY(make_config(container, image, options));
  request.docker = options.docker;
  request.read_as.uids = back(container.config.uid_map);
  request.read_as.gids = back(container.config.gid_map);
  std::optional<PauseGuard> paused;
  if (options.pause && container.live.state == ContainerState::running)
    paused.emplace(TRY(PauseGuard::pause(*this, id)));
  failpoint("engine.commit", 1);  // paused
  sys::UniqueFd tree;
  if (options.squash) {
    tree = TRY(open_rootfs_view(container.config, host_, container.dir + "/upper"));
  } else {
    request.base = &image;
    tree = TRY(sys::open(container.dir + "/upper", O_RDONLY | O_DIRECTORY));
    request.opaque = TRY(opaque_directories(tree.get()));
  }
  request.tree_fd = tree.get();
  // No lock is held over the copying: a container that was removed meanwhile makes no image.
  request.check = [&container]() -> Status {
    if (sys::exists(container.dir + "/config.json")) return {};
    return Error(Errc::conflict, concat("container ", short_id(container.config.id),
                                        " was removed while it was being committed"));
  };
  std::string made = TRY(store::commit_tree(*store_, request));
  failpoint("engine.commit", 2);  // the image is there
  emit_container(host_, "commit", container.live);
  return made;
}

// The container or image of that name.
Result<Engine::DiffSide> Engine::diff_side(std::string_view name, DiffKind kind) {
  DiffSide side;
  if (kind != DiffKind::image) {
    auto container = find_container(name);
    if (container) {
      side.container = std::move(*container);
      const ContainerConfig& config = side.container->config;
      side.layers = config.lower;
      if (config.rootfs.empty())
        side.layers.insert(side.layers.begin(), side.container->dir + "/upper");
      else
        side.layers = {config.rootfs};
      return side;
    }
    if (container.error().code() != Errc::not_found) return std::move(container.error());
    if (kind == DiffKind::container)
      return Error(Errc::not_found, concat(name, " not found: ", container.error().message()));
  }
  auto image = store_->find_image(name);
  if (!image) {
    if (image.error().code() != Errc::not_found) return std::move(image.error());
    return Error(Errc::not_found,
                 concat(name, " not found: ",
                        kind == DiffKind::image ? image.error().message() : "layer not known"));
  }
  side.layers = store_->lower_dirs(*image);
  return side;
}

Result<std::vector<TreeChange>> Engine::diff(std::string_view name, std::string_view from,
                                             DiffKind kind) {
  TRY(enter());
  DiffSide to = TRY(diff_side(name, kind));
  std::vector<TreeChange> changes;
  if (from.empty()) {
    if (to.layers.empty()) return changes;
    sys::UniqueFd upper = TRY(sys::open(to.layers[0], O_RDONLY | O_DIRECTORY));
    sys::UniqueFd lower =
        TRY(open_layers({to.layers.begin() + 1, to.layers.end()}, host_.rootless));
    changes = TRY(changes_of_upper(upper.get(), lower.get()));
  } else {
    DiffSide base = TRY(diff_side(from, kind));
    sys::UniqueFd before = TRY(open_layers(base.layers, host_.rootless));
    sys::UniqueFd after = TRY(open_layers(to.layers, host_.rootless));
    changes = TRY(changes_between(before.get(), after.get()));
  }
  const ContainerConfig* config = to.container ? &to.container->config : nullptr;
  std::erase_if(changes, [&](const TreeChange& change) { return is_ours(change.path, config); });
  return changes;
}

}  // namespace minke::engine
