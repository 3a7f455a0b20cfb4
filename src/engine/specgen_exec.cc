// The process of `exec`.
#include <unistd.h>

#include "base/str.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "engine/userns.h"

namespace minke::engine {

Result<oci::Process> make_exec_process(const ContainerConfig& config, const oci::Spec& spec,
                                       const ExecOptions& options, int root_fd) {
  if (!spec.process)
    return Error(Errc::corrupt, concat("container ", config.id, ": its spec has no process"));
  if (options.command.empty())
    return Error(Errc::invalid_argument,
                 "must provide a non-empty command to start an exec session: invalid argument");
  oci::Process process = *spec.process;
  process.args = options.command;
  process.terminal = options.terminal;
  process.console_size.reset();
  if (options.terminal) set_env(&process.env, "TERM=xterm");
  TRY(add_requested_env(options.env, &process.env));
  if (!options.workdir.empty()) {
    if (options.workdir[0] != '/')
      return Error(Errc::invalid_argument, concat("the working directory ", quote(options.workdir),
                                                  " is invalid, it needs to be an absolute path"));
    process.cwd = clean_path(options.workdir);
  }
  if (!options.user.empty()) {
    std::string passwd = read_account_file(root_fd, "etc/passwd"),
                group = read_account_file(root_fd, "etc/group");
    auto found = resolve_user(options.user, config.request.groups, passwd, group);
    if (!found) return std::move(found.error()).with_exit(255);  // as Podman
    const ResolvedUser& user = *found;
    process.user.uid = user.uid;
    process.user.gid = user.gid;
    process.user.additional_gids = user.additional_gids;
    for (const auto* map : {&config.uid_map, &config.gid_map}) {
      std::uint32_t id = map == &config.uid_map ? user.uid : user.gid;
      if (!map->empty() && !map_to_host(*map, id))
        return Error(Errc::invalid_argument,
                     concat(map == &config.uid_map ? "user " : "group ", id,
                            " is not mapped in the user namespace of the container"));
    }
    if (!config.gid_map.empty())
      std::erase_if(process.user.additional_gids,
                    [&](std::uint32_t gid) { return !map_to_host(config.gid_map, gid); });
    // The image's HOME belongs to another user.
    if (!has_env(config.env, "HOME") && !has_env(options.env, "HOME"))
      set_env(&process.env, concat("HOME=", user.home));
  }
  std::vector<std::string> bounding = config.cap_bounding;
  if (options.privileged) bounding = all_capabilities();
  process.capabilities = TRY(process_capabilities(config.request, bounding, process.user.uid == 0));
  if (options.privileged) {
    // As Podman: all of them in force, whoever the user is.
    process.capabilities->effective = process.capabilities->permitted = bounding;
    process.no_new_privileges = false;
    process.apparmor_profile.clear();
  }
  return process;
}

}  // namespace minke::engine
