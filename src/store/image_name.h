// Which of an image's names a person meant.
#pragma once

#include <string>
#include <string_view>

#include "store/store.h"

namespace minke::store {

// The full name among `image.names` that `typed` stands for, by the rules of Store::find_image:
// with its registry, as localhost/NAME, as docker.io/library/NAME, or as the end of a repository.
// Empty when it is none of them: an id, a digest, another image's name.
std::string name_as_typed(const Image& image, std::string_view typed);

}  // namespace minke::store
