// check: containers with their names, volumes, secrets, and what killed commands left.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/rand.h"
#include "base/str.h"
#include "engine/check_internal.h"
#include "engine/records.h"
#include "engine/secret.h"
#include "monitor/plan.h"
#include "state/name_table.h"
#include "state/object_lock.h"

namespace minke::engine {
namespace {

using sys::DirFd;

bool is_folder(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

std::vector<std::string> names_in(const std::string& folder) {
  return sys::list_dir(DirFd::cwd(), folder.c_str()).value_or({});
}

// A container whose record is lost cannot run any more; what it wrote is only thrown away when
// that is said in so many words.
void lost_container(Checker* c, const std::string& id, const ContainerPaths& paths,
                    std::string fault) {
  std::string mended;
  if (c->options.force) {
    Status moved = c->engine.store().move_to_trash(paths.dir);
    ignore(sys::remove_tree_at(DirFd::cwd(), paths.run_dir.c_str()), "the next listing clears it");
    if (moved)
      mended = "removed";
    else
      fault += concat(" (could not be removed: ", moved.error().message(), ")");
  } else if (c->options.repair) {
    fault += concat(" (--force removes it; its files are in ", paths.dir, "/upper)");
  }
  c->found(concat("container ", short_id(id)), std::move(fault), std::move(mended));
}

void check_container(Checker* c, const std::string& id) {
  const Host& host = c->engine.host();
  ContainerPaths paths(host, id);
  const std::string what = concat("container ", short_id(id));
  auto config = load_config(paths.dir);
  if (!config) {
    if (!is_folder(paths.dir)) return;  // removed meanwhile
    return lost_container(c, id, paths, config.error().message());
  }
  bool unused = false;
  const std::string summary = paths.dir + "/summary.json";
  auto text = sys::read_small_file(summary);
  auto read = text ? json::parse(*text) : Result<json::Value>(std::move(text.error()));
  if (!read || read->find("id") == nullptr || read->find("id")->string_or("") != id)
    c->found_and(what, summary + ": damaged", "written anew",
                 [&] { return save_config(paths.dir, *config, sys::Durability::data); });
  if (auto end = load_exit(paths.dir); !end)
    c->found_and(what, end.error().message(), "forgotten: its last end is unknown",
                 [&] { return sys::unlink_at(DirFd::cwd(), (paths.dir + "/exit").c_str()); });
  if (auto state = load_state(paths.run_dir); !state)
    c->found_and(what, state.error().message(), "forgotten: it counts as stopped",
                 [&] { return sys::unlink_at(DirFd::cwd(), (paths.run_dir + "/state").c_str()); });
  if (config->rootfs.empty()) {
    for (const char* name : {"/upper", "/work"})
      if (!is_folder(paths.dir + name))
        return lost_container(c, id, paths, concat(paths.dir, name, ": missing"));
    for (const std::string& lower : config->lower)
      if (!is_folder(lower)) return lost_container(c, id, paths, concat(lower, ": missing"));
  }
  auto owner = state::NameTable(host.root).lookup(config->name);
  if (!owner || *owner != id)
    c->found_and(what, concat("its name ", config->name, " is not reserved for it"), "reserved",
                 [&]() -> Status {
                   if (owner)
                     return Error(Errc::conflict,
                                  concat("container ", short_id(*owner), " has that name"));
                   return state::NameTable(host.root).reserve(config->name, id);
                 });
  if (auto live = load_summary(host, id, &unused); !live && (c->options.repair || c->options.force))
    c->found(what, live.error().message());
}

void check_names(Checker* c) {
  const std::string folder = c->root() + "/names";
  for (const std::string& name : names_in(folder)) {
    auto id = state::NameTable(c->root()).lookup(name);
    if (id && is_folder(c->root() + "/containers/" + *id)) continue;
    if (id) {
      // Somebody who makes it right now holds its lock.
      auto lock =
          state::try_lock_object(ContainerPaths(c->engine.host(), *id).run_dir, "container");
      if (!lock || is_folder(c->root() + "/containers/" + *id)) continue;
      c->found_and(concat("name ", name), concat("its container ", short_id(*id), " is not there"),
                   "released", [&] { return state::NameTable(c->root()).release(name, *id); });
      ignore(
          sys::remove_tree_at(DirFd::cwd(), ContainerPaths(c->engine.host(), *id).run_dir.c_str()),
          "the next listing clears it");
      continue;
    }
    c->found_and(concat("name ", name), "it is no link to a container", "removed",
                 [&] { return c->engine.store().move_to_trash(concat(folder, "/", name)); });
  }
}

// What it holds is what counts: a new record is written around it.
Status renew_volume(Checker* c, const std::string& name) {
  const std::string dir = concat(c->engine.host().volumes, "/", name);
  if (!is_folder(dir + "/_data"))
    TRY(sys::make_dir_at(DirFd::cwd(), (dir + "/_data").c_str(), 0755));
  VolumeConfig volume;
  volume.name = name;
  volume.created = now();
  struct stat st {};
  if (::stat((dir + "/_data").c_str(), &st) == 0) {
    volume.uid = st.st_uid;
    volume.gid = st.st_gid;
  }
  volume.needs_copy_up = false;
  return sys::write_file(dir + "/config.json", json::dump_struct(volume), 0600,
                         sys::Durability::data);
}

void check_secrets(Checker* c) {
  for (const std::string& entry : names_in(c->root() + "/secrets")) {
    if (!entry.ends_with(".d")) continue;
    const std::string dir = concat(c->root(), "/secrets/", entry);
    const std::string name = entry.substr(0, entry.size() - 2);
    auto text = sys::read_small_file(dir + "/config.json", 1 << 20);
    auto secret = text ? json::parse_struct<SecretConfig>(*text)
                       : Result<SecretConfig>(std::move(text.error()));
    struct stat st {};
    bool has_data = ::lstat((dir + "/data").c_str(), &st) == 0 && st.st_size > 0;
    if (secret && (secret->driver != "file" || has_data)) continue;
    std::string fault = secret ? "its data is missing" : secret.error().message();
    if (!secret && has_data) {
      c->found_and(concat("secret ", name), fault, "its record was written anew, with a new id",
                   [&] {
                     SecretConfig fresh;
                     fresh.name = name;
                     fresh.id = random_hex(13).substr(0, 25);
                     fresh.created = fresh.updated = now();
                     fresh.driver_options["path"] = c->root() + "/secrets";
                     return sys::write_file(dir + "/config.json", json::dump_struct(fresh), 0600,
                                            sys::Durability::data);
                   });
      continue;
    }
    std::string mended;
    if (c->options.force && c->engine.store().move_to_trash(dir)) mended = "removed";
    c->found(concat("secret ", name), fault, mended);
  }
}

}  // namespace

Status check_containers(Checker* c) {
  for (const std::string& id : names_in(c->root() + "/containers")) {
    const std::string path = concat(c->root(), "/containers/", id);
    if (id.size() == 64 && is_hex(id) && is_folder(path)) {
      check_container(c, id);
      continue;
    }
    c->found_and(concat("file ", path), "it is no container", "removed",
                 [&] { return c->engine.store().move_to_trash(path); });
  }
  check_names(c);
  return {};
}

Status check_volumes(Checker* c) {
  for (const std::string& name : names_in(c->engine.host().volumes)) {
    if (name.starts_with('.')) continue;
    const std::string dir = concat(c->engine.host().volumes, "/", name);
    if (!is_folder(dir)) {
      if (c->engine.host().volumes != c->root() + "/volumes")
        continue;  // whose it is we cannot know
      c->found_and(concat("file ", dir), "it is no volume", "removed",
                   [&] { return c->engine.store().move_to_trash(dir); });
      continue;
    }
    auto volume = c->engine.volumes().load(name);
    std::string fault = volume ? "" : volume.error().message();
    if (volume && !is_folder(dir + "/_data")) fault = dir + "/_data: missing";
    if (!fault.empty())
      c->found_and(concat("volume ", name), fault, "its record was written anew",
                   [&] { return renew_volume(c, name); });
  }
  check_secrets(c);
  return {};
}

Status check_leftovers(Checker* c) {
  // Whose lock is free was abandoned; it goes by the same way as always.
  std::vector<std::string> trash = names_in(c->root() + "/trash");
  if (!trash.empty() || !names_in(c->root() + "/staging").empty()) {
    if (c->options.repair || c->options.force) TRY(c->engine.store().empty_trash());
    std::size_t left = names_in(c->root() + "/trash").size();
    if (trash.size() > left)
      c->found("trash", concat(trash.size(), " removed objects were not deleted yet"), "deleted");
  }
  for (const char* name : {"", "/containers", "/secrets", "/staging", "/trash"}) {
    const std::string path = c->root() + name;
    struct stat st {};
    if (::lstat(path.c_str(), &st) < 0 || !S_ISDIR(st.st_mode)) continue;
    if ((st.st_mode & 0066) != 0)
      c->found_and(concat("folder ", path), concat("others may read or write in it"),
                   "made private", [&]() -> Status {
                     if (::chmod(path.c_str(), st.st_mode & 0700) == 0) return {};
                     return Error::from_errno(errno, concat("chmod ", path));
                   });
  }
  return {};
}

}  // namespace minke::engine
