// The order of a container's birth. Read build_init_plan() top to bottom, or print the plan.
#include "runtime/build.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/fuse_root.h"
#include "runtime/idmap_mount.h"
#include "runtime/mount_options.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace minke::runtime {
namespace {

// The first user namespace always has this inode (include/linux/proc_ns.h).
constexpr ino_t kInitUserNamespace = 0xEFFFFFFD;

struct NamespaceRow {
  std::string_view type;
  std::uint64_t flag;
};
constexpr NamespaceRow kNamespaces[] = {
    {"user", CLONE_NEWUSER},     {"pid", CLONE_NEWPID},  {"network", CLONE_NEWNET},
    {"ipc", CLONE_NEWIPC},       {"uts", CLONE_NEWUTS},  {"time", CLONE_NEWTIME},
    {"cgroup", CLONE_NEWCGROUP}, {"mount", CLONE_NEWNS},
};

Result<sys::UniqueFd> open_namespace(const oci::Namespace& ns, std::uint64_t flag) {
  sys::UniqueFd fd = TRY_CTX(sys::open(ns.path, O_RDONLY), concat("join ", ns.type, " namespace"));
  int type = ::ioctl(fd.get(), NS_GET_NSTYPE);
  if (type < 0 || static_cast<std::uint64_t>(type) != flag)
    return Error(Errc::invalid_argument,
                 concat("join ", ns.type, " namespace: ", ns.path, " is none"));
  return fd;
}

bool same_namespace(int fd, const char* ours) {
  struct stat a, b;
  return ::fstat(fd, &a) == 0 && ::stat(ours, &b) == 0 && a.st_ino == b.st_ino &&
         a.st_dev == b.st_dev;
}

void add_time_offsets(const oci::Linux& l, LaunchPlan* plan) {
  std::string lines;
  for (const auto& [clock, offset] : l.time_offsets)
    lines += concat(clock, " ", offset.secs, " ", offset.nanosecs, "\n");
  plan->add(Op::unshare).flags = CLONE_NEWTIME;
  plan->add(Op::time_offsets).source = plan->keep(std::move(lines));
}

// A container with mapped ids on layers that root owns: the owners are shifted by the mounts.
// Inside a user namespace of our own (rootless) nobody may do that, and the layers are owned as
// they should be already.
Result<int> make_mapped_root(const BuildInput& in, const NamespaceChoice& ns, LaunchPlan* plan) {
  bool mapped = ns.new_user || ns.joined_user;
  if (!mapped || !in.host.privileged) return -1;
  if (!in.host.init_user_namespace || in.request.overlay->userxattr) {
    if (in.request.overlay->upper.empty() && in.request.overlay->lower.size() == 1) return -1;
    auto outer = make_outer_overlay(*in.request.overlay);
    if (outer) return plan->keep_fd(std::move(*outer));
    if (outer.error().code() == Errc::unsupported) return -1;
    return std::move(outer.error());
  }
  const oci::Linux& l = *in.request.spec->linux_;
  sys::UniqueFd own;
  int user_namespace = plan->user_namespace_fd;
  if (user_namespace < 0) {
    own = TRY(make_user_namespace(l.uid_mappings, l.gid_mappings));
    user_namespace = own.get();
  }
  if (l.uid_mappings.empty() || l.gid_mappings.empty())
    return Error(Errc::invalid_argument,
                 "linux.uidMappings: needed for an overlay root in a joined user namespace");
  const OverlayRoot& o = *in.request.overlay;
  sys::UniqueFd root;
  if (o.upper.empty() && o.lower.size() == 1)
    root = TRY(make_idmapped_tree(o.lower[0], false, user_namespace, false));
  else
    root = TRY(make_idmapped_overlay(o, user_namespace, mapped_root(l.uid_mappings),
                                     mapped_root(l.gid_mappings)));
  return plan->keep_fd(std::move(root));
}

Status build_root(const BuildInput& in, const NamespaceChoice& ns, LaunchPlan* plan) {
  const CreateRequest& r = in.request;
  const oci::Linux& l = *r.spec->linux_;
  unsigned long propagation =
      l.rootfs_propagation.empty() ? MS_SLAVE | MS_REC : propagation_flags(l.rootfs_propagation);
  plan->add(Op::propagate).flags = propagation | MS_REC;
  if (!r.overlay || r.overlay->lower.empty()) {
    const std::string& path = r.spec->root->path;
    Step& step = plan->add(Op::root_bind);
    step.source = plan->keep(path[0] == '/' ? path : concat(r.bundle, "/", path));
    if (ns.new_user || ns.joined_user) step.fd = open_source(in, step.source, nullptr, true, plan);
    return {};
  }
  const OverlayRoot& o = *r.overlay;
  if (o.lower.size() > 500)
    return Error(Errc::invalid_argument, "overlay root: more than 500 layers");
  if (o.upper.empty() != o.work.empty())
    return Error(Errc::invalid_argument, "overlay root: upper and work must be given together");
  int mapped = r.root_fd;
  if (mapped >= 0) {
    // no second overlay of the same folders
  } else if (o.fuse_program.empty()) {
    mapped = TRY(make_mapped_root(in, ns, plan));
  } else {
    sys::UniqueFd root = TRY(make_fuse_root(o));
    mapped = plan->keep_fd(std::move(root));
  }
  // A read-only overlay needs two layers at least; one alone is a bind of it.
  if (o.upper.empty() && o.lower.size() == 1 && mapped < 0) {
    plan->add(Op::root_bind).source = plan->keep(o.lower[0]);
    return {};
  }
  OverlayPlan& p = plan->overlays.emplace_back();
  for (const std::string& path : o.lower) p.lower.push_back(plan->keep(path));
  if (!o.upper.empty()) {
    p.upper = plan->keep(o.upper);
    p.work = plan->keep(o.work);
  }
  // Mounting hides what lies there, so it must be a folder that nothing else is taken from.
  p.place = p.work != nullptr ? p.work : p.lower[0];
  p.mount_fd = mapped;
  p.userxattr = o.userxattr;
  p.volatile_ = o.volatile_ && !o.upper.empty();
  plan->add(Op::root_overlay).data = &p;
  return {};
}

void build_sysctls(const oci::Linux& l, LaunchPlan* plan) {
  for (const auto& [name, value] : l.sysctl) {
    std::string file = name;
    if (file.find('/') == std::string::npos)
      for (char& ch : file)
        if (ch == '.') ch = '/';
    Step& step = plan->add(Op::sysctl);
    step.target = plan->keep(concat("sys/", file));
    step.source = plan->keep(value);
  }
}

}  // namespace

Result<HostFacts> read_host_facts() {
  HostFacts host;
  host.uid = ::geteuid();
  host.gid = ::getegid();
  struct stat st {};
  if (::stat("/proc/self/ns/user", &st) == 0)
    host.init_user_namespace = st.st_ino == kInitUserNamespace;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) < 0) return Error::from_errno(errno, "capget");
  host.permitted = data[0].permitted | std::uint64_t{data[1].permitted} << 32;
  host.privileged = (data[0].effective >> CAP_SYS_ADMIN & 1) != 0;
  const char* old_api = ::getenv("MINKE_OLD_MOUNT_API");
  host.old_mount_api = old_api != nullptr && old_api[0] == '1';
  host.cgroups = cgroup_mode();
  return host;
}

Result<sys::UniqueFd> open_procfs() {
  sys::UniqueFd fd = TRY(sys::open("/proc", O_PATH | O_DIRECTORY));
  struct statfs fs {};
  if (::fstatfs(fd.get(), &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
    return Error(Errc::unsupported, "/proc is not a procfs: mount one first");
  return fd;
}

Result<NamespaceChoice> build_namespaces(const BuildInput& in, LaunchPlan* plan) {
  NamespaceChoice choice;
  const oci::Linux& l = *in.request.spec->linux_;
  // Joined in this order: user first, mount last, so that paths of the others still mean what they
  // meant.
  for (const NamespaceRow& row : kNamespaces) {
    const oci::Namespace* ns = nullptr;
    for (const oci::Namespace& item : l.namespaces)
      if (item.type == row.type) ns = &item;
    if (ns == nullptr) continue;
    if (row.flag == CLONE_NEWNET) choice.has_network = true;
    if (ns->path.empty()) {
      if (row.flag == CLONE_NEWUSER) choice.new_user = true;
      if (row.flag == CLONE_NEWPID) choice.new_pid = true;
      if (row.flag == CLONE_NEWNET) choice.new_network = true;
      if (row.flag == CLONE_NEWCGROUP) choice.new_cgroup = true;
      // The cgroup namespace's root is where the process is when it is made, so it comes once the
      // process has been moved. Offsets of clocks can only be set before the first process lives by
      // them.
      if (row.flag == CLONE_NEWCGROUP || (row.flag == CLONE_NEWTIME && !l.time_offsets.empty()))
        continue;
      plan->clone_flags |= row.flag;
      continue;
    }
    sys::UniqueFd fd = TRY(open_namespace(*ns, row.flag));
    if (row.flag == CLONE_NEWUSER) {
      // Entering the one we are in is refused by the kernel, and needless.
      if (same_namespace(fd.get(), "/proc/self/ns/user")) continue;
      choice.joined_user = true;
      plan->user_namespace_fd = plan->keep_fd(std::move(fd));
    } else if (row.flag == CLONE_NEWPID) {
      plan->pid_namespace_fd = plan->keep_fd(std::move(fd));
    } else {
      Step& step = plan->add(Op::join_namespace);
      step.flags = row.flag;
      step.source = plan->keep(ns->path);
      step.fd = plan->keep_fd(std::move(fd));
    }
  }
  if (!l.time_offsets.empty()) add_time_offsets(l, plan);
  return choice;
}

HookPlan make_hook(const oci::Hook& hook, LaunchPlan* plan) {
  HookPlan h;
  h.path = plan->keep(hook.path);
  auto add = [&](std::vector<char*>& list, const std::string& word) {
    list.push_back(const_cast<char*>(plan->keep(word)));
  };
  if (hook.args.empty()) add(h.argv, hook.path);
  for (const std::string& word : hook.args) add(h.argv, word);
  for (const std::string& word : hook.env) add(h.env, word);
  h.argv.push_back(nullptr);
  h.env.push_back(nullptr);
  if (hook.timeout) h.timeout_ms = *hook.timeout > 2'000'000 ? -1 : *hook.timeout * 1000;
  return h;
}

Status add_hooks(const std::vector<oci::Hook>& hooks, const char* folder, LaunchPlan* plan) {
  if (hooks.empty()) return {};
  std::vector<HookPlan>& list = plan->hooks.emplace_back();
  for (const oci::Hook& hook : hooks) list.push_back(make_hook(hook, plan));
  for (HookPlan& hook : list) hook.folder = folder;
  Step& step = plan->add(Op::hooks);
  step.data = list.data();
  step.count = static_cast<std::uint32_t>(list.size());
  step.flags = folder == nullptr ? 1 : 0;
  return {};
}

Status build_init_plan(const BuildInput& in, LaunchPlan* plan) {
  const CreateRequest& r = in.request;
  const oci::Spec& spec = *r.spec;
  const oci::Linux& l = *spec.linux_;
  plan->old_mount_api = in.host.old_mount_api;
  plan->clone_parent = r.clone_parent;
  plan->proc = plan->keep_fd(TRY(open_procfs()));

  // Steps that join namespaces are held back behind the wait for the id maps.
  NamespaceChoice ns = TRY(build_namespaces(in, plan));
  std::vector<Step> join_steps = std::move(plan->steps);
  plan->steps.clear();
  if (ns.new_user) plan->add(Op::wait_order).flags = kOrderMaps;
  if (ns.new_user || ns.joined_user) plan->add(Op::become_root);
  // Others live in a joined pid namespace, and could trace us before we have dropped what they must
  // not have.
  if (plan->pid_namespace_fd >= 0) plan->add(Op::not_dumpable);
  plan->steps.insert(plan->steps.end(), join_steps.begin(), join_steps.end());

  plan->add(Op::new_session);
  if (!r.no_new_keyring) plan->add(Op::session_keyring).source = plan->keep(concat("_ses.", r.id));
  plan->add(Op::umask).flags = 0;  // modes of nodes and folders are given exactly
  TRY(build_root(in, ns, plan));
  // As Podman does, for programs that read it; before the mounts: /etc may become a folder of the
  // host's.
  if (r.overlay) {
    Step& step = plan->add(Op::symlink);
    step.source = "/proc/mounts";
    step.target = "/etc/mtab";
    step.flags = kLinkMayFail;
  }
  bool outside_hooks =
      spec.hooks && (!spec.hooks->prestart.empty() || !spec.hooks->create_runtime.empty());
  if (outside_hooks) {
    plan->add(Op::report).flags = static_cast<std::uint64_t>(ReportKind::at_hooks);
    plan->add(Op::wait_order).flags = kOrderHooks;
  }
  TRY(build_mounts(in, ns, plan));
  TRY(build_devices(in, ns, plan));
  plan->add(Op::make_folder).target = plan->keep(spec.process->cwd);
  if (spec.hooks) TRY(add_hooks(spec.hooks->create_container, plan->keep(r.bundle), plan));
  build_sysctls(l, plan);
  for (const std::string& path : l.readonly_paths)
    plan->add(Op::readonly).target = plan->keep(path);
  for (const std::string& path : l.masked_paths) plan->add(Op::mask).target = plan->keep(path);
  if (ns.new_network) plan->add(Op::loopback_up);
  if (!spec.hostname.empty()) plan->add(Op::hostname).source = plan->keep(spec.hostname);
  if (!spec.domainname.empty()) plan->add(Op::domainname).source = plan->keep(spec.domainname);
  if (spec.root->readonly) plan->add(Op::root_readonly);
  unsigned long propagation = propagation_flags(l.rootfs_propagation);
  if (r.no_pivot)
    plan->add(Op::change_root);
  else
    plan->add(Op::pivot).flags = (propagation & MS_SHARED) != 0 ? 1 : 0;
  if (propagation != 0) plan->add(Op::root_propagation).flags = propagation;

  ProcessInput process{*spec.process,
                       &l,
                       in.host,
                       ns.new_user || ns.joined_user,
                       r.stdio,
                       &r.preserve_fds,
                       r.die_with_parent,
                       spec.hooks ? &spec.hooks->start_container : nullptr,
                       false,
                       in.warnings,
                       r.notify_socket.empty() ? nullptr : "NOTIFY_SOCKET=/run/notify/notify.sock"};
  return build_process(process, plan);
}

}  // namespace minke::runtime
