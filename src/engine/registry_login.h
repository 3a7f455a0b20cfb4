// Who one is at a registry, asked of the registry itself.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/auth_file.h"
#include "engine/registries.h"

namespace minke::engine {

// The first of unqualified-search-registries, for commands without one.
Result<std::string> default_registry(Registries& registries);

// Whether the registry takes them: false when it says no, an error when it does not answer.
Result<bool> credentials_work(Registries& registries, std::string_view name,
                              const config::Credentials& creds);

}  // namespace minke::engine
