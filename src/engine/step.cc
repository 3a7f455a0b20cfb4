#include "engine/step.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/records.h"
#include "engine/step_label.h"
#include "state/name_table.h"
#include "state/object_lock.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr std::string_view kStepName = "build-";

// What every container has mounted (specgen_mounts.cc).
constexpr const char* kOwnFolders[] = {"/proc", "/sys", "/dev", "/run/secrets", "/etc"};
constexpr const char* kOwnFiles[] = {"/etc/hosts", "/etc/resolv.conf", "/etc/hostname",
                                     "/run/.containerenv"};

// `path` is clean and absolute; nothing below `folder` is a link.
Status make_place(const std::string& folder, const std::string& path, bool file) {
  std::string at = folder;
  std::vector<std::string_view> names = split(std::string_view(path).substr(1), '/');
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    at += concat("/", names[i]);
    if (!file || i + 1 < names.size()) {
      TRY(sys::ensure_dir_at(sys::DirFd::cwd(), at.c_str(), 0755));
      continue;
    }
    if (!sys::exists(at)) TRY(sys::open(at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  }
  return {};
}

// The folder of changes of an earlier step takes the place of the new, empty one.
Status use_upper(const std::string& upper, const std::string& container_dir) {
  if (!sys::exists(upper)) return {};
  const std::string own = container_dir + "/upper";
  TRY(sys::unlink_at(sys::DirFd::cwd(), own.c_str(), AT_REMOVEDIR));
  return sys::rename_at(sys::DirFd::cwd(), upper.c_str(), sys::DirFd::cwd(), own.c_str());
}

// Held by the process that runs the step, for all of the container's life.
Result<sys::UniqueFd> lock_builder(const std::string& run_dir) {
  sys::UniqueFd file = TRY(sys::open(run_dir + "/builder", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0)
    return Error::from_errno(errno, "the builder of the container");
  return file;
}

}  // namespace

Status make_mount_places(const std::string& folder, const std::vector<MountPlace>& mounts) {
  for (const char* path : kOwnFolders) TRY(make_place(folder, path, false));
  for (const char* path : kOwnFiles) TRY(make_place(folder, path, true));
  // The runtime makes this link where there is none.
  const std::string mtab = folder + "/etc/mtab";
  if (::symlink("/proc/mounts", mtab.c_str()) < 0 && errno != EEXIST)
    return Error::from_errno(errno, mtab);
  for (const MountPlace& mount : mounts)
    TRY_CTX(make_place(folder, mount.path, mount.file), mount.path);
  return {};
}

Status Engine::clear_steps() {
  TRY(enter());
  state::NameTable names(host_.root);
  for (const std::string& name :
       sys::list_dir(sys::DirFd::cwd(), (host_.root + "/names").c_str()).value_or({})) {
    if (!name.starts_with(kStepName)) continue;
    auto id = names.lookup(name);
    if (!id) continue;
    ContainerPaths paths(host_, *id);
    auto lock = state::try_lock_object(paths.run_dir, concat("container ", short_id(*id)));
    if (!lock) continue;
    if (!sys::exists(paths.dir)) {
      TRY(names.release(name, *id));
      TRY(sys::remove_tree_at(sys::DirFd::cwd(), paths.run_dir.c_str()));
      continue;
    }
    auto config = load_config(paths.dir);
    if (!config || !config->request.build_step) continue;
    // Its builder lives, and takes what it has made.
    if (!lock_builder(paths.run_dir)) continue;
    TRY(cleanup_locked(*id));
    bool unused = false;
    ContainerSummary live = TRY(load_summary(host_, *id, &unused));
    if (live.pid <= 0) TRY(remove_locked(*id, true));
  }
  return {};
}

Result<int> Engine::run_step(const StepRequest& step) {
  std::optional<monitor::Handle> early;
  CreateRequest request = step.request;
  request.name = concat(kStepName, random_hex(6));
  request.labels[kStepLabel] = "";
  New made = TRY(create_locked(request, &early, &step));
  Container container = std::move(made.container);
  sys::UniqueFd builder = TRY(lock_builder(container.run_dir));
  auto drop = [&] {
    if (Status removed = remove_locked(container.config.id, true); !removed)
      log::warn(removed.error().message());
  };
  if (Status used = use_upper(step.upper, container.dir); !used) {
    drop();
    return std::move(used.error());
  }
  container.secret_env = step.secret_env;
  failpoint("engine.step", 1);  // made
  auto started = start_locked(container, made.lock, false, false, std::move(early));
  if (!started) {
    drop();
    return std::move(started.error());
  }
  made.lock.release();
  auto record = started->wait_exit();
  if (!record) return std::move(record.error());
  failpoint("engine.step", 2);  // ended
  Status taken = sys::rename_at(sys::DirFd::cwd(), (container.dir + "/upper").c_str(),
                                sys::DirFd::cwd(), step.upper.c_str());
  failpoint("engine.step", 3);  // its changes are ours
  TRY(finish_run(container, *started));
  TRY(std::move(taken));
  if (!record->error.empty()) return Error(Errc::io, record->error);
  return record->exit_code;
}

}  // namespace minke::engine
