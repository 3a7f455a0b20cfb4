// A further process in a running container.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/build.h"
#include "runtime/cgroup_create.h"
#include "runtime/cgroup_enter.h"
#include "runtime/cgroup_internal.h"
#include "runtime/container.h"
#include "runtime/launch.h"
#include "runtime/resctrl.h"

namespace minke::runtime {
namespace {

struct NamespaceFile {
  const char* name;
  std::uint64_t flag;
};
constexpr NamespaceFile kNamespaces[] = {
    {"user", CLONE_NEWUSER},     {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET},
    {"ipc", CLONE_NEWIPC},       {"uts", CLONE_NEWUTS}, {"mnt", CLONE_NEWNS},
    {"cgroup", CLONE_NEWCGROUP}, {"time", 0x80},
};

// Those that differ from ours: entering one's own user namespace is refused, the others cost time.
Result<std::uint64_t> namespaces_to_join(pid_t pid) {
  std::uint64_t flags = 0;
  for (const NamespaceFile& ns : kNamespaces) {
    struct stat ours, theirs;
    if (::stat(concat("/proc/self/ns/", ns.name).c_str(), &ours) < 0)
      continue;  // not in this kernel
    std::string path = concat("/proc/", pid, "/ns/", ns.name);
    if (::stat(path.c_str(), &theirs) < 0)
      return Error::from_errno(errno, concat("look at ", path));
    if (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev) flags |= ns.flag;
  }
  return flags;
}

// Where a further process of the container belongs on v2: in its cgroup, or, when that has passed
// its controllers on and so takes none (systemd in a container does), beside init further down.
std::string place_on_v2(const std::string& path, pid_t init) {
  auto passed_on = sys::read_small_file(concat(path, "/cgroup.subtree_control"), 4096);
  if (!passed_on || trim(*passed_on).empty()) return path;
  auto text = sys::read_small_file(concat("/proc/", init, "/cgroup"), 65536);
  if (!text) return path;
  for (std::string_view line : split(*text, '\n')) {
    if (!line.starts_with("0::")) continue;
    std::string below = concat(kCgroupRoot, line.substr(3));
    if (below.starts_with(concat(path, "/")) && below.find("/../") == std::string::npos)
      return below;
  }
  return path;
}

}  // namespace

Result<Execed> exec(const ExecRequest& request) {
  Execed out;
  TRY(oci::validate_process(*request.process, "process"));
  HostFacts host = TRY(read_host_facts());
  sys::Pidfd init = TRY_CTX(sys::Pidfd::open(request.init_pid, request.init_start_time),
                            "the container is not running");
  Cgroup cgroup = TRY(Cgroup::open(request.cgroup));

  LaunchPlan plan;
  plan.old_mount_api = host.old_mount_api;
  plan.join_flags = TRY(namespaces_to_join(request.init_pid));
  if (plan.join_flags != 0) plan.join_pidfd = init.get();
  plan.proc = plan.keep_fd(TRY(open_procfs()));
  bool other_user = (plan.join_flags & CLONE_NEWUSER) != 0;
  if (other_user) plan.add(Op::become_root);
  // The namespace's root is the container's own, unless it was made without pivot_root.
  Step& root = plan.add(Op::enter_root_of);
  root.fd = plan.keep_fd(
      TRY_CTX(sys::open(concat("/proc/", request.init_pid, "/root"), O_PATH | O_DIRECTORY),
              "the container's root"));
  plan.add(Op::new_session);
  if (request.process->terminal) {
    if (request.console_socket < 0)
      return Error(Errc::invalid_argument, "process.terminal needs a console socket");
    ConsolePlan& p = plan.consoles.emplace_back();
    p.socket = request.console_socket;
    p.height = static_cast<std::uint16_t>(
        request.process->console_size ? request.process->console_size->height : 0);
    p.width = static_cast<std::uint16_t>(
        request.process->console_size ? request.process->console_size->width : 0);
    p.uid = request.process->user.uid;
    p.console_node = false;
    plan.add(Op::console).data = &p;
  }
  std::vector<Cgroup::Entry> places = cgroup.entries();
  if (!plan_cgroup_entry(places, &plan) && !places.empty()) {
    plan.add(Op::wait_order).flags = kOrderCgroup;
    places[0].path = place_on_v2(places[0].path, request.init_pid);
    if (auto dir = sys::open(places[0].path, O_RDONLY | O_DIRECTORY))
      plan.between_cgroup_fd = plan.keep_fd(std::move(*dir));
  }
  const oci::Linux* l =
      request.spec != nullptr && request.spec->linux_ ? &*request.spec->linux_ : nullptr;
  ProcessInput input{
      *request.process,        l,       host, other_user,    request.stdio, &request.preserve_fds,
      request.die_with_parent, nullptr, true, &out.warnings, nullptr};
  TRY(build_process(input, &plan));
  TRY(open_cgroup_entry(&plan));
  Launched child = TRY(launch(&plan));
  Rollback rollback;
  rollback.add([&child]() {
    ignore(child.pidfd.kill(SIGKILL), "it may be dead already");
    ignore(sys::wait_pid(child.pid), "reaping");
  });
  if (!places.empty() && !plan.child_enters_cgroup) {
    // From outside: once in the container's cgroup namespace the kernel lets nobody in from
    // elsewhere (ENOENT with nsdelegate, as systemd mounts v2).
    Status entered = child.in_cgroup
                         ? Status()
                         : CgroupBuilder::enter(CgroupBuilder::make(places, ""), child.pid);
    // An ordinary user may not cross from a login's scope into his own manager's tree.
    bool refused = !entered && (entered.error().sys() == EACCES || entered.error().sys() == EPERM);
    if (refused && (host.uid != 0 || !host.init_user_namespace))
      out.warnings.push_back(entered.error().message());
    else
      TRY(std::move(entered));
    ignore(send_order(child.socket.get(), kOrderCgroup), "a dead child has left its reason");
  }
  if (l != nullptr && l->intel_rdt) {
    std::string group = resctrl_group_of(request.init_pid);
    if (!group.empty()) TRY_CTX(enter_resctrl_group(group, child.pid), "linux.intelRdt");
  }
  ignore(send_order(child.socket.get(), kOrderStart), "a dead child has left its reason");
  for (;;) {
    std::optional<Report> report = TRY(receive_report(child.socket.get()));
    if (!report) break;
    if (report->kind == ReportKind::failed) return report_error(plan, *report);
    if (report->kind == ReportKind::ready) continue;
  }
  rollback.dismiss();
  out.pid = child.pid;
  out.pidfd = std::move(child.pidfd);
  return out;
}

}  // namespace minke::runtime
