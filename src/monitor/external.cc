#include "monitor/external.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "codec/json.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

std::string bundle_of(const Plan& plan) { return concat(plan.run_dir, "/oci"); }

// In mount(2)'s option text a comma ends an option and a colon a layer.
std::string escaped(std::string_view path) {
  std::string out;
  for (char c : path) {
    if (c == ',' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string overlay_options(const runtime::OverlayRoot& o) {
  std::string out = "lowerdir=";
  for (const std::string& layer : o.lower) {
    if (out.back() != '=') out += ':';
    out += escaped(layer);
  }
  if (!o.upper.empty()) out += concat(",upperdir=", escaped(o.upper), ",workdir=", escaped(o.work));
  if (o.userxattr && o.fuse_program.empty()) out += ",userxattr";
  if (o.volatile_) out += ",volatile";
  return out;
}

// One fsconfig call a layer: for option texts beyond mount(2)'s page. Linux 6.5.
Status mount_many_layers(const runtime::OverlayRoot& o, const std::string& target) {
  sys::UniqueFd context(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (!context) return Error::from_errno(errno, "fsopen overlay");
  auto set = [&](const char* key, const std::string& value) -> Status {
    if (::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) < 0)
      return Error::from_errno(errno, concat("overlay option ", key));
    return {};
  };
  for (const std::string& layer : o.lower) TRY(set("lowerdir+", layer));
  if (!o.upper.empty()) {
    TRY(set("upperdir", o.upper));
    TRY(set("workdir", o.work));
  }
  for (const char* flag : {o.userxattr ? "userxattr" : nullptr, o.volatile_ ? "volatile" : nullptr})
    if (flag != nullptr && ::fsconfig(context.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0) < 0)
      return Error::from_errno(errno, concat("overlay option ", flag));
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return Error::from_errno(errno, "mount overlay");
  sys::UniqueFd mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  if (!mount) return Error::from_errno(errno, "mount overlay");
  if (::move_mount(mount.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return Error::from_errno(errno, concat("mount overlay on ", target));
  return {};
}

Status mount_overlay(const runtime::OverlayRoot& o, const std::string& target) {
  if (::unshare(CLONE_NEWNS) < 0) return Error::from_errno(errno, "unshare the mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
    return Error::from_errno(errno, "make / a slave mount");
  TRY(sys::ensure_dirs(target, 0700));
  if (o.lower.size() == 1 && o.upper.empty()) {  // overlay wants two layers at least
    if (::mount(o.lower[0].c_str(), target.c_str(), nullptr, MS_BIND, nullptr) < 0)
      return Error::from_errno(errno, concat("bind ", o.lower[0]));
    return {};
  }
  std::string options = overlay_options(o);
  if (!o.fuse_program.empty()) {
    sys::SpawnOptions spawn;
    spawn.path = o.fuse_program;
    spawn.argv = {o.fuse_program, "-o", options, target};
    int status = TRY(sys::run_and_wait(spawn));
    if (status != 0) return Error(Errc::io, concat(o.fuse_program, " could not mount ", target));
    return {};
  }
  if (options.size() >= 4096) return mount_many_layers(o, target);
  if (::mount("overlay", target.c_str(), "overlay", 0, options.c_str()) < 0)
    return Error::from_errno(errno, concat("mount overlay on ", target));
  return {};
}

// As our own runtime does: /etc/mtab where the image has none. The folder's owner is the
// container's root.
void link_mtab(const std::string& root) {
  auto top = sys::open(root, O_PATH | O_DIRECTORY);
  if (!top) return;
  auto etc = sys::open_in_root(top->get(), "etc", O_RDONLY | O_DIRECTORY);
  struct stat st {};
  if (!etc || ::fstat(etc->get(), &st) < 0 || ::symlinkat("/proc/mounts", etc->get(), "mtab") < 0)
    return;
  if (::fchownat(etc->get(), "mtab", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
    return;  // it leads there all the same
}

// The bundle that the other runtime reads: the spec with the root where it is mounted.
Status write_bundle(const Plan& plan) {
  std::string bundle = bundle_of(plan);
  std::string path = concat(plan.bundle, "/spec.json");
  std::string text = TRY(sys::read_small_file(path));
  json::Value spec = TRY_CTX(json::parse(text), path);
  json::Object* members = spec.as_object();
  if (members == nullptr) return Error(Errc::corrupt, concat(path, ": expected an object"));
  if (!plan.secret_env.empty()) {
    json::Value& process = (*members)["process"];
    if (process.as_object() == nullptr) process = json::Object();
    json::Value& env = (*process.as_object())["env"];
    if (env.as_array() == nullptr) env = json::Array();
    for (const std::string& entry : plan.secret_env) env.as_array()->emplace_back(entry);
  }
  json::Value& root = (*members)["root"];
  if (root.as_object() == nullptr) root = json::Object();
  std::string place =
      std::string(root.find("path") != nullptr ? root.find("path")->string_or("") : "");
  if (!plan.overlay.lower.empty()) {
    place = concat(bundle, "/rootfs");
    TRY(mount_overlay(plan.overlay, place));
    link_mtab(place);
  } else if (!place.starts_with('/')) {
    place = concat(plan.bundle, '/', place);
  }
  root.as_object()->set("path", place);
  return sys::write_file(concat(bundle, "/config.json"), json::dump(spec), 0600);
}

// The last message of the runtime's log; Podman's patterns decide between 126, 127 and 125.
Error runtime_error(const Plan& plan, const char* verb) {
  std::string what;
  if (auto log = sys::read_small_file(concat(bundle_of(plan), "/log"))) {
    for (std::string_view line : split(*log, '\n'))
      if (auto entry = json::parse(line))
        if (const json::Value* text = entry->find("msg")) what = text->string_or("");
  }
  std::string lower = to_lower(what);
  auto has = [&](std::string_view text) { return lower.find(text) != std::string::npos; };
  Error error(Errc::internal, concat("OCI runtime ", plan.runtime, " ", verb, ": ",
                                     what.empty() ? "failed" : what));
  if (has("not found in $path") || has("no such file or directory"))
    return std::move(error).with_exit(127);
  if (has("permission denied")) return std::move(error).with_exit(126);
  return error;
}

std::vector<std::string> runtime_command(const Plan& plan) {
  std::string bundle = bundle_of(plan);
  std::vector<std::string> out = {
      plan.runtime,           "--root",           concat(bundle, "/state"), "--log",
      concat(bundle, "/log"), "--log-format=json"};
  for (const std::string& flag : plan.runtime_flags)
    out.push_back(flag.starts_with("-") ? flag : concat("--", flag));
  if (plan.cgroup_manager == "systemd") out.push_back("--systemd-cgroup");
  if (plan.cgroup_manager == "disabled") out.push_back("--cgroup-manager=disabled");
  return out;
}

Status run_runtime(const Plan& plan, std::vector<std::string> words) {
  sys::SpawnOptions options;
  options.path = plan.runtime;
  options.argv = runtime_command(plan);
  std::string verb = words[0];
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  for (int& fd : options.stdio) fd = -2;
  if (TRY(sys::run_and_wait(options)) != 0) return runtime_error(plan, verb.c_str());
  return {};
}

}  // namespace

Result<runtime::ContainerHandle> create_external(const ExternalRequest& request) {
  const Plan& plan = *request.plan;
  std::string bundle = bundle_of(plan);
  if (plan.cgroup_manager == "disabled" && !plan.runtime.ends_with("crun"))
    return Error(Errc::unsupported,
                 concat("--cgroups=disabled is not supported with runtime ", plan.runtime));
  if (plan.sdnotify == "container")
    return Error(Errc::unsupported,
                 concat("--sdnotify=container is not supported with runtime ", plan.runtime));
  TRY(sys::ensure_dirs(concat(bundle, "/state"), 0700));
  TRY(write_bundle(plan));

  std::string pid_file = concat(bundle, "/pid"), console_path = concat(bundle, "/console");
  sys::SpawnOptions options;
  options.path = plan.runtime;
  options.argv = runtime_command(plan);
  options.argv.insert(options.argv.end(), {"create", "--bundle", bundle, "--pid-file", pid_file});
  if (plan.no_new_keyring) options.argv.push_back("--no-new-keyring");
  sys::UniqueFd listener;
  if (request.console >= 0) {
    ::unlink(console_path.c_str());
    listener = TRY(sys::listen_unix(console_path, SOCK_STREAM, 0600));
    options.argv.insert(options.argv.end(), {"--console-socket", console_path});
  }
  if (!request.preserve.empty()) {
    options.argv.insert(options.argv.end(), {"--preserve-fds", concat(request.preserve.size())});
    options.pass_fds = request.preserve;
  }
  options.argv.push_back(plan.id);
  for (int i = 0; i < 3; ++i) options.stdio[i] = request.stdio[i] >= 0 ? request.stdio[i] : -2;
  if (TRY(sys::run_and_wait(options)) != 0) return runtime_error(plan, "create");
  if (listener) {
    // `create` has ended, so the terminal was sent and waits in the queue.
    sys::UniqueFd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) return Error::from_errno(errno, "accept the terminal");
    sys::Message message = TRY(sys::receive_message(connection.get(), 4096));
    if (message.fds.empty())
      return Error(Errc::internal, concat(plan.runtime, " sent no terminal"));
    TRY(sys::send_message(request.console, "tty", {message.fds[0].get()}));
  }
  std::string text = TRY(sys::read_small_file(pid_file));
  auto pid = parse_int(trim(text));
  if (!pid) return Error(Errc::internal, concat(plan.runtime, " wrote no pid"));
  runtime::ContainerHandle handle;
  handle.id = plan.id;
  handle.pid = static_cast<pid_t>(*pid);
  handle.start_time = TRY(sys::process_start_time(handle.pid));
  return handle;
}

Status start_external_container(const Plan& plan) { return run_runtime(plan, {"start", plan.id}); }

Status delete_external(const Plan& plan) {
  TRY(run_runtime(plan, {"delete", "--force", plan.id}));
  return sys::remove_tree_at(sys::DirFd::cwd(), bundle_of(plan).c_str());
}

}  // namespace minke::monitor
