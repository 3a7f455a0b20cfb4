// Mount options of config.md as what the kernel takes: attributes, propagation, and the file
// system's own words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minke::runtime {

// Of a bind mount, ours alone: what is bound is this path below the source, resolved inside of it.
inline constexpr std::string_view kSubpathOption = "x-minke.subpath=";

enum class IdmapOption { none, idmap, ridmap };

struct MountOptions {
  bool bind = false, recursive = false;
  bool remount = false;  // of what is at the destination already; with bind its attributes alone
  // MOUNT_ATTR_* of mount_setattr(2). An access-time mode in `set` stands with MOUNT_ATTR__ATIME in
  // `clear`.
  std::uint64_t set = 0, clear = 0;
  std::uint64_t recursive_set = 0,
                recursive_clear = 0;  // rro, rnosuid, ...: of all mounts below too
  // MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE in order, each with MS_REC where asked.
  std::vector<unsigned long> propagation;
  std::uint64_t superblock = 0;  // MS_SYNCHRONOUS and the like, of new file systems only
  bool copy_up = false;          // tmpcopyup
  IdmapOption idmap = IdmapOption::none;
  std::string subpath;
  std::vector<std::string>
      data;  // "size=64k", "newinstance": given to the file system in this order
};

// `type` "bind" (or "none" with bind or rbind among the options) makes a bind mount.
Result<MountOptions> parse_mount_options(std::string_view type,
                                         const std::vector<std::string>& options);
// MS_* of mount(2) for MOUNT_ATTR_* bits.
unsigned long mount_flags_of(std::uint64_t attributes);
// The propagation flags of "rslave" and so on; 0 for an unknown word.
unsigned long propagation_flags(std::string_view word);
// Every option word that is not file-system data, for `features`.
std::vector<std::string> known_mount_options();

}  // namespace minke::runtime
