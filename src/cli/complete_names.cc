#include "cli/complete_names.h"

#include <set>
#include <vector>

#include "base/str.h"
#include "engine/host.h"
#include "store/store.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

using Names = std::set<std::string>;

void add_folder(const std::string& path, Names* names) {
  auto found = sys::list_dir(sys::DirFd::cwd(), path.c_str());
  if (!found) return;
  for (std::string& name : *found)
    if (!name.starts_with('.')) names->insert(std::move(name));
}

// Ids are offered to who types one; else they would hide the names.
void add_ids(const std::string& path, std::string_view prefix, Names* names) {
  constexpr std::size_t kShort = 12;
  if (!is_hex(prefix)) return;
  Names ids;
  add_folder(path, &ids);
  for (const std::string& id : ids)
    names->insert(prefix.size() > kShort ? id : id.substr(0, kShort));
}

void add_containers(const std::string& root, std::string_view prefix, Names* names) {
  add_folder(root + "/names", names);
  add_ids(root + "/containers", prefix, names);
}

// As written in the index, and short where the short name finds it.
void add_images(const engine::Host& host, std::string_view prefix, Names* names) {
  if (!sys::exists(host.root + "/images/index.json")) return;
  auto store = store::Store::open(host.root, host.rootless);
  if (!store) return;
  auto images = store->list_images();
  if (!images) return;
  for (const store::Image& image : *images) {
    for (const std::string& name : image.names) {
      names->insert(name);
      for (std::string_view implied : {"localhost/", "docker.io/library/", "docker.io/"})
        if (name.starts_with(implied)) {
          names->insert(name.substr(implied.size()));
          break;
        }
    }
    if (is_hex(prefix)) names->insert(prefix.size() > 12 ? image.id : image.id.substr(0, 12));
  }
}

}  // namespace

std::string complete_names(NameKind kind, std::string_view prefix, const GlobalOptions& global) {
  auto host = engine::find_host(host_options(global));
  if (!host) return "";
  Names names;
  bool any = kind == NameKind::object;
  if (any || kind == NameKind::container) add_containers(host->root, prefix, &names);
  if (any || kind == NameKind::image) add_images(*host, prefix, &names);
  if (any || kind == NameKind::volume) add_folder(host->volumes, &names);
  if (any || kind == NameKind::network) {
    Names files;
    add_folder(host->root + "/networks", &files);
    for (const std::string& name : files)
      if (name.ends_with(".json")) names.insert(name.substr(0, name.size() - 5));
    if (kind == NameKind::network) names.insert("podman");
  }
  if (kind == NameKind::secret) {
    Names folders;
    add_folder(host->root + "/secrets", &folders);
    for (const std::string& name : folders)
      if (name.ends_with(".d")) names.insert(name.substr(0, name.size() - 2));
  }
  std::string out;
  for (const std::string& name : names)
    if (name.starts_with(prefix)) out += concat(name, "\n");
  return out;
}

}  // namespace minke::cli
