#include "engine/shift.h"

#include <linux/fs.h>

#include "base/rand.h"
#include "base/str.h"
#include "codec/digest.h"
#include "engine/copy_tree.h"
#include "engine/userns.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

std::string map_text(const std::vector<oci::IdMapping>& map) {
  std::string text;
  for (const oci::IdMapping& line : map)
    text += concat(line.container_id, ":", line.host_id, ":", line.size, " ");
  return text;
}

Status copy_layer(const std::string& layer, const std::string& shifted, const OwnerMap& uids,
                  const OwnerMap& gids) {
  const auto cwd = sys::DirFd::cwd();
  // Under a name of its own until it is whole; with its layer it is removed, should we die.
  const std::string staging = concat(shifted, ".new-", random_hex(8));
  TRY(sys::make_dir_at(cwd, staging.c_str(), 0700));
  Rollback undo;
  undo.add([&] {
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), staging.c_str()), "the first failure counts");
  });
  sys::DirFd source = TRY(sys::open_dir(layer));
  sys::DirFd target = TRY(sys::open_dir(staging));
  TRY(copy_tree(source.get(), target.get(), uids, gids, TreeKind::layer));
  TRY_CTX(copy_directory_attributes(source.get(), target.get(), uids, gids, TreeKind::layer), "/");
  Status renamed = sys::rename_at(cwd, staging.c_str(), cwd, shifted.c_str(), RENAME_NOREPLACE);
  if (!renamed && renamed.error().code() == Errc::already_exists)
    return {};  // another command was faster
  if (renamed) undo.dismiss();
  return renamed;
}

}  // namespace

Result<std::vector<std::string>> shift_layers(const std::vector<std::string>& layers,
                                              const std::vector<oci::IdMapping>& uid_map,
                                              const std::vector<oci::IdMapping>& gid_map) {
  if (uid_map.empty() && gid_map.empty()) return layers;
  const std::string suffix =
      concat("-", sha256_hex(map_text(uid_map) + "|" + map_text(gid_map)).substr(0, 32));
  OwnerMap uids = [&](std::uint32_t id) { return map_to_host(uid_map, id); };
  OwnerMap gids = [&](std::uint32_t id) { return map_to_host(gid_map, id); };
  std::vector<std::string> shifted;
  for (const std::string& layer : layers) {
    shifted.push_back(layer + suffix);
    if (!sys::exists(shifted.back()))
      TRY_CTX(copy_layer(layer, shifted.back(), uids, gids),
              "copying the image for the user namespace");
  }
  return shifted;
}

}  // namespace minke::engine
