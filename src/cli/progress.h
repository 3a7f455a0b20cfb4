// What Podman says on standard error while it copies an image.
#pragma once

#include "store/store.h"

namespace minke::cli {

// The blobs and the config of an image that was copied, a line each.
void say_copied(const store::Image& image);

}  // namespace minke::cli
