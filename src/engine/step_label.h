// How containers of builds are known among others.
#pragma once

namespace minke::engine {

inline constexpr const char* kStepLabel = "io.minke.build.step";

}  // namespace minke::engine
