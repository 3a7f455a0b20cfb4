// Compound option texts to typed parts of a CreateRequest; errors in Podman's words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/request.h"

namespace minke::engine {

Result<MountRequest> parse_volume(std::string_view text);  // -v [SOURCE:]DEST[:OPTIONS]
Result<MountRequest> parse_mount(std::string_view text);   // --mount type=...,key=value,...
// One for each path that the source of a type=glob names; others as they are.
Result<std::vector<MountRequest>> expand_glob(MountRequest mount);
Result<MountRequest> parse_tmpfs(std::string_view text);  // --tmpfs DEST[:OPTIONS]
// --secret NAME[,type=mount|env][,target=][,uid=][,gid=][,mode=]
struct SecretRequest {
  std::string source, target;
  bool env = false;
  std::uint32_t uid = 0, gid = 0, mode = 0444;
};
Result<SecretRequest> parse_secret(std::string_view text);
Result<Ulimit> parse_ulimit(std::string_view text);  // name=soft[:hard], host
Result<NamespaceMode> parse_namespace(std::string_view flag,
                                      std::string_view text);  // flag: "pid", "ipc", ...
Result<RestartPolicy> parse_restart(std::string_view text);
// --entrypoint: a JSON array of strings, or one word.
Result<std::vector<std::string>> parse_entrypoint(std::string_view text);
// Lines of an --env-file: comments and blank lines skipped, K=V or K or K* as Podman reads them.
Result<std::vector<std::string>> parse_env_file(const std::string& path);
Result<std::vector<std::pair<std::string, std::string>>> parse_label_file(const std::string& path);

}  // namespace minke::engine
