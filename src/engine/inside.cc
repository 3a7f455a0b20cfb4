// Work inside a container: exec, attach, logs, export, sizes.
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "engine/container_root.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/records.h"
#include "engine/tree_size.h"
#include "store/image_worker.h"
#include "sys/process.h"

namespace minke::engine {
namespace {

Result<oci::Spec> load_spec(const std::string& dir) {
  std::string text = TRY(sys::read_small_file(dir + "/spec.json"));
  return oci::parse_spec(text);
}

// Detached sessions that ended a while ago: nobody asks for their exit codes any more, and a
// container may run for a year.
void forget_old_sessions(const std::string& run_dir) {
  constexpr std::int64_t kKeptSeconds = 300;
  const std::string folder = run_dir + "/exec";
  for (const std::string& session : sys::list_dir(sys::DirFd::cwd(), folder.c_str()).value_or({})) {
    struct stat st {};
    const std::string path = concat(folder, "/", session);
    if (::lstat((path + "/exit").c_str(), &st) == 0 &&
        st.st_mtime + kKeptSeconds < now() / kSecond && !sys::exists(path + "/state"))
      ignore(sys::remove_tree_at(sys::DirFd::cwd(), path.c_str()), "it goes with the container");
  }
}

}  // namespace

Result<Engine::ExecResult> Engine::exec(const std::string& id, const ExecOptions& options,
                                        const AttachFlags& flags, bool detach) {
  TRY(enter());
  Container container = TRY(find_container(id));
  if (container.live.state != ContainerState::running)
    return Error(
        Errc::conflict,
        concat("can only create exec sessions on running containers: container state improper"));
  oci::Spec spec = TRY(load_spec(container.dir));
  if (spec.process) TRY(add_secret_env(container.config, container.run_dir, &spec.process->env));
  const std::uint64_t start_time = TRY(open_init(host_, container.live)).start_time;
  sys::UniqueFd root = TRY(open_running_root(host_, container.live, O_PATH));
  oci::Process process = TRY(make_exec_process(container.config, spec, options, root.get()));
  ExecResult result;
  failpoint("engine.exec", 1);  // decided
  if (detach) {
    forget_old_sessions(container.run_dir);
    monitor::ExecPlan plan;
    plan.session = random_hex(32);
    plan.container_id = id;
    plan.bundle = container.dir;
    plan.run_dir = container.run_dir;
    plan.process = std::move(process);
    plan.events = event_sink(host_);
    plan.container_name = container.config.name;
    plan.image_name = container.live.image_name;
    plan.labels = event_attributes(container.config.labels);
    TRY(monitor::spawn_exec(host_.monitor_path, plan));
    failpoint("engine.exec", 2);  // it runs, by its own monitor
    result.session = plan.session;
    return result;
  }
  monitor::ExecForeground exec;
  exec.request.init_pid = container.live.pid;
  exec.request.init_start_time = start_time;
  exec.request.spec = &spec;
  exec.request.process = &process;
  exec.request.cgroup = container.live.cgroup;
  for (std::uint32_t i = 0; i < options.preserve_fds; ++i)
    exec.request.preserve_fds.push_back(static_cast<int>(3 + i));
  for (std::int32_t fd : options.preserve_fd) exec.request.preserve_fds.push_back(fd);
  sys::UniqueFd null;
  if (!options.stdin_open && !options.terminal) {
    null = TRY(sys::open("/dev/null", O_RDONLY));
    exec.request.stdio[0] = null.get();
  }
  exec.attach.terminal = options.terminal;
  exec.attach.stdin_ = flags.stdin_;
  exec.attach.detach_keys = flags.detach_keys;
  exec.on_started = [&] {
    failpoint("engine.exec", 2);  // it runs
    emit_container(host_, "exec", container.live);
    failpoint("engine.exec", 3);
  };
  result.exit_code = TRY(monitor::exec_foreground(exec, &result.detached));
  failpoint("engine.exec", 4);  // it has ended
  if (!result.detached) emit_container(host_, "exec_died", container.live, result.exit_code);
  return result;
}

Result<std::optional<int>> Engine::attach(const std::string& id, const AttachFlags& flags) {
  TRY(enter());
  Container container = TRY(find_container(id));
  if (container.live.state != ContainerState::running &&
      container.live.state != ContainerState::paused)
    return Error(Errc::conflict, "you can only attach to running containers");
  return attach_stream(container, TRY(monitor::connect_attach(container.run_dir, flags.stdin_)),
                       flags);
}

Result<std::optional<int>> Engine::attach_stream(const Container& container, sys::UniqueFd stream,
                                                 const AttachFlags& flags) {
  const std::string& id = container.config.id;
  monitor::AttachOptions options;
  options.terminal = container.config.request.terminal;
  options.stdin_ = flags.stdin_;
  options.stdout_ = flags.stdout_;
  options.stderr_ = flags.stderr_;
  options.detach_keys = flags.detach_keys;
  if (flags.sig_proxy)
    options.on_signal = [this, id](int signal) {
      ignore(kill(id, signal), "it may have ended at this moment");
    };
  emit_container(host_, "attach", container.live);
  monitor::AttachEnd end = TRY(monitor::run_attach(stream.get(), options));
  if (end == monitor::AttachEnd::detached) return std::optional<int>();
  return std::optional<int>(TRY(wait(id, {}, 250)));
}

Status Engine::logs(const std::string& id, const monitor::LogQuery& query,
                    const std::function<bool(const monitor::LogLine&)>& on_line) {
  Container container = TRY(find_container(id));
  monitor::LogQuery asked = query;
  if (asked.follow && !asked.ended)
    asked.ended = [this, id] {
      auto live = summary(id);
      return !live || live->pid == 0;
    };
  return monitor::read_logs(container.config.log, id, asked, on_line);
}

Status Engine::export_container(const std::string& id, int output_fd) {
  TRY(enter());
  Container container = TRY(find_container(id));
  // A running container is read through its own root, where its volumes are left out as other file
  // systems.
  sys::UniqueFd root;
  if (container.live.pid > 0)
    if (auto inside = open_running_root(host_, container.live, O_RDONLY)) root = std::move(*inside);
  if (!root) root = TRY(open_rootfs_view(container.config, host_, container.dir + "/upper"));
  TRY(store::export_rootfs(root.get(), output_fd));
  emit_container(host_, "export", container.live);
  return {};
}

Result<Engine::Sizes> Engine::sizes(const std::string& id) {
  TRY(enter());
  ContainerConfig config = TRY(load_config(ContainerPaths(host_, id).dir));
  Sizes sizes;
  if (!config.rootfs.empty()) {
    sys::DirFd root = TRY(sys::open_dir(config.rootfs));
    sizes.root = TRY(tree_size(root));
    return sizes;
  }
  sys::DirFd upper = TRY(sys::open_dir(ContainerPaths(host_, id).dir + "/upper"));
  sizes.rw = TRY(tree_size(upper));
  sizes.root = sizes.rw;
  if (auto image = store_->find_image(config.image_id)) sizes.root += image->size;
  return sizes;
}

}  // namespace minke::engine
