// A container's files from outside, with its volumes and binds: that of a running one by its own
// mount namespace, that of another put together in a mount namespace of this process.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/process.h"

namespace minke::engine {

enum class RootUse { read, write };

struct ContainerRoot {
  sys::UniqueFd root;
  bool running = false;
  // Held while a container that does not run is written: nobody starts it meanwhile.
  sys::FileLock lock;
};
// Needs enter_namespaces(). The process must be single-threaded: it may get a mount namespace of
// its own.
Result<ContainerRoot> open_container_root(const Host& host, const Container& container,
                                          RootUse use);

// The first process of a container that runs: that very one, whoever has its number later.
// not_found: it has just ended.
struct RunningInit {
  sys::Pidfd process;
  std::uint64_t start_time = 0;
};
Result<RunningInit> open_init(const Host& host, const ContainerSummary& live);
// Its root, from /proc.
Result<sys::UniqueFd> open_running_root(const Host& host, const ContainerSummary& live, int flags);

// RUNROOT/mounts/containers/ID/merged, where `mount` puts a container's root.
std::string container_mount_point(const Host& host, const std::string& id);
// The container's root as `mount` shows it somewhere, to be mounted once more: one upper folder
// cannot be in two overlays. Empty where it is not mounted.
Result<sys::UniqueFd> mounted_root(const Host& host, const ContainerConfig& config);
// The mount namespace that we are in, by name.
std::string mount_namespace();
bool is_mount_point(const std::string& path);

}  // namespace minke::engine
