#include "runtime/idmap.h"

#include <unistd.h>

#include "base/str.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::runtime {
namespace {

// Set-uid helpers of the uidmap package. The caller's PATH is not asked.
constexpr const char* kHelperFolders[] = {"/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"};

Status run_helper(std::string_view name, pid_t pid, const std::vector<oci::IdMapping>& mappings) {
  sys::SpawnOptions options;
  for (const char* folder : kHelperFolders) {
    options.path = concat(folder, "/", name);
    if (::access(options.path.c_str(), X_OK) == 0) break;
    options.path.clear();
  }
  if (options.path.empty())
    return Error(Errc::not_found,
                 concat(name, ": not installed (the package is uidmap or shadow-utils)"));
  options.argv = {std::string(name), concat(pid)};
  for (const oci::IdMapping& m : mappings) {
    options.argv.push_back(concat(m.container_id));
    options.argv.push_back(concat(m.host_id));
    options.argv.push_back(concat(m.size));
  }
  options.stdio[0] = -2;
  int status = TRY(sys::run_and_wait(options));
  if (status != 0)
    return Error(
        Errc::permission,
        concat(name,
               ": refused the mapping (are the ids granted in /etc/subuid and /etc/subgid?)"));
  return {};
}

bool maps_only(const std::vector<oci::IdMapping>& mappings, std::uint32_t id) {
  return mappings.size() == 1 && mappings[0].size == 1 && mappings[0].host_id == id;
}

}  // namespace

std::string id_map_text(const std::vector<oci::IdMapping>& mappings) {
  std::string out;
  for (const oci::IdMapping& m : mappings)
    out += concat(m.container_id, " ", m.host_id, " ", m.size, "\n");
  return out;
}

Status write_id_maps(pid_t pid, const std::vector<oci::IdMapping>& uids,
                     const std::vector<oci::IdMapping>& gids) {
  std::string base = concat("/proc/", pid, "/");
  Status direct = sys::write_existing(base + "gid_map", id_map_text(gids));
  if (direct) {
    TRY_CTX(sys::write_existing(base + "uid_map", id_map_text(uids)), "uid mapping");
    return {};
  }
  if (direct.error().sys() != EPERM) return std::move(direct.error()).wrap("gid mapping");
  if (maps_only(gids, ::getegid())) {
    // An ordinary user may map himself, once groups can no longer be dropped (CVE-2014-8989).
    TRY_CTX(sys::write_existing(base + "setgroups", "deny"), "gid mapping");
    TRY_CTX(sys::write_existing(base + "gid_map", id_map_text(gids)), "gid mapping");
  } else {
    TRY(run_helper("newgidmap", pid, gids));
  }
  Status uid = sys::write_existing(base + "uid_map", id_map_text(uids));
  if (uid) return {};
  if (uid.error().sys() != EPERM) return std::move(uid.error()).wrap("uid mapping");
  return run_helper("newuidmap", pid, uids);
}

}  // namespace minke::runtime
