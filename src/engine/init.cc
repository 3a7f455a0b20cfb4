// init: a container that is made and waits, and its start.
#include "base/str.h"
#include "engine/engine.h"
#include "engine/records.h"

namespace minke::engine {

Status Engine::init(const std::string& id) {
  TRY(enter());
  Container container = TRY(find_container(id));
  TRY(start_dependencies(container.config));
  sys::FileLock lock = TRY(lock_to_start(container));
  TRY(cleanup_locked(id));
  container = TRY(find_container(id));
  if (container.live.pid > 0)
    return Error(
        Errc::conflict,
        concat("container ", id, " has already been created in runtime: container state improper"));
  TRY(start_locked(container, lock, false, false, std::nullopt, true));
  return {};
}

Status Engine::start_initialized(const Container& container) {
  Status started = monitor::start_created(container.run_dir);
  if (started) return {};
  // The monitor has recorded what an engine that waits for it would have been told.
  auto end = load_exit(container.dir);
  if (end && *end && !(*end)->error.empty())
    return Error(started.error().code(), (*end)->error).with_exit((*end)->exit_code);
  return started;
}

}  // namespace minke::engine
