// Parts of doctor that have files of their own.
#pragma once

#include <vector>

#include "engine/doctor.h"

namespace minke::engine {

// What serves networks, and whose addresses containers see.
void examine_networks(Engine& engine, std::vector<Fact>* facts);

}  // namespace minke::engine
