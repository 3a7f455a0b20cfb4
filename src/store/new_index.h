// The image index made anew of what is there, for a store whose own one is damaged or lost.
#pragma once

#include <vector>

#include "base/result.h"
#include "oci/image.h"
#include "store/store.h"

namespace minke::store {

// In one step: all of `manifests` (of images and lists) that are whole, without names. What the old
// index said stays beside it as index.json.damaged.
Status replace_index(const Store& store, const std::vector<oci::Descriptor>& manifests);

}  // namespace minke::store
