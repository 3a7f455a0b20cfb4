// Copies and owner changes of whole trees, by descriptor throughout: nothing in either tree can
// lead out of it, not even while another process changes it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/result.h"

namespace minke::engine {

// The owner that a file gets for the one that it has; nothing: it cannot be given, which is an
// error.
using OwnerMap = std::function<std::optional<std::uint32_t>(std::uint32_t id)>;

// layer: whiteouts and the marks of overlay are copied too. plain: they are left out.
enum class TreeKind { plain, layer };

// Copies all below `source` into the empty directory `target`: owners, modes, times, extended
// attributes, links, holes. Capabilities of files become those of the namespace whose root `uids`
// gives to 0. What was made is removed again on failure.
Status copy_tree(int source, int target, const OwnerMap& uids, const OwnerMap& gids,
                 TreeKind kind = TreeKind::plain);

// Owner, mode and times of one directory to another.
Status copy_directory_attributes(int source, int target, const OwnerMap& uids, const OwnerMap& gids,
                                 TreeKind kind = TreeKind::plain);

// Changes the owner of `dir` and of all below, links themselves included; never crosses a link.
Status chown_tree(int dir, std::uint32_t uid, std::uint32_t gid);

}  // namespace minke::engine
