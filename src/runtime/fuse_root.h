// The root by fuse-overlayfs, for kernels where a user namespace may not mount overlays
// (before 5.11).
#pragma once

#include "base/result.h"
#include "runtime/container.h"
#include "sys/fd.h"

namespace minke::runtime {

// A detached FUSE mount served by overlay.fuse_program, which runs outside the container and ends
// when the mount is gone.
Result<sys::UniqueFd> make_fuse_root(const OverlayRoot& overlay);

}  // namespace minke::runtime
