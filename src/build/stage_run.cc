// RUN: a container of the engine on top of the stage's layers.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/str.h"
#include "build/interpreter.h"
#include "build/parse.h"
#include "build/secret.h"
#include "build/ssh_agent.h"
#include "build/stage.h"
#include "codec/digest.h"
#include "engine/copy_tree.h"
#include "engine/parse_internal.h"
#include "engine/rootfs_view.h"
#include "engine/step.h"
#include "sys/lock.h"

namespace minke::build {

// What --mount options become.
struct StageBuilder::RunMounts {
  std::vector<engine::MountRequest> requests;
  std::vector<engine::MountPlace> places;
  std::map<std::string, engine::ImageTree> trees;
  std::vector<std::string> secret_env, env;
  std::vector<std::string> key;      // what the result depends on
  std::vector<sys::UniqueFd> locks;  // held until the step has ended
  struct Agent {
    std::string path, agent;
    RelayOwner owner;
  };
  std::vector<Agent> agents;
};

namespace {

// Only what is below `path` in layers put together: folders, topmost first, or one file. `path` is
// the real one, without links.
struct Part {
  std::vector<std::string> folders;
  std::string file;
};

bool is_opaque(const std::string& folder, bool rootless) {
  char value[2];
  const char* name = rootless ? "user.overlay.opaque" : "trusted.overlay.opaque";
  return ::lgetxattr(folder.c_str(), name, value, sizeof value) == 1 && value[0] == 'y';
}

Part part_of(const std::vector<std::string>& layers, const std::string& path, bool rootless) {
  Part part;
  for (const std::string& layer : layers) {
    std::string at = layer;
    bool hidden = false, there = true;
    for (std::string_view name : split(std::string_view(path).substr(1), '/')) {
      if (name.empty()) continue;
      at += concat("/", name);
      struct stat st {};
      if (::lstat(at.c_str(), &st) < 0) {
        there = false;
        break;
      }
      if (S_ISDIR(st.st_mode)) {
        hidden = hidden || is_opaque(at, rootless);
        continue;
      }
      // A whiteout ends the search, a file is all there is.
      if (!S_ISCHR(st.st_mode) && part.folders.empty()) part.file = at;
      return part;
    }
    if (there) part.folders.push_back(at);
    if (hidden) break;
  }
  return part;
}

// Where `path` leads inside of `root`, without links.
Result<std::string> real_path(int root, const std::string& path) {
  sys::UniqueFd fd = TRY(sys::open_in_root(root, path.empty() ? "/" : path.c_str(), O_PATH));
  std::string whole =
      TRY(sys::read_link_at(sys::DirFd::cwd(), concat("/proc/self/fd/", fd.get()).c_str()));
  std::string base =
      TRY(sys::read_link_at(sys::DirFd::cwd(), concat("/proc/self/fd/", root).c_str()));
  if (base != "/" && whole.starts_with(base)) whole = whole.substr(base.size());
  return whole.empty() ? "/" : whole;
}

}  // namespace

Status StageBuilder::add_bind(const RunMount& mount, RunMounts* mounts) {
  engine::MountRequest request;
  request.destination = absolute(mount.target);
  engine::MountPlace place{request.destination, false};
  Origin origin = origin_of(mount.from);
  mounts->key.push_back(
      concat("bind ", request.destination, " ", mount.source, " ", mount.read_only ? "ro" : "rw"));
  if (origin.kind == Origin::Kind::context) {
    Context* context = TRY(plan_.contexts->find(origin.name));
    std::string source = TRY(context->host_path(mount.source));
    mounts->key.push_back(TRY(context->digest_of(mount.source)));
    struct stat st {};
    if (::stat(source.c_str(), &st) < 0) return Error::from_errno(errno, mount.source);
    place.file = !S_ISDIR(st.st_mode);
    request.type = "bind";
    request.source = source;
    request.options = {mount.read_only || place.file ? "ro" : "O"};
  } else {
    Tree tree = TRY(tree_of(origin));
    mounts->key.push_back(tree.identity);
    if (tree.layers.empty())
      return Error(Errc::not_found, concat("--mount from=", mount.from, ": nothing is in it"));
    std::string real = "/";
    {
      sys::UniqueFd view = tree.layers.size() == 1
                               ? TRY(sys::open(tree.layers[0], O_RDONLY | O_DIRECTORY))
                               : TRY(engine::mount_layers(tree.layers, engine_.host().rootless));
      real = TRY_CTX(real_path(view.get(), mount.source),
                     concat("--mount from=", mount.from, ",source=", mount.source));
    }
    Part part = part_of(tree.layers, real, engine_.host().rootless);
    if (!part.file.empty()) {
      place.file = true;
      request.type = "bind";
      request.source = part.file;
      request.options = {"ro"};
    } else {
      request.type = "image";
      request.source = concat("tree-", mounts->trees.size());
      request.options = {mount.read_only ? "ro" : "rw"};
      mounts->trees[request.source] = {"build", request.source, part.folders};
    }
  }
  if (place.file && !mount.read_only)
    return Error(Errc::unsupported, concat("--mount target=", mount.target,
                                           ": a file can be mounted read-only alone"));
  mounts->requests.push_back(std::move(request));
  mounts->places.push_back(std::move(place));
  return {};
}

// A folder of ROOT that outlives the build, with one lock for all who use it.
Status StageBuilder::add_cache(const RunMount& mount, RunMounts* mounts) {
  const std::string destination = absolute(mount.target);
  mounts->key.push_back(concat("cache ", mount.id, " ", destination));
  const std::string all = cache_.folder() + "/mounts";
  TRY(sys::ensure_dirs(all, 0700));
  std::string name =
      sha256_hex(concat(mount.id, "\n", mount.from, "\n", mount.source)).substr(0, 32);
  sys::UniqueFd lock;
  std::string folder;
  for (int i = 0;; ++i) {
    folder = concat(all, "/", name, i > 0 ? concat("-", i) : "");
    TRY(sys::ensure_dir_at(sys::DirFd::cwd(), folder.c_str(), 0700));
    lock = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    int how = mount.sharing == RunMount::Sharing::shared ? LOCK_SH : LOCK_EX;
    if (mount.sharing == RunMount::Sharing::exclusive) how |= LOCK_NB;
    int rc = 0;
    do rc = ::flock(lock.get(), how);
    while (rc < 0 && errno == EINTR);
    if (rc == 0) break;
    if (errno != EWOULDBLOCK) return Error::from_errno(errno, "lock the cache mount");
  }
  ::utimensat(AT_FDCWD, folder.c_str(), nullptr, 0);
  const std::string data = folder + "/data";
  if (!sys::exists(data)) {
    const store::Staging staging = TRY(engine_.store().stage("cache-mount"));
    const std::string fresh = staging.path() + "/data";
    TRY(sys::make_dir_at(sys::DirFd::cwd(), fresh.c_str(), 0755));
    sys::UniqueFd into = TRY(sys::open(fresh, O_RDONLY | O_DIRECTORY));
    if (!mount.from.empty()) {
      Tree tree = TRY(tree_of(origin_of(mount.from)));
      if (tree.layers.empty())
        return Error(Errc::unsupported,
                     concat("--mount type=cache,from=", mount.from, ": name a stage or an image"));
      sys::UniqueFd view = tree.layers.size() == 1
                               ? TRY(sys::open(tree.layers[0], O_RDONLY | O_DIRECTORY))
                               : TRY(engine::mount_layers(tree.layers, engine_.host().rootless));
      std::string path = mount.source.empty() ? "/" : mount.source;
      sys::UniqueFd source =
          TRY(sys::open_in_root(view.get(), path.c_str(), O_RDONLY | O_DIRECTORY));
      auto same = [](std::uint32_t id) { return std::optional(id); };
      TRY(engine::copy_tree(source.get(), into.get(), same, same));
    }
    if (::fchmod(into.get(), mount.mode.value_or(0755)) < 0 ||
        ::fchown(into.get(), mount.uid.value_or(0), mount.gid.value_or(0)) < 0)
      return Error::from_errno(errno, "the cache mount");
    failpoint("build.cache-mount", 1);  // filled, nobody's yet
    Status placed = sys::rename_at(sys::DirFd::cwd(), fresh.c_str(), sys::DirFd::cwd(),
                                   data.c_str(), RENAME_NOREPLACE);
    // Or another build has made it meanwhile.
    if (!placed && placed.error().sys() != EEXIST) return placed;
  }
  engine::MountRequest request;
  request.type = "bind";
  request.source = data;
  request.destination = destination;
  request.options = {mount.read_only ? "ro" : "rw"};
  mounts->requests.push_back(std::move(request));
  mounts->places.push_back({destination, false});
  mounts->locks.push_back(std::move(lock));
  return {};
}

Status StageBuilder::add_tmpfs(const RunMount& mount, RunMounts* mounts) {
  engine::MountRequest request;
  request.type = "tmpfs";
  request.destination = absolute(mount.target);
  request.options = {"notmpcopyup"};
  if (mount.size) request.options.push_back(concat("size=", *mount.size));
  mounts->key.push_back(concat("tmpfs ", request.destination));
  mounts->places.push_back({request.destination, false});
  mounts->requests.push_back(std::move(request));
  return {};
}

// As a file it lies in RUNROOT, which is in memory, until the step has ended.
Status StageBuilder::add_secret(const RunMount& mount, RunMounts* mounts) {
  mounts->key.push_back(concat("secret ", mount.id, " ", mount.target, " ", mount.env));
  auto source = plan_.options.secrets.find(mount.id);
  if (source == plan_.options.secrets.end()) {
    if (!mount.required) return {};
    return Error(Errc::not_found, concat("secret ", quote(mount.id),
                                         " is required but was not given (use --secret id=",
                                         mount.id, ",src=FILE)"));
  }
  const std::string content = TRY(read_secret(source->second, mount.id));
  if (!mount.env.empty()) mounts->secret_env.push_back(concat(mount.env, "=", content));
  if (!mount.env.empty() && mount.target.empty()) return {};
  std::string path = concat(plan_.folder, "/secret-", node_.stage, "-", ++folders_);
  sys::UniqueFd file = TRY(sys::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(sys::write_all(file.get(), content, path));
  if (::fchown(file.get(), mount.uid.value_or(0), mount.gid.value_or(0)) < 0 ||
      ::fchmod(file.get(), mount.mode.value_or(0400)) < 0)
    return Error::from_errno(errno, concat("secret ", mount.id));
  engine::MountRequest request;
  request.type = "bind";
  request.source = path;
  request.destination =
      mount.target.empty() ? concat("/run/secrets/", mount.id) : absolute(mount.target);
  request.options = {"ro", "nosuid", "nodev", "noexec"};
  mounts->places.push_back({request.destination, true});
  mounts->requests.push_back(std::move(request));
  return {};
}

Status StageBuilder::add_agent(const RunMount& mount, RunMounts* mounts) {
  mounts->key.push_back(concat("ssh ", mount.id, " ", mount.target));
  auto socket = plan_.agents.find(mount.id);
  if (socket == plan_.agents.end()) {
    if (!mount.required) return {};
    return Error(Errc::not_found,
                 concat("ssh agent ", quote(mount.id), " is required but was not given (use --ssh ",
                        mount.id, "[=SOCKET])"));
  }
  const std::string path = concat(plan_.folder, "/ssh-", node_.stage, "-", ++folders_);
  mounts->agents.push_back(
      {path,
       socket->second,
       {mount.uid.value_or(0), mount.gid.value_or(0), mount.mode.value_or(0600) & 0777}});
  engine::MountRequest request;
  request.type = "bind";
  request.source = path;
  const std::size_t number = mounts->agents.size() - 1;
  request.destination =
      mount.target.empty() ? concat("/run/buildkit/ssh_agent.", number) : absolute(mount.target);
  request.options = {"rw"};
  if (number == 0) mounts->env.push_back(concat("SSH_AUTH_SOCK=", request.destination));
  mounts->places.push_back({request.destination, true});
  mounts->requests.push_back(std::move(request));
  return {};
}

// What of a mount's options a program can see, besides where it is and what is in it.
std::string StageBuilder::mount_key(const RunMount& mount) {
  auto number = [](const auto& value) { return value ? concat(*value) : std::string("-"); };
  std::string how = concat(mount.read_only ? "ro " : "rw ", number(mount.mode), " ",
                           number(mount.uid), " ", number(mount.gid), " ", number(mount.size));
  if (mount.type != RunMount::Type::cache) return how;
  return concat(how, " ", mount.from.size(), " ", mount.from, " ", mount.source);
}

Status StageBuilder::add_mounts(const node::Run& run, RunMounts* mounts) {
  for (const RunMount& mount : run.mounts) {
    mounts->key.push_back(mount_key(mount));
    Status added;
    switch (mount.type) {
      case RunMount::Type::bind:
        added = add_bind(mount, mounts);
        break;
      case RunMount::Type::cache:
        added = add_cache(mount, mounts);
        break;
      case RunMount::Type::tmpfs:
        added = add_tmpfs(mount, mounts);
        break;
      case RunMount::Type::secret:
        added = add_secret(mount, mounts);
        break;
      case RunMount::Type::ssh:
        added = add_agent(mount, mounts);
        break;
    }
    TRY(std::move(added));
  }
  return {};
}

// What a RUN sees, and so what its result may depend on.
Result<std::string> StageBuilder::run_key(const node::Run& run,
                                          const std::vector<std::string>& argv,
                                          const std::string& script, const RunMounts& mounts) {
  KeyMaker key("run 1");
  const engine::CreateRequest& how = plan_.options.run;
  key.add(top()).add(argv).add(script).add(variables_.environment());
  key.add(variables_.cache_arguments()).add(config().user).add(config().working_dir);
  key.add(mounts.key).add(run.network).add(run.security);
  key.add(how.network.mode).add(how.cap_add).add(how.cap_drop).add(how.security_opts);
  key.add(how.add_hosts).add(how.devices).add(plan_.times);
  for (const engine::MountRequest& mount : how.mounts)
    key.add(mount.type).add(mount.source).add(mount.destination).add(mount.options);
  return key.hex();
}

Status StageBuilder::check_platform() {
  const std::string& arch = result_.config.architecture;
  if (arch.empty() || arch == plan_.host.architecture) return {};
  // 32-bit programs run as they are on their 64-bit machines.
  if ((arch == "386" && plan_.host.architecture == "amd64") ||
      (arch == "arm" && plan_.host.architecture == "arm64"))
    return {};
  if (has_interpreter(arch)) return {};
  return Error(
      Errc::unsupported,
      concat("RUN of an image for ", arch, " on ", plan_.host.architecture,
             ": no interpreter is registered (install qemu-user-static and binfmt-support)"));
}

Status StageBuilder::run(const node::Run& run, const Step& step) {
  if (run.security == "insecure")
    return Error(
        Errc::unsupported,
        "--security=insecure is not supported: name what is needed by --cap-add or --device");
  RunCommand command = TRY(run_command(run, shell_));
  RunMounts mounts;
  TRY(add_mounts(run, &mounts));
  std::string key = TRY(run_key(run, command.argv, command.script, mounts));
  if (TRY(use_cached(key, step))) return {};
  TRY(check_platform());
  std::vector<OwnedProcess> relays;  // until the step has ended
  for (const RunMounts::Agent& agent : mounts.agents)
    relays.push_back(TRY(relay_agent(agent.path, agent.agent, agent.owner)));

  engine::StepRequest request;
  request.request = plan_.options.run;
  engine::CreateRequest& how = request.request;
  how.image = result_.base_name.empty() ? "scratch" : result_.base_name;
  how.command = command.argv;
  std::vector<std::string> arguments = variables_.run_arguments();
  how.env.insert(how.env.end(), arguments.begin(), arguments.end());
  how.env.insert(how.env.end(), mounts.env.begin(), mounts.env.end());
  how.remove = how.build_step = true;
  how.image_volume = "ignore";
  how.log.driver = "passthrough";
  how.systemd = "false";
  how.sdnotify = "ignore";
  how.health.disabled = true;
  how.passwd = false;
  if (!run.network.empty() && run.network != "default") {
    how.network = {run.network, ""};
    how.networks.clear();
  }
  std::vector<engine::MountPlace> places = std::move(mounts.places);
  for (const engine::MountRequest& mount : how.mounts) {
    struct stat st {};
    bool file =
        mount.type == "bind" && ::stat(mount.source.c_str(), &st) == 0 && !S_ISDIR(st.st_mode);
    places.push_back({engine::clean_path(mount.destination), file});
  }
  for (engine::MountRequest& mount : mounts.requests) how.mounts.push_back(std::move(mount));
  if (!command.script.empty()) {
    std::string script = fresh_folder("script");
    sys::UniqueFd file = TRY(sys::open(script, O_WRONLY | O_CREAT | O_EXCL, 0755));
    TRY(sys::write_all(file.get(), command.script, script));
    if (::fchmod(file.get(), 0755) < 0) return Error::from_errno(errno, "heredoc");
    engine::MountRequest mount;
    mount.type = "bind";
    mount.source = script;
    mount.destination = concat("/dev/pipes/", command.script_name);
    mount.options = {"ro"};
    how.mounts.push_back(std::move(mount));
  }
  request.image.id = result_.base_id;
  if (!result_.base_name.empty()) request.image.names = {result_.base_name};
  request.image.manifest_descriptor.digest = result_.base_digest;
  request.image.config.config.env = variables_.environment();
  request.image.config.config.user = config().user;
  request.image.config.config.working_dir = config().working_dir;
  std::string mount_places = fresh_folder("places");
  TRY(sys::make_dir_at(sys::DirFd::cwd(), mount_places.c_str(), 0755));
  TRY(engine::make_mount_places(mount_places, places));
  request.lower = lower();
  request.lower.push_back(mount_places);
  request.trees = std::move(mounts.trees);
  request.secret_env = std::move(mounts.secret_env);
  request.upper = TRY(new_upper());

  auto code = engine_.run_step(request);
  int exit_code = code ? *code : code.error().exit_code();
  if (!code && exit_code != 126 && exit_code != 127) return std::move(code.error());
  if (exit_code != 0) {
    std::string reason = code ? "" : concat(" (", code.error().message(), ")");
    return Error(Errc::io, concat("process ", quote(join(command.argv, " ")),
                                  " did not complete successfully: exit code: ", exit_code, reason))
        .with_exit(exit_code);
  }
  return seal(request.upper, key, step);
}

}  // namespace minke::build
