// Another name for a container. The commit is the rename of its config.json; a marker beside it
// holds both names meanwhile, so that whoever meets one of them after a crash settles the matter.
#include "base/failpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/records.h"
#include "state/name_table.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

constexpr const char* kMarker = "/renaming";

std::string marker_of(const std::string& dir) { return dir + kMarker; }

Status drop_marker(const std::string& dir) {
  return sys::unlink_at(sys::DirFd::cwd(), marker_of(dir).c_str());
}

}  // namespace

std::vector<std::string> names_of_rename(const std::string& dir) {
  std::vector<std::string> names;
  auto text = sys::read_small_file(marker_of(dir), 4096);
  if (!text) return names;
  for (std::string_view line : split(*text, '\n'))
    if (!line.empty()) names.emplace_back(line);
  return names;
}

// The caller holds no lock of the container.
Status Engine::heal_rename(const std::string& id) {
  ContainerPaths paths(host_, id);
  sys::FileLock lock = TRY(state::lock_object(paths.run_dir, concat("container ", short_id(id))));
  std::vector<std::string> names = names_of_rename(paths.dir);
  if (names.empty()) return {};  // whoever had the lock did it
  ContainerConfig config = TRY(load_config(paths.dir));
  TRY(save_config(paths.dir, config, sys::Durability::none));
  for (const std::string& name : names)
    if (name != config.name) TRY(state::NameTable(host_.root).release(name, id));
  return drop_marker(paths.dir);
}

Status Engine::rename(const std::string& id, const std::string& name) {
  TRY(state::check_name(name));
  TRY(enter());
  ContainerPaths paths(host_, id);
  if (!names_of_rename(paths.dir).empty()) TRY(heal_rename(id));
  sys::FileLock lock = TRY(state::lock_object(paths.run_dir, concat("container ", short_id(id))));
  ContainerConfig config = TRY(load_config(paths.dir));
  const std::string old = config.name;
  if (old == name) return {};
  state::NameTable names(host_.root);
  auto owner = names.lookup(name);
  bool taken = owner && sys::exists(ContainerPaths(host_, *owner).dir);
  if (owner && !taken) TRY(names.release(name, *owner));  // of a container that is gone
  failpoint("engine.rename", 1);                          // nothing done
  TRY(sys::write_file(marker_of(paths.dir), concat(old, "\n", name, "\n"), 0600));
  failpoint("engine.rename", 2);  // marked
  Status reserved = taken ? Status(Error(Errc::already_exists, name)) : names.reserve(name, id);
  if (!reserved) {
    TRY(drop_marker(paths.dir));
    if (reserved.error().code() != Errc::already_exists) return reserved;
    return Error(Errc::already_exists, concat("renaming container ", id, ": name ", name,
                                              " already in use, cannot rename container ", id,
                                              ": container already exists"));
  }
  failpoint("engine.rename", 3);  // both names are its own
  config.name = name;
  config.request.name = name;
  TRY(save_config(paths.dir, config, sys::Durability::data));
  if (auto record = TRY(net::load_attachments(paths.run_dir))) {
    record->name = name;
    TRY(net::save_attachments(paths.run_dir, *record));
  }
  emit_container(host_, "rename", config);
  failpoint("engine.rename", 4);  // renamed, the old name is left
  TRY(names.release(old, id));
  failpoint("engine.rename", 5);  // the marker is left
  return drop_marker(paths.dir);
}

}  // namespace minke::engine
