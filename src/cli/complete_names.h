// Names of containers, images and volumes for the shell, read without changing anything: a store
// that is not there is not made, no user namespace is entered, nothing is healed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/global.h"

namespace minke::cli {

enum class NameKind : std::uint8_t {
  nothing,
  file,
  container,
  image,
  volume,
  network,
  secret,
  object
};

// Those that begin with `prefix`, one to a line; `object` stands for any of the three. Empty when
// the store cannot be read.
std::string complete_names(NameKind kind, std::string_view prefix, const GlobalOptions& global);

}  // namespace minke::cli
