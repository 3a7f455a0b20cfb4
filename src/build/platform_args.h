// ARGs that nobody needs to write: those of the platform and those of proxies.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "build/instruction.h"
#include "build/variables.h"
#include "oci/image.h"

namespace minke::build {

// BUILDPLATFORM BUILDOS BUILDOSVERSION BUILDARCH BUILDVARIANT, the same with TARGET, and
// TARGETSTAGE (the name of the stage that is built, or "default").
std::map<std::string, std::string> platform_args(const oci::Platform& build,
                                                 const oci::Platform& target,
                                                 std::string_view target_stage);

// HTTP_PROXY HTTPS_PROXY FTP_PROXY NO_PROXY ALL_PROXY in both cases: usable without an ARG, and
// left out of the cache key.
bool is_proxy_arg(std::string_view name);

// "linux/arm64/v8" and the short forms ("arm64" is linux/arm64); normalised as containerd does.
Result<oci::Platform> parse_platform(std::string_view text);
std::string platform_text(const oci::Platform& platform);

// The global ARGs in their order: --build-arg, else the default, which may refer to the ones before
// and to the platform's.
Result<std::map<std::string, std::string>> resolve_globals(
    const Containerfile& file, const std::map<std::string, std::string>& build_args,
    const std::map<std::string, std::string>& platform);

// Names of --build-arg that no ARG declares, sorted: podman says
// "[Warning] one or more build args were not consumed: [A B]".
std::vector<std::string> unused_build_args(const Containerfile& file,
                                           const std::map<std::string, std::string>& build_args);

}  // namespace minke::build
