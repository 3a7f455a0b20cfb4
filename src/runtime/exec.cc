// A further process in a running container.
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/build.h"
#include "runtime/cgroup_create.h"
#include "runtime/cgroup_enter.h"
#include "runtime/container.h"
#include "runtime/launch.h"

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
  if (!plan_cgroup_entry(cgroup.entries(), &plan) && !cgroup.entries().empty())
    plan.add(Op::wait_order).flags = kOrderCgroup;
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
  if (!cgroup.entries().empty() && !plan.child_enters_cgroup) {
    // From outside, and not by CLONE_INTO_CGROUP: once in the container's cgroup namespace the
    // kernel lets nobody in from elsewhere (ENOENT with nsdelegate, as systemd mounts v2).
    Status entered = CgroupBuilder::enter(cgroup, child.pid);
    // An ordinary user may not cross from a login's scope into his own manager's tree.
    bool refused = !entered && (entered.error().sys() == EACCES || entered.error().sys() == EPERM);
    if (refused && (host.uid != 0 || !host.init_user_namespace))
      out.warnings.push_back(entered.error().message());
    else
      TRY(std::move(entered));
    ignore(send_order(child.socket.get(), kOrderCgroup), "a dead child has left its reason");
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
