// Finding and listing containers. Reads without locks; what a crash left is healed on the way.
#include <algorithm>

#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/records.h"
#include "state/name_table.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

bool is_container_id(std::string_view text) { return text.size() == 64 && is_hex(text); }

Error no_such_container(std::string_view name) {
  return Error(Errc::not_found,
               concat("no container with name or ID ", quote(name), " found: no such container"));
}

// What a create or rm that was killed has left of a container that is not there: its name and its
// run folder. One that is just being made is locked.
void clear_remains(const Host& host, const std::string& id, const std::string& name) {
  ContainerPaths paths(host, id);
  auto lock = state::try_lock_object(paths.run_dir, concat("container ", short_id(id)));
  if (!lock || sys::exists(paths.dir)) return;
  if (!name.empty())
    ignore(state::NameTable(host.root).release(name, id), "the next listing tries again");
  ignore(sys::remove_tree_at(sys::DirFd::cwd(), paths.run_dir.c_str()), "as above");
}

// `ids` are those of the containers that are there, sorted.
void clear_all_remains(const Host& host, const std::vector<std::string>& ids) {
  auto is_gone = [&ids](const std::string& id) {
    return is_container_id(id) && !std::binary_search(ids.begin(), ids.end(), id);
  };
  state::NameTable table(host.root);
  auto names = table.list();
  // Each container has one name, so that only a surplus is looked into.
  if (names && names->size() > ids.size())
    for (const std::string& name : *names)
      if (auto id = table.lookup(name); id && is_gone(*id)) clear_remains(host, *id, name);
  if (auto folders = sys::list_dir(sys::DirFd::cwd(), (host.runroot + "/containers").c_str()))
    for (const std::string& id : *folders)
      if (is_gone(id)) clear_remains(host, id, "");
}

}  // namespace

// The record of a container with --rm is not waited for, so a power cut may leave its file empty.
// Such a container would have been removed by now.
bool Engine::clear_unwritten(const std::string& id) {
  ContainerPaths paths(host_, id);
  auto lock = state::try_lock_object(paths.run_dir, concat("container ", short_id(id)));
  auto text = sys::read_small_file(paths.dir + "/config.json", 1 << 20);
  return lock && text && is_unwritten(*text) && remove_locked(id, false);
}

Result<std::string> Engine::resolve_id(std::string_view name_or_id) {
  std::string text(name_or_id);
  auto has = [this](const std::string& id) {
    return sys::exists(host_.root + "/containers/" + id);
  };
  if (is_container_id(text) && has(text)) return text;
  state::NameTable names(host_.root);
  if (auto id = names.lookup(text); id && has(*id)) {
    if (names_of_rename(ContainerPaths(host_, *id).dir).empty()) return *id;
    TRY(heal_rename(*id));
    if (auto again = names.lookup(text); again && has(*again)) return *again;
  }
  if (!is_hex(text)) return no_such_container(text);
  std::vector<std::string> ids =
      TRY(sys::list_dir(sys::DirFd::cwd(), (host_.root + "/containers").c_str()));
  auto first = std::lower_bound(ids.begin(), ids.end(), text);
  if (first == ids.end() || !first->starts_with(text)) return no_such_container(text);
  if (first + 1 != ids.end() && (first + 1)->starts_with(text))
    return Error(Errc::conflict,
                 concat("more than one result for container name or ID ", quote(text), ": ",
                        short_id(*first), ", ", short_id(first[1]), "..."));
  return *first;
}

Result<ContainerSummary> Engine::summary(const std::string& id) {
  bool needs_healing = false;
  ContainerSummary s = TRY(load_summary(host_, id, &needs_healing));
  if (!needs_healing) return s;
  Status healed = cleanup(id);
  if (!healed) log::warn(concat("container ", short_id(id), ": ", healed.error().message()));
  return load_summary(host_, id, &needs_healing);
}

Result<Container> Engine::find_container(std::string_view name_or_id) {
  std::string id = TRY(resolve_id(name_or_id));
  ContainerPaths paths(host_, id);
  Container container;
  container.dir = paths.dir;
  container.run_dir = paths.run_dir;
  container.config = TRY_CTX(load_config(paths.dir), concat("container ", short_id(id)));
  container.live = TRY(summary(id));
  return container;
}

Result<std::vector<ContainerSummary>> Engine::list_containers() {
  std::vector<std::string> ids =
      TRY(sys::list_dir(sys::DirFd::cwd(), (host_.root + "/containers").c_str()));
  std::vector<ContainerSummary> all;
  all.reserve(ids.size());
  clear_all_remains(host_, ids);
  ignore(store_->clear_abandoned(), "what cannot be cleared harms nobody, and is tried again");
  for (const std::string& id : ids) {
    if (!is_container_id(id)) continue;
    auto s = summary(id);
    if (s) {
      all.push_back(std::move(*s));
    } else if (s.error().code() != Errc::not_found && !clear_unwritten(id)) {
      // One that cannot be read does not hide the others.
      log::error(concat("container ", short_id(id), ": ", s.error().message()));
    }
  }
  std::stable_sort(
      all.begin(), all.end(),
      [](const ContainerSummary& a, const ContainerSummary& b) { return a.created < b.created; });
  return all;
}

Result<std::string> Engine::latest_id() {
  std::vector<ContainerSummary> all = TRY(list_containers());
  if (all.empty()) return Error(Errc::not_found, "no containers found: no such container");
  return all.back().id;
}

}  // namespace minke::engine
