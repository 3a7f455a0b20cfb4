// The container's own files: hosts, resolv.conf, hostname, .containerenv, localtime.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/str.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "engine/userns.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr std::size_t kSmallConfig = 1 << 20;

// HOST[;HOST...]:IP, the IP "host-gateway" being the host as the container sees it.
Result<std::string> added_hosts(const std::vector<std::string>& entries, const std::string& gateway,
                                std::set<std::string>* names) {
  std::string text;
  for (const std::string& entry : entries) {
    auto pair = split_once(entry, ':');
    if (!pair || pair->first.empty() || pair->second.empty())
      return Error(Errc::invalid_argument,
                   concat("unable to parse host entry ", quote(entry), ": incorrect format"));
    std::string address(pair->second);
    if (address == "host-gateway") {
      if (gateway.empty())
        return Error(Errc::invalid_argument,
                     concat("unable to replace \"host-gateway\" of host entry ", quote(entry),
                            ": host containers internal IP address is empty"));
      address = gateway;
    }
    std::string line = address + "\t";
    for (std::string_view name : split(pair->first, ';')) {
      if (line.back() != '\t') line += ' ';
      line += name;
      names->emplace(name);
    }
    text += line + "\n";
  }
  return text;
}

// The image's own /etc/hosts: of the topmost layer that has one.
std::string image_hosts(const ContainerConfig& config) {
  std::vector<std::string> roots = config.lower;
  if (!config.rootfs.empty()) roots = {config.rootfs};
  for (const std::string& path : roots) {
    auto root = sys::open_dir(path);
    if (!root) continue;
    auto file = sys::open_in_root(root->get(), "etc/hosts", O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st {};
    if (!file || ::fstat(file->get(), &st) < 0) continue;
    if (!S_ISREG(st.st_mode)) return "";
    return sys::read_all(file->get(), kSmallConfig).value_or("");
  }
  return "";
}

Result<std::string> base_hosts_text(const ContainerConfig& config) {
  const std::string& base = config.request.defaults.base_hosts_file;
  if (base == "none") return std::string();
  if (base == "image") return image_hosts(config);
  if (!base.empty()) return TRY_CTX(sys::read_small_file(base, kSmallConfig), "base_hosts_file");
  return sys::read_small_file("/etc/hosts", kSmallConfig)
      .value_or("127.0.0.1 localhost\n::1 localhost\n");
}

// The base's lines, as Podman takes them over, without names that were given another address.
std::string base_hosts(std::string_view text, const std::set<std::string>& taken) {
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line.substr(0, line.find('#')));
    std::vector<std::string> words;
    std::string word;
    for (char c : std::string(line) + " ") {
      if (c != ' ' && c != '\t')
        word += c;
      else if (!word.empty())
        words.push_back(std::exchange(word, ""));
    }
    std::string names;
    for (std::size_t i = 1; i < words.size(); ++i)
      if (!taken.contains(words[i])) names += (names.empty() ? "" : " ") + words[i];
    if (!names.empty()) out += concat(words[0], "\t", names, "\n");
  }
  return out;
}

Result<std::string> hosts_file(const ContainerConfig& config) {
  const bool host_network = config.network_mode == "host";
  const std::string gateway = host_network ? "127.0.0.1" : "";
  std::set<std::string> taken;
  std::string text = TRY(added_hosts(config.request.add_hosts, gateway, &taken));
  for (const char* name : {"host.containers.internal", "host.docker.internal"})
    if (taken.insert(name).second && host_network) text += concat(gateway, "\t", name, "\n");
  std::string own;
  if (!host_network && !config.network_mode.starts_with("ns:")) {
    const std::string& name = config.name.empty() ? config.request.name : config.name;
    own = concat("127.0.0.1\t", config.hostname);
    taken.insert(config.hostname);
    if (!name.empty() && name != config.hostname) own += " " + name;
    if (!name.empty()) taken.insert(name);
    own += "\n";
  }
  std::string base = TRY(base_hosts_text(config));
  return text + base_hosts(base, taken) + own;
}

std::string resolv_conf(const CreateRequest& request) {
  std::string text = sys::read_small_file("/etc/resolv.conf", kSmallConfig).value_or("");
  std::string servers, search, options;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line.starts_with("nameserver")) servers += concat(line, "\n");
    if (line.starts_with("search") || line.starts_with("domain")) search = concat(line, "\n");
    if (line.starts_with("options")) options += concat(line, "\n");
  }
  if (!request.dns.empty()) {
    servers.clear();
    for (const std::string& server : request.dns) servers += concat("nameserver ", server, "\n");
  }
  if (!request.dns_search.empty())
    search = request.dns_search == std::vector<std::string>{"."}
                 ? ""
                 : concat("search ", join(request.dns_search, " "), "\n");
  if (!request.dns_options.empty())
    options = concat("options ", join(request.dns_options, " "), "\n");
  return search + servers + options;
}

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
    std::string hosts = TRY(hosts_file(config));
    TRY(write("hosts", hosts));
  }
  if (config.network_mode != "none" && !shared_network)
    TRY(write("resolv.conf", resolv_conf(request)));
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
