// Mounts and devices of the spec as steps.
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/str.h"
#include "runtime/build.h"
#include "runtime/cgroup_enter.h"
#include "runtime/idmap_mount.h"
#include "runtime/mount_options.h"
#include "runtime/syscalls.h"

namespace minke::runtime {
namespace {

struct DefaultDevice {
  const char* path;
  unsigned major, minor;
};
// Demanded of every container (config-linux.md, "Default Devices").
constexpr DefaultDevice kDefaultDevices[] = {
    {"/dev/null", 1, 3}, {"/dev/zero", 1, 5},   {"/dev/full", 1, 7},
    {"/dev/tty", 5, 0},  {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9},
};
struct DefaultLink {
  const char* content;
  const char* path;
};
constexpr DefaultLink kDefaultLinks[] = {
    {"/proc/self/fd", "/dev/fd"},       {"/proc/self/fd/0", "/dev/stdin"},
    {"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"},
    {"/proc/kcore", "/dev/core"},       {"pts/ptmx", "/dev/ptmx"},
};

// Kernel file systems whose super block is shared or made anew: "ro" is the mount's own business
// there.
bool is_kernel_filesystem(std::string_view type) {
  constexpr std::string_view kTypes[] = {"proc",       "sysfs",  "tmpfs",   "ramfs",   "devpts",
                                         "mqueue",     "cgroup", "cgroup2", "debugfs", "tracefs",
                                         "securityfs", "bpf",    "overlay"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

void split_params(const std::vector<std::string>& data, MountPlan* m, LaunchPlan* plan) {
  for (const std::string& word : data) {
    auto pair = split_once(word, '=');
    if (pair) {
      // Quotes are for commas between options (context="s0:c1,c2"), where they are one text.
      std::string_view value = pair->second;
      if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
        value = value.substr(1, value.size() - 2);
      m->params.emplace_back(plan->keep(std::string(pair->first)), plan->keep(std::string(value)));
    } else {
      m->params.emplace_back(plan->keep(word), nullptr);
    }
  }
  m->data = plan->keep(join(data, ","));
}

MountPlan& add_mount(LaunchPlan* plan, std::string target) {
  MountPlan& m = plan->mounts.emplace_back();
  m.target = plan->keep(std::move(target));
  plan->add(Op::mount).data = &m;
  return m;
}

void take_options(const MountOptions& o, MountPlan* m) {
  m->bind = o.bind;
  m->recursive = o.recursive;
  m->copy_up = o.copy_up;
  m->set = o.set;
  m->clear = o.clear;
  m->recursive_set = o.recursive_set;
  m->recursive_clear = o.recursive_clear;
  m->superblock = o.superblock;
  m->propagation = o.propagation;
}

// /sys/fs/cgroup on a v1 host: a tmpfs that holds a bind of the container's own folder in each
// hierarchy.
Status add_cgroup_v1(const BuildInput& in, const oci::Mount& mount, const MountOptions& o,
                     LaunchPlan* plan) {
  std::string place = mount.destination;
  while (place.size() > 1 && place.back() == '/') place.pop_back();
  MountPlan& base = add_mount(plan, place);
  base.type = base.source = "tmpfs";
  base.set = (o.set & ~std::uint64_t{MOUNT_ATTR_RDONLY}) | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
             MOUNT_ATTR_NOEXEC;
  split_params({"mode=755"}, &base, plan);
  std::vector<std::pair<std::string, std::string>> links;
  for (const Cgroup::Entry& entry : in.cgroups) {
    // "/sys/fs/cgroup/cpu,cpuacct/..." is found under that name, and under each controller's own.
    std::string rest = entry.path.substr(std::string_view("/sys/fs/cgroup/").size());
    std::string name = rest.substr(0, rest.find('/'));
    MountPlan& m = add_mount(plan, concat(place, "/", name));
    m.bind = true;
    m.source = plan->keep(entry.path);
    m.set = (o.set & MOUNT_ATTR_RDONLY) | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    for (std::string_view controller : split(entry.controllers, ','))
      if (controller != name && !controller.empty() && !controller.starts_with("name="))
        links.emplace_back(name, concat(place, "/", controller));
  }
  for (auto& [content, path] : links) {
    Step& step = plan->add(Op::symlink);
    step.source = plan->keep(content);
    step.target = plan->keep(path);
  }
  if ((o.set & MOUNT_ATTR_RDONLY) != 0) plan->add(Op::remount_readonly).target = plan->keep(place);
  return {};
}

// The source with its own mapping, or with that of the container's user namespace.
Result<sys::UniqueFd> mapped_source(const BuildInput& in, const oci::Mount& mount,
                                    const MountOptions& o, const char* source, LaunchPlan* plan) {
  const oci::Linux& l = *in.request.spec->linux_;
  sys::UniqueFd own;
  int user_namespace = plan->user_namespace_fd;
  if (!mount.uid_mappings.empty()) {
    own = TRY(make_user_namespace(mount.uid_mappings, mount.gid_mappings));
    user_namespace = own.get();
  } else if (user_namespace < 0) {
    if (l.uid_mappings.empty())
      return Error(Errc::invalid_argument,
                   "option idmap: neither the mount nor the container has id mappings");
    own = TRY(make_user_namespace(l.uid_mappings, l.gid_mappings));
    user_namespace = own.get();
  }
  return make_idmapped_tree(source, o.recursive, user_namespace, o.idmap == IdmapOption::ridmap);
}

}  // namespace

int open_source(const BuildInput& in, const char* source, const char* subpath, bool recursive,
                LaunchPlan* plan) {
  if (!in.host.privileged || in.host.old_mount_api) return -1;
  if (subpath != nullptr) {
    auto folder = sys::open(source, O_PATH | O_DIRECTORY);
    if (!folder) return -1;
    auto place = sys::open_in_root(folder->get(), subpath, O_PATH);
    if (!place) return -1;
    sys::UniqueFd below(sys_open_tree(
        place->get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0)));
    return below ? plan->keep_fd(std::move(below)) : -1;
  }
  sys::UniqueFd tree(
      sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0)));
  return tree ? plan->keep_fd(std::move(tree)) : -1;
}

namespace {

// What masks and writes rely on by name must be where its name says, and stay there: a link could
// lead into a volume that others rename things in (CVE-2019-19921, CVE-2023-27561, CVE-2026-41579).
bool takes_no_links(const oci::Mount& mount) {
  constexpr std::string_view kTypes[] = {"proc", "sysfs", "devpts", "mqueue"};
  constexpr std::string_view kPlaces[] = {"/proc", "/sys", "/dev"};
  std::string_view place = mount.destination;
  while (place.size() > 1 && place.back() == '/') place.remove_suffix(1);
  return std::find(std::begin(kTypes), std::end(kTypes), mount.type) != std::end(kTypes) ||
         std::find(std::begin(kPlaces), std::end(kPlaces), place) != std::end(kPlaces);
}

Status add_spec_mount(const BuildInput& in, const NamespaceChoice& ns, const oci::Mount& mount,
                      LaunchPlan* plan, std::vector<std::string>* remount) {
  MountOptions o = TRY(parse_mount_options(mount.type, mount.options));
  bool cgroup = !o.bind && (mount.type == "cgroup" || mount.type == "cgroup2");
  if (cgroup && in.host.cgroups != CgroupMode::v2) return add_cgroup_v1(in, mount, o, plan);
  MountPlan& m = add_mount(plan, mount.destination);
  take_options(o, &m);
  m.no_links = takes_no_links(mount);
  if (o.remount) {
    m.remount = true;
    m.type = m.source = "remount";  // for who reads the plan
    split_params(o.data, &m, plan);
    return {};
  }
  if (o.bind) {
    if (mount.source.empty()) return Error(Errc::invalid_argument, "a bind mount needs a source");
    m.source = plan->keep(mount.source[0] == '/' ? mount.source
                                                 : concat(in.request.bundle, "/", mount.source));
    if (!o.subpath.empty()) {
      if (in.host.old_mount_api)
        return Error(Errc::unsupported, "a subpath needs the new mount API (Linux 5.2)");
      m.subpath = plan->keep(o.subpath);
    }
    // Engines give a rootless container the host's /sys. The cgroups below are not meant to be
    // writable then (CVE-2023-25809).
    bool whole_sys =
        mount.source == "/sys" && (mount.destination == "/sys" || mount.destination == "/sys/");
    if (o.idmap != IdmapOption::none || !mount.uid_mappings.empty()) {
      sys::UniqueFd tree = TRY(mapped_source(in, mount, o, m.source, plan));
      m.mount_fd = plan->keep_fd(std::move(tree));
    }
    if (m.mount_fd < 0 && (ns.new_user || ns.joined_user))
      m.mount_fd = open_source(in, m.source, m.subpath, o.recursive, plan);
    if (whole_sys && o.recursive) m.recursive_set |= o.set & MOUNT_ATTR_RDONLY;
    // For a file system's own parameters there is no file system here.
    for (const std::string& word : o.data)
      in.warnings->push_back(
          concat("mount ", mount.destination, ": a bind mount has no option ", quote(word)));
    return {};
  }
  if (o.idmap != IdmapOption::none || !mount.uid_mappings.empty())
    return Error(Errc::unsupported, "only bind mounts can be id-mapped");
  if (mount.type.empty()) return Error(Errc::invalid_argument, "no type");
  std::string type = cgroup ? "cgroup2" : mount.type;
  m.type = plan->keep(type);
  m.source = plan->keep(mount.source.empty() ? type : mount.source);
  const std::string& label = in.request.spec->linux_->mount_label;
  if (!label.empty() && (type == "tmpfs" || type == "devpts"))
    o.data.push_back(concat("context=\"", label, "\""));
  // An IPC namespace has its mqueue mounted before anybody asks, with the label of then.
  if (!label.empty() && type == "mqueue") m.label = plan->keep(label);
  split_params(o.data, &m, plan);
  if ((o.set & MOUNT_ATTR_RDONLY) != 0 && !is_kernel_filesystem(type)) m.superblock |= MS_RDONLY;
  if (type == "sysfs" && (!ns.new_network || !in.host.init_user_namespace || ns.new_user)) {
    // sysfs may only be mounted by the owner of the network namespace.
    m.fallback = MountPlan::Fallback::rbind_sys;
    m.fallback_source = "/sys";
  } else if (type == "cgroup2") {
    m.fallback = MountPlan::Fallback::bind_cgroup;
    m.fallback_source = "/sys/fs/cgroup";
  }
  bool is_dev = mount.destination == "/dev" || mount.destination == "/dev/";
  if (is_dev && (m.set & MOUNT_ATTR_RDONLY) != 0) {
    m.set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};  // nodes come first
    remount->push_back(mount.destination);
  }
  return {};
}

bool dev_is_bound(const std::vector<oci::Mount>& mounts) {
  for (const oci::Mount& m : mounts) {
    if (m.destination != "/dev" && m.destination != "/dev/") continue;
    if (m.type == "bind") return true;
    for (const std::string& word : m.options)
      if (word == "bind" || word == "rbind") return true;
  }
  return false;
}

void add_device(const oci::Device& device, bool bind, LaunchPlan* plan) {
  DevicePlan& d = plan->devices.emplace_back();
  d.path = plan->keep(device.path);
  d.host_path = d.path;
  d.bind = bind && device.type != "p";
  mode_t kind = device.type == "b" ? S_IFBLK : device.type == "p" ? S_IFIFO : S_IFCHR;
  d.mode = kind | (device.file_mode.value_or(0666) & 07777);
  d.number = makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor));
  d.uid = device.uid.value_or(0);
  d.gid = device.gid.value_or(0);
  plan->add(Op::device).data = &d;
}

}  // namespace

Status build_mounts(const BuildInput& in, const NamespaceChoice& ns, LaunchPlan* plan) {
  const oci::Spec& spec = *in.request.spec;
  bool in_cgroup = false;
  // Where the parent moves the child it does so while we mount: the wait comes where the result is
  // first needed.
  auto enter_cgroup = [&]() {
    if (in_cgroup) return;
    in_cgroup = true;
    bool by_systemd = in.request.cgroup_manager == CgroupManager::systemd;
    if ((by_systemd || !plan_cgroup_entry(in.cgroups, plan)) && !in.cgroups.empty())
      plan->add(Op::wait_order).flags = kOrderCgroup;
    if (ns.new_cgroup) plan->add(Op::unshare).flags = CLONE_NEWCGROUP;
  };
  std::vector<std::string> remount;
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    const oci::Mount& mount = spec.mounts[i];
    if (mount.type == "cgroup" || mount.type == "cgroup2") enter_cgroup();
    TRY_CTX(add_spec_mount(in, ns, mount, plan, &remount),
            concat("mounts[", i, "] ", mount.destination));
  }
  if (!in.request.notify_socket.empty()) {
    MountPlan& m = add_mount(plan, "/run/notify/notify.sock");
    m.bind = true;
    m.source = plan->keep(in.request.notify_socket);
  }
  enter_cgroup();
  for (std::string& place : remount) {
    // After the devices: moved behind them by build_devices().
    plan->add(Op::remount_readonly).target = plan->keep(std::move(place));
  }
  return {};
}

Status build_devices(const BuildInput& in, const NamespaceChoice& ns, LaunchPlan* plan) {
  const oci::Spec& spec = *in.request.spec;
  std::vector<Step> remounts;
  while (!plan->steps.empty() && plan->steps.back().op == Op::remount_readonly) {
    remounts.push_back(plan->steps.back());
    plan->steps.pop_back();
  }
  bool bind = ns.new_user || ns.joined_user || !in.host.init_user_namespace;
  if (!dev_is_bound(spec.mounts)) {
    auto named = [&](const char* path) {
      return std::any_of(spec.linux_->devices.begin(), spec.linux_->devices.end(),
                         [&](const oci::Device& d) { return d.path == path; });
    };
    for (const DefaultDevice& d : kDefaultDevices) {
      if (named(d.path)) continue;
      oci::Device device;
      device.type = "c";
      device.path = d.path;
      device.major = d.major;
      device.minor = d.minor;
      add_device(device, bind, plan);
    }
    for (const DefaultLink& link : kDefaultLinks) {
      Step& step = plan->add(Op::symlink);
      step.source = link.content;
      step.target = link.path;
    }
  }
  for (const oci::Device& device : spec.linux_->devices) add_device(device, bind, plan);
  if (spec.process->terminal) {
    if (in.request.console_socket < 0)
      return Error(Errc::invalid_argument, "process.terminal needs a console socket");
    ConsolePlan& p = plan->consoles.emplace_back();
    p.socket = in.request.console_socket;
    p.height = static_cast<std::uint16_t>(
        spec.process->console_size ? spec.process->console_size->height : 0);
    p.width = static_cast<std::uint16_t>(
        spec.process->console_size ? spec.process->console_size->width : 0);
    p.uid = spec.process->user.uid;
    p.console_node = true;
    plan->add(Op::console).data = &p;
  }
  plan->steps.insert(plan->steps.end(), remounts.rbegin(), remounts.rend());
  return {};
}

}  // namespace minke::runtime
