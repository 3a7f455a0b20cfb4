// Options of all commands that speak with registries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/pull.h"
#include "engine/registry_access.h"

namespace minke::cli {

struct RegistryFlags {
  std::string authfile, cert_dir, creds, retry_delay;
  std::optional<bool> tls_verify;
  std::optional<std::uint32_t> retry;
};
// Errors: an --authfile that is not there, --creds without a name, --retry-delay that is no
// duration. A password that --creds leaves out is asked for on the terminal.
Result<engine::RegistryAccess> registry_access(const RegistryFlags& flags);

// "OS[/ARCH[/VARIANT]]" and --os, --arch, --variant into the request.
Status set_platform(const std::string& platform, const std::string& os, const std::string& arch,
                    const std::string& variant, engine::PullRequest* request);

}  // namespace minke::cli
