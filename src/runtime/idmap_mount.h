// Mounts that show other owners than the disk has (Linux 5.12; overlays of them 5.19). Made by the
// parent before the clone, detached: only who rules the file system's own user namespace may make
// them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "oci/spec.h"
#include "runtime/container.h"
#include "sys/fd.h"

namespace minke::runtime {

// A user namespace with these mappings that no process lives in.
Result<sys::UniqueFd> make_user_namespace(const std::vector<oci::IdMapping>& uids,
                                          const std::vector<oci::IdMapping>& gids);
// A detached copy of `source` and, when `recursive`, of all mounts below it; those are mapped too
// when `map_below`.
Result<sys::UniqueFd> make_idmapped_tree(const std::string& source, bool recursive,
                                         int user_namespace, bool map_below);
// A detached overlay over layers that are each mapped, so that one unpacked layer serves every
// mapping, and what is written lies on the disk with the owners that the container sees. `uid` and
// `gid` are the host's ids of its root.
Result<sys::UniqueFd> make_idmapped_overlay(const OverlayRoot& overlay, int user_namespace,
                                            uid_t uid, gid_t gid);
// A detached overlay of the caller's user namespace, for a container in one below it: the way to a
// user's layers is often his alone (a home of mode 0700). Linux 6.5; before, `unsupported`.
Result<sys::UniqueFd> make_outer_overlay(const OverlayRoot& overlay);
// The host's id of id 0, or of the first one that is mapped.
std::uint32_t mapped_root(const std::vector<oci::IdMapping>& mappings);

}  // namespace minke::runtime
