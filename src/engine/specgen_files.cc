// The container's own files: hosts, resolv.conf, hostname, .containerenv, localtime.
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "engine/name_files.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "engine/userns.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr std::size_t kSmallConfig = 1 << 20;

// Only privileged containers are told about the engine around them, as Podman does.
std::string containerenv(const ContainerConfig& config, const Host& host) {
  if (!config.request.privileged) return "";
  const std::string& name = config.name.empty() ? config.request.name : config.name;
  return concat("engine=\"minke-", MINKE_VERSION, "\"\nname=", quote(name),
                "\nid=", quote(config.id), "\nimage=", quote(config.image_name),
                "\nimageid=", quote(config.image_id), "\nrootless=", host.rootless ? 1 : 0, "\n");
}

// An area below /usr/share/zoneinfo, or "local".
Result<std::string> zone_file(const std::string& tz) {
  std::string path =
      tz == "local" ? "/etc/localtime" : clean_path(concat("/usr/share/zoneinfo/", tz));
  if (tz != "local" && !path.starts_with("/usr/share/zoneinfo/"))
    return Error(Errc::invalid_argument,
                 concat("running container create option: invalid timezone ", quote(tz)));
  auto data = sys::read_small_file(path, kSmallConfig);
  if (!data)
    return Error(Errc::not_found, concat("running container create option: stat ", path,
                                         ": no such file or directory"));
  return data;
}

// The root that the container sees has owner and mode of the upper folder: those that the image's
// root has.
Status copy_root_attributes(const ContainerConfig& config, const sys::DirFd& folder) {
  struct stat root {};
  if (config.lower.empty() || ::stat(config.lower.front().c_str(), &root) < 0 ||
      !sys::exists_at(folder, "upper"))
    return {};
  if (::fchownat(folder.get(), "upper", root.st_uid, root.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::from_errno(errno, "chown upper");
  if (::fchmodat(folder.get(), "upper", root.st_mode & 07777, 0) < 0)
    return Error::from_errno(errno, "chmod upper");
  // Where overlay makes what goes into it, with the rights of the container's root.
  if (::fchownat(folder.get(), "work", root.st_uid, root.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::from_errno(errno, "chown work");
  return {};
}

}  // namespace

Status write_container_files(const ContainerConfig& config, const Host& host,
                             const std::string& dir) {
  sys::DirFd folder = TRY(sys::open_dir(dir));
  uid_t uid = map_to_host(config.uid_map, 0).value_or(0);
  gid_t gid = map_to_host(config.gid_map, 0).value_or(0);
  auto write = [&](const char* name, const std::string& text) -> Status {
    sys::UniqueFd file =
        TRY(sys::open_at(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
    TRY(sys::write_all(file.get(), text, name));
    // The caller's umask must not hide the file from users of the container.
    if (::fchmod(file.get(), 0644) < 0) return Error::from_errno(errno, concat("chmod ", name));
    if ((uid != 0 || gid != 0) && ::fchown(file.get(), uid, gid) < 0)
      return Error::from_errno(errno, concat("chown ", name));
    return {};
  };
  const CreateRequest& request = config.request;
  const bool shared_network = config.network_mode.starts_with("container:");
  if (!request.no_hosts && !shared_network) {
    std::string hosts = TRY(hosts_text(config, {}));
    TRY(write("hosts", hosts));
  }
  if (config.network_mode != "none" && !shared_network)
    TRY(write("resolv.conf", resolv_text(config, {})));
  if (!request.no_hostname) TRY(write("hostname", config.hostname + "\n"));
  TRY(write("containerenv", containerenv(config, host)));
  if (!request.tz.empty()) {
    std::string zone = TRY(zone_file(request.tz));
    TRY(write("localtime", zone));
  }
  // Where another OCI runtime finds the root mounted, and what root.path of the spec names.
  TRY(sys::make_dir_at(folder, "rootfs", 0755));
  if ((uid != 0 || gid != 0) &&
      ::fchownat(folder.get(), "rootfs", uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::from_errno(errno, concat("chown ", dir, "/rootfs"));
  return copy_root_attributes(config, folder);
}

}  // namespace minke::engine
