// The six stages of the runtime specification's hooks by their names, as CDI and oci-hooks(5) say
// them.
#pragma once

#include <string_view>
#include <vector>

#include "oci/spec.h"

namespace minke::engine {

struct HookStage {
  std::string_view name;
  std::vector<oci::Hook> oci::Hooks::*list;
};
inline constexpr HookStage kHookStages[] = {
    {"prestart", &oci::Hooks::prestart},
    {"createRuntime", &oci::Hooks::create_runtime},
    {"createContainer", &oci::Hooks::create_container},
    {"startContainer", &oci::Hooks::start_container},
    {"poststart", &oci::Hooks::poststart},
    {"poststop", &oci::Hooks::poststop},
};

// False when there is no such stage.
inline bool add_to_stage(std::string_view name, oci::Hook hook, oci::Hooks* hooks) {
  for (const HookStage& stage : kHookStages) {
    if (stage.name != name) continue;
    (hooks->*stage.list).push_back(std::move(hook));
    return true;
  }
  return false;
}

}  // namespace minke::engine
