// Hooks that run outside the container, and the seccomp listener's descriptor.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "oci/spec.h"

namespace minke::runtime {

// One after the other in the folder `bundle`, `state` on the stdin of each. A failure says which
// hook, and why.
Status run_hooks(const std::vector<oci::Hook>& hooks, std::string_view kind,
                 const std::string& state, const std::string& bundle);
// All of them: a poststop hook that fails is a warning, and the next one runs.
void run_poststop_hooks(const oci::Spec& spec, const std::string& state, const std::string& bundle,
                        std::vector<std::string>* warnings);
// Takes descriptor `number` out of `pid` as soon as it is the notify descriptor of a filter, and
// sends it with the state to the profile's listener (config-linux.md, "The Container Process
// State").
Status hand_over_listener(const oci::Seccomp& profile, pid_t pid, int number,
                          const oci::State& state);

}  // namespace minke::runtime
