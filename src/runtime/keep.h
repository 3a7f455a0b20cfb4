// For who creates a container that another process starts: `minke-runtime create`.
#pragma once

#include "base/result.h"
#include "runtime/container.h"

namespace minke::runtime {

// After create() with a start_fifo: the caller has recorded the handle, and init outlives it from
// here on. Until then init ends with its creator, as nobody else would find it.
Status keep(Created& created);

// What a creator left that was killed before keep(): waits for its init to end, and removes the
// cgroup unless others are in it.
void clear_unkept(const std::string& start_fifo, const std::string& id, const oci::Spec& spec,
                  CgroupManager manager);

}  // namespace minke::runtime
