// The mounts of the spec: what every container has, the engine's own files, and what was asked for,
// in the order in which they can be made: outer before inner.
#include <sys/stat.h>

#include <algorithm>

#include "base/str.h"
#include "engine/network_helper.h"
#include "engine/specgen_internal.h"
#include "engine/userns.h"
#include "runtime/mount_options.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

using Options = std::vector<std::string>;

bool is_mounted(const SpecBuilder& b, std::string_view destination) {
  return std::any_of(b.config.mounts.begin(), b.config.mounts.end(),
                     [&](const ResolvedMount& m) { return m.destination == destination; });
}

// Unless the user has a mount of his own there.
void add(SpecBuilder* b, std::string destination, std::string type, std::string source,
         Options options) {
  if (is_mounted(*b, destination)) return;
  b->spec.mounts.push_back(
      {std::move(destination), std::move(type), std::move(source), std::move(options), {}, {}});
}

void add_proc(SpecBuilder* b) {
  // A foreign pid namespace does not let a user namespace mount its procfs.
  if (b->in_userns() && b->config.pid_mode == "host") {
    add(b, "/proc", "bind", "/proc", {"rbind", "nosuid", "noexec", "nodev"});
    return;
  }
  Options options = {"nosuid", "noexec", "nodev"};
  if (!b->security.proc_opts.empty())
    for (std::string_view option : split(b->security.proc_opts, ',')) options.emplace_back(option);
  add(b, "/proc", "proc", "proc", std::move(options));
}

// True when a fresh sysfs can be mounted: it belongs to the owner of the network namespace.
bool can_mount_sysfs(const SpecBuilder& b) {
  if (b.host_network()) return !b.in_userns();
  if (b.own_userns()) return has_own_network(b.config.network_mode);
  return true;
}

void add_sys(SpecBuilder* b) {
  const bool privileged = b->request.privileged;
  if (can_mount_sysfs(*b))
    add(b, "/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", privileged ? "rw" : "ro"});
  else
    // Read-only with all that is below: the host's cgroups are there too (CVE-2023-25809).
    add(b, "/sys", "bind", "/sys",
        {"rprivate", "nosuid", "noexec", "nodev", privileged ? "rw" : "rro", "rbind"});

  // On version 1 systemd has a hierarchy of its own (add_scratch); the others hold the limits. An
  // ordinary user's container has none of them.
  bool own_hierarchy = !b->host.rootless && b->config.cgroupns_mode == "host" &&
                       sys::exists("/sys/fs/cgroup/systemd");
  bool writable =
      privileged || (b->config.systemd_mode && !own_hierarchy) || b->security.unmask_all;
  for (const std::string& path : b->security.unmask)
    writable = writable || path == "/sys/fs/cgroup";
  add(b, "/sys/fs/cgroup", "cgroup", "cgroup",
      {"rprivate", "nosuid", "noexec", "nodev", "relatime", writable ? "rw" : "ro"});
}

void add_dev(SpecBuilder* b) {
  const bool frozen = b->request.read_only && !b->request.read_only_tmpfs;
  Options options = {"nosuid", "strictatime", "mode=755", "size=65536k"};
  if (frozen) options.emplace_back("ro");
  add(b, "/dev", "tmpfs", "tmpfs", std::move(options));

  const auto& gids = b->own_userns() ? b->config.gid_map : b->host.gid_map;
  Options pts = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  if (!b->host.single_id && (gids.empty() || map_to_host(gids, 5))) pts.emplace_back("gid=5");
  add(b, "/dev/pts", "devpts", "devpts", std::move(pts));
}

Status add_ipc(SpecBuilder* b) {
  const std::string& mode = b->config.ipc_mode;
  // A user namespace cannot mount the queues of an IPC namespace that it does not own.
  if (mode == "host" && b->in_userns()) {
    if (sys::exists("/dev/mqueue"))
      add(b, "/dev/mqueue", "bind", "/dev/mqueue", {"bind", "nosuid", "noexec", "nodev"});
  } else if (sys::exists("/proc/sys/fs/mqueue")) {
    add(b, "/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  }
  if (mode == "host") {
    add(b, "/dev/shm", "bind", "/dev/shm", {"bind", "rprivate", "nosuid", "noexec", "nodev"});
  } else if (mode.starts_with("container:")) {
    pid_t pid = TRY(b->context.container_pid(mode.substr(10)));
    add(b, "/dev/shm", "bind", concat("/proc/", pid, "/root/dev/shm"),
        {"bind", "rprivate", "nosuid", "noexec", "nodev"});
  } else if (mode != "none") {
    Options options = {"nosuid", "noexec", "nodev", "mode=1777"};
    if (b->config.shm_size > 0) options.push_back(concat("size=", b->config.shm_size));
    if (b->request.read_only && !b->request.read_only_tmpfs) options.emplace_back("ro");
    add(b, "/dev/shm", "tmpfs", "shm", std::move(options));
  }
  return {};
}

void add_scratch(SpecBuilder* b) {
  Options options = {"rw", "rprivate", "nosuid", "nodev", "tmpcopyup"};
  auto scratch = [&](const char* path, const Options& with) {
    bool there = std::any_of(b->spec.mounts.begin(), b->spec.mounts.end(),
                             [&](const oci::Mount& m) { return m.destination == path; });
    if (!there) add(b, path, "tmpfs", "tmpfs", with);
  };
  if (b->config.systemd_mode) {
    Options sized = options;
    if (b->request.shm_size_systemd.value_or(0) > 0)
      sized.push_back(concat("size=", *b->request.shm_size_systemd));
    for (const char* path : {"/run", "/run/lock", "/tmp", "/var/log/journal"}) scratch(path, sized);
    // Version 1: systemd needs its own hierarchy.
    if (b->config.cgroupns_mode == "host" && sys::exists("/sys/fs/cgroup/systemd")) {
      add(b, "/sys/fs/cgroup/systemd", "bind", "/sys/fs/cgroup/systemd",
          {"bind", "rprivate", "nosuid", "noexec", "nodev"});
      b->linux_.masked_paths.emplace_back("/sys/fs/cgroup/systemd/release_agent");
    }
  }
  if (b->request.read_only && b->request.read_only_tmpfs)
    for (const char* path : {"/run", "/tmp", "/var/tmp"}) scratch(path, options);
}

// The engine's own files; those of another container with its network.
void add_files(SpecBuilder* b) {
  Options options = {"bind", "rprivate"};
  if (b->request.read_only) options.insert(options.end(), {"ro", "nosuid", "noexec", "nodev"});
  const std::string& own = b->context.container_dir;
  std::string network = own;
  if (b->config.network_mode.starts_with("container:"))
    network = concat(b->host.root, "/containers/", b->config.network_mode.substr(10));
  struct File {
    const char* destination;
    std::string source;
    bool wanted;
  };
  const File files[] = {
      {"/etc/hosts", network + "/hosts", !b->request.no_hosts},
      {"/etc/resolv.conf", network + "/resolv.conf", b->config.network_mode != "none"},
      {"/etc/hostname", own + "/hostname", !b->request.no_hostname},
      {"/run/.containerenv", own + "/containerenv", true},
      {"/etc/localtime", own + "/localtime", !b->request.tz.empty()},
  };
  for (const File& file : files) {
    // Another container may have chosen to have no such file.
    if (!file.wanted ||
        (network != own && file.source.starts_with(network) && !sys::exists(file.source)))
      continue;
    add(b, file.destination, "bind", file.source, options);
    if (!std::string_view(file.destination).starts_with("/etc/")) continue;
    for (const std::string& root : b->request.chroot_dirs)
      add(b, concat(root.ends_with('/') ? root.substr(0, root.size() - 1) : root, file.destination),
          "bind", file.source, options);
  }
}

// Overlay parts its lower folders at colons.
std::string escape_colons(const std::string& path) {
  std::string out;
  for (char c : path) {
    if (c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

void use_overlay(const SpecBuilder& b, std::size_t index, oci::Mount* out) {
  const ResolvedMount& mount = b.config.mounts[index];
  std::string own = overlay_dir(b.context.container_dir, index);
  out->type = out->source = "overlay";
  std::erase_if(out->options, [](const std::string& o) { return o == "bind" || o == "rbind"; });
  if (mount.image_id.empty()) out->options.push_back("lowerdir=" + escape_colons(mount.source));
  // One parameter ends at 255 bytes, and layers have long names: each by its own (Linux 6.5).
  for (const std::string& layer : mount.lower)
    out->options.push_back(concat(mount.lower.size() > 1 ? "lowerdir+=" : "lowerdir=", layer));
  if (b.in_userns()) out->options.emplace_back("userxattr");
  if (!mount.image_id.empty() && !mount.read_write) return;
  out->options.push_back("upperdir=" + (mount.upper.empty() ? own + "/upper" : mount.upper));
  out->options.push_back("workdir=" + (mount.work.empty() ? own + "/work" : mount.work));
}

void add_user_mounts(SpecBuilder* b) {
  for (std::size_t i = 0; i < b->config.mounts.size(); ++i) {
    const ResolvedMount& mount = b->config.mounts[i];
    oci::Mount out;
    out.destination = mount.destination;
    out.type = mount.type == "tmpfs" ? "tmpfs" : "bind";
    out.source = mount.source;
    out.options = mount.options;
    if (!mount.fs_type.empty()) {
      out.type = mount.fs_type;
      out.source = mount.device;
    }
    if (!mount.subpath.empty())
      out.options.push_back(concat(runtime::kSubpathOption, mount.subpath));
    if (!mount.lower.empty()) {
      out.source = mount.lower[0];
      out.options.insert(out.options.end(), {"rbind", "nosuid", "nodev"});
    }
    if (mount.overlay) use_overlay(*b, i, &out);
    out.options.emplace_back(mount.read_write ? "rw" : "ro");
    out.options.push_back(mount.propagation);
    if (mount.idmap) {
      out.options.emplace_back("idmap");
      out.uid_mappings = mount.idmap_uids;
      out.gid_mappings = mount.idmap_gids;
    }
    // As Podman: a shared mount inside needs a root that lets it through.
    if (mount.propagation.ends_with("shared"))
      b->linux_.rootfs_propagation = "shared";
    else if (mount.propagation.ends_with("slave") && b->linux_.rootfs_propagation.empty())
      b->linux_.rootfs_propagation = "rslave";
    b->spec.mounts.push_back(std::move(out));
  }
}

std::ptrdiff_t depth(const oci::Mount& mount) {
  return std::count(mount.destination.begin(), mount.destination.end(), '/');
}

}  // namespace

Status add_mounts(SpecBuilder* b) {
  add_proc(b);
  add_dev(b);
  add_sys(b);
  TRY(add_ipc(b));
  add_scratch(b);
  add_files(b);
  add_user_mounts(b);
  add_secret_mounts(b);
  TRY(add_devices(b));
  std::stable_sort(b->spec.mounts.begin(), b->spec.mounts.end(),
                   [](const oci::Mount& x, const oci::Mount& y) { return depth(x) < depth(y); });
  return {};
}

}  // namespace minke::engine
