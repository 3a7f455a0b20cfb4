// The user's and the image's mounts, each with the options it will have.
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <algorithm>
#include <map>

#include "base/rand.h"
#include "base/str.h"
#include "engine/parse_internal.h"
#include "engine/specgen_internal.h"
#include "engine/userns.h"
#include "engine/volume.h"

namespace minke::engine {
namespace {

constexpr std::string_view kPropagations[] = {
    "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable",
};
constexpr std::string_view kTmpfsFlags[] = {
    "rw",        "ro",          "exec",     "noexec",  "suid",        "nosuid", "dev",   "nodev",
    "tmpcopyup", "notmpcopyup", "relatime", "noatime", "strictatime", "sync",   "async", "U",
};
constexpr std::string_view kTmpfsValues[] = {
    "size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks=", "huge=", "mpol=",
};

// Host folders whose owner the U option never changes.
constexpr std::string_view kKeptOwners[] = {
    "/",     "/bin", "/boot",  "/dev",   "/etc", "/etc/passwd", "/etc/pki", "/etc/shadow",
    "/home", "/lib", "/lib64", "/media", "/opt", "/proc",       "/root",    "/run",
    "/sbin", "/srv", "/sys",   "/tmp",   "/usr", "/var",        "/var/lib", "/var/log",
};

// Files below /proc that may be replaced, as runc has them (lxcfs does so); all else there guards
// the host.
constexpr std::string_view kReplaceableProc[] = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
};

template <typename List>
bool is_one_of(const List& list, std::string_view item) {
  return std::find(std::begin(list), std::end(list), item) != std::end(list);
}

bool has_option(const std::vector<std::string>& options, std::string_view on,
                std::string_view off) {
  return is_one_of(options, on) || is_one_of(options, off);
}

// Takes our own words out of the options; what is left is for the kernel.
Status take_options(const std::vector<std::string>& options, ResolvedMount* mount) {
  mount->propagation = "rprivate";
  for (const std::string& option : options) {
    if (option == "ro" || option == "rw")
      mount->read_write = option == "rw";
    else if (is_one_of(kPropagations, option))
      mount->propagation = option;
    else if (option == "z" || option == "Z")
      mount->relabel = option;
    else if (option == "U")
      mount->chown = true;
    else if (option == "idmap")
      mount->idmap = true;
    else if (option.starts_with("idmap=")) {
      mount->idmap = true;
      mount->options.push_back(option);  // read when the container's maps are known
    } else if (option == "O")
      mount->overlay = true;
    else if (option.starts_with("upperdir="))
      mount->upper = option.substr(9);
    else if (option.starts_with("workdir="))
      mount->work = option.substr(8);
    else if (option == "nocopy" || option == "copy")
      mount->copy_up = option == "copy";
    else
      mount->options.push_back(option);
  }
  return {};
}

Status check_overlay(const ResolvedMount& mount) {
  if (mount.upper.empty() && mount.work.empty()) return {};
  if (!mount.overlay)
    return Error(Errc::invalid_argument,
                 concat(mount.destination, ": upperdir and workdir need the option O"));
  if (mount.upper.empty() || mount.work.empty())
    return Error(Errc::invalid_argument,
                 concat(mount.destination, ": must specify both upperdir and workdir"));
  for (const std::string& path : {mount.upper, mount.work}) {
    struct stat st {};
    if (::stat(path.c_str(), &st) < 0)
      return Error(Errc::not_found, concat("stat ", path, ": ", go_reason(errno)));
    if (path[0] != '/' || !S_ISDIR(st.st_mode))
      return Error(Errc::invalid_argument, concat(path, ": must be the absolute path of a folder"));
  }
  return {};
}

// A triplet FILE-HOST-COUNT; "@": HOST is an id of the container's user namespace.
Result<std::vector<oci::IdMapping>> parse_idmap(std::string_view option, std::string_view text,
                                                const std::vector<oci::IdMapping>& own) {
  std::vector<oci::IdMapping> map;
  for (std::string_view part : split(text, '#')) {
    bool relative = part.starts_with('@');
    if (relative) part.remove_prefix(1);
    std::vector<std::string_view> numbers = split(part, '-');
    std::optional<std::uint64_t> value[3];
    for (std::size_t i = 0; i < 3 && numbers.size() == 3; ++i) value[i] = parse_uint(numbers[i]);
    if (!value[0] || !value[1] || !value[2] || *value[0] > UINT32_MAX || *value[1] > UINT32_MAX ||
        *value[2] == 0 || *value[2] > UINT32_MAX)
      return Error(Errc::invalid_argument, concat("mount option ", quote(option), ": ", quote(part),
                                                  " is not FILE-ID, HOST-ID and COUNT"));
    auto host = static_cast<std::uint32_t>(*value[1]);
    if (relative && !own.empty()) {
      auto mapped = map_to_host(own, host);
      if (!mapped)
        return Error(Errc::invalid_argument,
                     concat("mount option ", quote(option), ": id ", host,
                            " is not mapped in the user namespace of the container"));
      host = *mapped;
    }
    map.push_back(
        {static_cast<std::uint32_t>(*value[0]), host, static_cast<std::uint32_t>(*value[2])});
  }
  return map;
}

// idmap and idmap=uids=...;gids=..., once the container's own maps are known.
Status resolve_idmap(const ContainerConfig& config, ResolvedMount* mount) {
  for (auto it = mount->options.begin(); it != mount->options.end();) {
    if (!it->starts_with("idmap=")) {
      ++it;
      continue;
    }
    const std::string option = *it;
    it = mount->options.erase(it);
    for (std::string_view part : split(std::string_view(option).substr(6), ';')) {
      bool uids = part.starts_with("uids="), gids = part.starts_with("gids=");
      if (!uids && !gids)
        return Error(Errc::invalid_argument,
                     concat("mount option ", quote(option), ": known are uids=... and gids=..."));
      (uids ? mount->idmap_uids : mount->idmap_gids) =
          TRY(parse_idmap(option, part.substr(5), uids ? config.uid_map : config.gid_map));
    }
    if (mount->idmap_uids.empty() || mount->idmap_gids.empty())
      return Error(Errc::invalid_argument,
                   concat("mount option ", quote(option), ": needs both uids= and gids="));
  }
  if (mount->idmap && mount->idmap_uids.empty()) {
    if (config.uid_map.empty())
      return Error(
          Errc::invalid_argument,
          concat(mount->destination,
                 ": mount option \"idmap\" needs a user namespace of the container's own"));
    mount->idmap_uids = config.uid_map;
    mount->idmap_gids = config.gid_map;
  }
  if (mount->idmap && (mount->overlay || !mount->subpath.empty() || !mount->fs_type.empty()))
    return Error(Errc::unsupported, concat(mount->destination,
                                           ": mount option \"idmap\" is not supported together "
                                           "with O, subpath or a volume of a type of its own"));
  if (mount->overlay && !config.uid_map.empty())
    return Error(Errc::unsupported, concat(mount->destination,
                                           ": mount option \"O\" is not supported yet in a user "
                                           "namespace of the container's own"));
  return {};
}

// A mount that a user namespace has inherited keeps these flags locked; asking for less would be
// refused.
void inherit_flags(const struct statvfs& fs, std::vector<std::string>* options) {
  if ((fs.f_flag & ST_NOSUID) != 0 && !has_option(*options, "nosuid", "suid"))
    options->emplace_back("nosuid");
  if ((fs.f_flag & ST_NODEV) != 0 && !has_option(*options, "nodev", "dev"))
    options->emplace_back("nodev");
  if ((fs.f_flag & ST_NOEXEC) != 0 && !has_option(*options, "noexec", "exec"))
    options->emplace_back("noexec");
}

Status resolve_bind(const MountRequest& request, ResolvedMount* mount) {
  TRY(check_volume_options(request.options));
  TRY(take_options(request.options, mount));
  mount->copy_up = false;
  mount->source = request.source;
  if (mount->chown && is_one_of(kKeptOwners, mount->source))
    return Error(Errc::invalid_argument,
                 concat("chowning host path ", quote(mount->source),
                        " is not allowed. You can manually `chown -R` the path"));
  struct statvfs fs {};
  bool found = ::statvfs(request.source.c_str(), &fs) == 0;
  if (!found && errno == ENOENT && request.from_volume_flag) {  // as Docker
    TRY(sys::ensure_dirs(request.source, 0755));
    found = ::statvfs(request.source.c_str(), &fs) == 0;
  }
  if (!found)
    return Error(errno == ENOENT ? Errc::not_found : Errc::io,
                 concat("statfs ", request.source, ": ", go_reason(errno)));
  TRY(check_overlay(*mount));
  if (mount->overlay) {
    std::erase_if(mount->options, [](const std::string& o) { return o == "bind" || o == "rbind"; });
    return {};
  }
  inherit_flags(fs, &mount->options);
  if (!has_option(mount->options, "bind", "rbind")) mount->options.emplace_back("rbind");
  return {};
}

Status resolve_tmpfs(const MountRequest& request, ResolvedMount* mount) {
  for (const std::string& option : request.options) {
    bool known = is_one_of(kTmpfsFlags, option) || is_one_of(kPropagations, option);
    for (std::string_view prefix : kTmpfsValues) known = known || option.starts_with(prefix);
    if (!known)
      return Error(Errc::invalid_argument,
                   concat("unknown mount option ", quote(option), ": invalid mount option"));
  }
  TRY(take_options(request.options, mount));
  mount->source = "tmpfs";
  if (!has_option(mount->options, "nosuid", "suid")) mount->options.emplace_back("nosuid");
  if (!has_option(mount->options, "nodev", "dev")) mount->options.emplace_back("nodev");
  if (!has_option(mount->options, "tmpcopyup", "notmpcopyup"))
    mount->options.emplace_back("tmpcopyup");
  std::erase(mount->options, "notmpcopyup");
  return {};
}

// A file system of the kernel's own, new in each run.
Status resolve_filesystem(const MountRequest& request, ResolvedMount* mount) {
  mount->fs_type = mount->device = request.type;
  TRY(take_options(request.options, mount));
  if (request.type == "ramfs") {
    mount->type = "tmpfs";
    if (!has_option(mount->options, "nodev", "dev")) mount->options.emplace_back("nodev");
  } else if (!has_option(mount->options, "noexec", "exec")) {
    mount->options.emplace_back("noexec");
  }
  if (!has_option(mount->options, "nosuid", "suid")) mount->options.emplace_back("nosuid");
  return {};
}

// An image's files, read-only, or with changes that last as long as the run.
Status resolve_image_mount(const MountRequest& request, const ResolveContext& context,
                           const ContainerConfig& config, ResolvedMount* mount) {
  if (request.source.empty())
    return Error(Errc::invalid_argument, "must set source volume");  // as Podman
  if (!context.find_image)
    return Error(Errc::unsupported, "mount type \"image\" is not supported here");
  ImageTree image = TRY(context.find_image(request.source));
  mount->read_write = false;
  TRY(take_options(request.options, mount));
  mount->image_id = image.id;
  mount->source = image.name;
  mount->lower = std::move(image.layers);
  mount->subpath = request.subpath;
  mount->overlay = mount->read_write || mount->lower.size() > 1;
  if (mount->overlay && !mount->subpath.empty())
    return Error(Errc::unsupported, concat(mount->destination,
                                           ": subpath of an image is supported read-only and for "
                                           "an image of one layer"));
  if (!config.uid_map.empty())
    return Error(Errc::unsupported, concat(mount->destination,
                                           ": mount type \"image\" is not supported yet in a user "
                                           "namespace of the container's own"));
  return {};
}

// A volume with a type: each container mounts it for itself, so nothing of it is ever left on the
// host. A tmpfs begins with what the image has there.
Status use_filesystem(const VolumeOptions& options, ResolvedMount* mount) {
  if (mount->overlay || mount->chown || !mount->subpath.empty())
    return Error(
        Errc::unsupported,
        concat("volume ", mount->volume_name, " of type ", options.fs_type,
               ": O, U and subpath are not supported with volumes of a type of their own"));
  mount->fs_type = options.fs_type;
  mount->device = options.device;
  std::erase_if(mount->options, [](const std::string& o) { return o == "bind" || o == "rbind"; });
  for (const std::string& option : options.mount_options)
    if (option == "ro" || option == "rw")
      mount->read_write = mount->read_write && option == "rw";
    else if (!is_one_of(mount->options, option))
      mount->options.push_back(option);
  if (options.fs_type == "tmpfs") {
    if (!has_option(mount->options, "nosuid", "suid")) mount->options.emplace_back("nosuid");
    if (!has_option(mount->options, "nodev", "dev")) mount->options.emplace_back("nodev");
    if (!options.nocopy) mount->options.emplace_back("tmpcopyup");
  }
  return {};
}

Status resolve_volume(const MountRequest& request, const ResolveContext& context,
                      ResolvedMount* mount) {
  TRY(check_volume_options(request.options));
  mount->copy_up = true;
  TRY(take_options(request.options, mount));
  mount->anonymous = request.source.empty();
  mount->volume_name = mount->anonymous ? random_hex(32) : request.source;
  TRY_CTX(check_volume_name(mount->volume_name),
          concat("creating named volume ", quote(mount->volume_name)));
  mount->source = TRY(context.ensure_volume(mount->volume_name, mount->anonymous));
  mount->volume_options = request.volume_options;
  mount->subpath = request.subpath;
  TRY(check_overlay(*mount));
  // It may be made only now, with the container.
  VolumeConfig volume;
  volume.options = request.volume_options;
  if (!mount->anonymous) {
    auto found = Volumes(*context.host).load(mount->volume_name);
    if (!found && found.error().code() != Errc::not_found) return std::move(found.error());
    if (found) volume = std::move(*found);
  }
  VolumeOptions options = TRY(parse_volume_options(volume.options));
  mount->copy_up = mount->copy_up && options.device.empty() && !options.nocopy &&
                   volume.needs_copy_up && mount->subpath.empty();
  if (!options.fs_type.empty()) return use_filesystem(options, mount);
  if (!options.device.empty()) mount->source = options.device;
  for (const std::string& option : options.mount_options)
    if (!is_one_of(mount->options, option)) mount->options.push_back(option);
  if (!has_option(mount->options, "nosuid", "suid")) mount->options.emplace_back("nosuid");
  if (!has_option(mount->options, "nodev", "dev")) mount->options.emplace_back("nodev");
  if (!has_option(mount->options, "bind", "rbind")) mount->options.emplace_back("rbind");
  return {};
}

// A foreign tree at /proc would receive what is written to procfs, and leave masks and read-only
// paths without an object (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881).
Status check_destination(const ResolvedMount& mount) {
  if (mount.destination == "/proc") {
    struct statfs fs {};
    if (mount.type == "bind" && ::statfs(mount.source.c_str(), &fs) == 0 &&
        fs.f_type == PROC_SUPER_MAGIC)
      return {};
    return Error(Errc::invalid_argument,
                 "\"/proc\" cannot be mounted because it is not of type proc");
  }
  if (!mount.destination.starts_with("/proc/") ||
      (mount.type == "bind" && is_one_of(kReplaceableProc, mount.destination)))
    return {};
  return Error(Errc::invalid_argument,
               concat(quote(mount.destination), " cannot be mounted because it is inside /proc"));
}

Result<ResolvedMount> resolve_mount(const MountRequest& request, const ResolveContext& context,
                                    const ContainerConfig& config) {
  ResolvedMount mount;
  mount.type = request.type;
  mount.destination = TRY(container_path(request.destination));
  if (request.type == "bind")
    TRY(resolve_bind(request, &mount));
  else if (request.type == "tmpfs")
    TRY(resolve_tmpfs(request, &mount));
  else if (request.type == "volume")
    TRY(resolve_volume(request, context, &mount));
  else if (request.type == "ramfs" || request.type == "devpts")
    TRY(resolve_filesystem(request, &mount));
  else if (request.type == "image")
    TRY(resolve_image_mount(request, context, config, &mount));
  else
    return Error(Errc::unsupported,
                 concat("mount type ", quote(request.type), " is not supported yet"));
  TRY(check_destination(mount));
  return mount;
}

using MountTable = std::map<std::string, ResolvedMount>;  // by destination

// CONTAINER[:OPTIONS]: that container's volumes and the user's mounts of it.
Status add_volumes_from(const std::string& text, const ResolveContext& context,
                        ContainerConfig* config, MountTable* table) {
  auto pair = split_once(text, ':');
  std::string name(pair ? pair->first : std::string_view(text));
  std::optional<bool> read_write;
  std::string relabel;
  if (pair)
    for (std::string_view option : split(pair->second, ',')) {
      if (option == "ro" || option == "rw")
        read_write = option == "rw";
      else if (option == "z")
        relabel = option;
      else
        return Error(
            Errc::invalid_argument,
            concat("invalid option ", quote(option),
                   " specified - volumes from another container can only use z,ro,rw options"));
    }
  ContainerConfig other =
      TRY_CTX(context.find_container(name),
              concat("looking up container ", quote(name), " for volumes-from"));
  for (ResolvedMount mount : other.mounts) {
    if (mount.type == "tmpfs") continue;
    if (read_write) mount.read_write = *read_write;
    if (!relabel.empty()) mount.relabel = relabel;
    mount.anonymous = false;  // the other container's to remove
    mount.copy_up = mount.chown = false;
    (*table)[mount.destination] = std::move(mount);
  }
  if (std::find(config->depends_on.begin(), config->depends_on.end(), other.id) ==
      config->depends_on.end())
    config->depends_on.push_back(other.id);
  return {};
}

Status add_image_volumes(const CreateRequest& request, const ResolveContext& context,
                         const ContainerConfig& config, const MountTable& user, MountTable* table) {
  const std::string& mode = request.image_volume;
  if (mode != "" && mode != "bind" && mode != "anonymous" && mode != "tmpfs" && mode != "ignore")
    return Error(Errc::invalid_argument, concat("invalid image volume mode ", quote(mode),
                                                " required value: bind, tmpfs, ignore"));
  if (context.image == nullptr || mode == "ignore") return {};
  for (const auto& [path, unused] : context.image->config.config.volumes) {
    std::string destination = TRY_CTX(container_path(path), "image volume");
    // A volume there would hide what masks and read-only paths protect (CVE-2019-16884).
    for (std::string_view kept : {"/proc", "/sys", "/dev"})
      if (destination == kept || destination.starts_with(concat(kept, "/")))
        return Error(Errc::invalid_argument,
                     concat("image volume ", quote(path), ": an image may not mount over ", kept));
    if (user.contains(destination)) continue;
    MountRequest volume;
    volume.type = mode == "tmpfs" ? "tmpfs" : "volume";
    volume.destination = destination;
    (*table)[destination] = TRY(resolve_mount(volume, context, config));
  }
  return {};
}

bool same(const MountRequest& a, const MountRequest& b) {
  return a.type == b.type && a.source == b.source && a.options == b.options &&
         a.subpath == b.subpath && a.volume_options == b.volume_options;
}

}  // namespace

Status resolve_mounts(const CreateRequest& request, const ResolveContext& context,
                      ContainerConfig* config) {
  std::map<std::string, const MountRequest*> asked;
  for (const MountRequest& mount : request.mounts) {
    std::string destination = TRY(container_path(mount.destination));
    auto [at, fresh] = asked.try_emplace(destination, &mount);
    if (!fresh && !same(*at->second, mount))
      return Error(Errc::invalid_argument, concat(destination, ": duplicate mount destination"));
  }
  // Checked before the first volume is made.
  for (const MountRequest& mount : request.mounts)
    if (mount.type == "bind" || mount.type == "volume") TRY(check_volume_options(mount.options));
  MountTable user, table;
  for (const auto& [destination, mount] : asked)
    user[destination] = TRY(resolve_mount(*mount, context, *config));
  for (const std::string& text : request.volumes_from)
    TRY(add_volumes_from(text, context, config, &table));
  MountTable known = user;
  for (const auto& [destination, mount] : table) known.try_emplace(destination, mount);
  TRY(add_image_volumes(request, context, *config, known, &table));
  for (auto& [destination, mount] : user) table[destination] = std::move(mount);
  for (auto& [destination, mount] : table) {
    TRY(resolve_idmap(*config, &mount));
    config->mounts.push_back(std::move(mount));
  }
  return {};
}

}  // namespace minke::engine
