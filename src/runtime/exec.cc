// A further process in a running container.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

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

// Descriptors from here on are never among those that a process is given.
constexpr int kStreamsFrom = 40;

}  // namespace

// All of an exec but the clone.
struct ExecPlan {
  LaunchPlan launch;
  HostFacts host;
  sys::Pidfd init;
  pid_t init_pid = -1;
  Cgroup cgroup;
  std::vector<Cgroup::Entry> places;
  bool has_resctrl = false;
  std::size_t root_step = 0;
  // Numbers that stand for the standard streams in the plan; run() puts them there.
  sys::UniqueFd streams[3];
  std::vector<std::string> warnings;
};

namespace {

void plan_console(const ExecRequest& request, LaunchPlan* plan) {
  const oci::Process& process = *request.process;
  ConsolePlan& p = plan->consoles.emplace_back();
  p.socket = request.console_socket;
  if (process.console_size) {
    p.height = static_cast<std::uint16_t>(process.console_size->height);
    p.width = static_cast<std::uint16_t>(process.console_size->width);
  }
  p.uid = process.user.uid;
  p.console_node = false;
  plan->add(Op::console).data = &p;
}

Status plan_exec(const ExecRequest& request, const int* stdio, ExecPlan* exec) {
  TRY(oci::validate_process(*request.process, "process"));
  exec->host = TRY(read_host_facts());
  exec->init_pid = request.init_pid;
  exec->init = TRY_CTX(sys::Pidfd::open(request.init_pid, request.init_start_time),
                       "the container is not running");
  exec->cgroup = TRY(Cgroup::open(request.cgroup));

  LaunchPlan& plan = exec->launch;
  plan.old_mount_api = exec->host.old_mount_api;
  plan.join_flags = TRY(namespaces_to_join(request.init_pid));
  if (plan.join_flags != 0) plan.join_pidfd = exec->init.get();
  plan.proc = plan.keep_fd(TRY(open_procfs()));
  bool other_user = (plan.join_flags & CLONE_NEWUSER) != 0;
  if (other_user) plan.add(Op::become_root);
  // The namespace's root is the container's own, unless it was made without pivot_root.
  exec->root_step = plan.steps.size();
  plan.add(Op::enter_root_of);
  plan.add(Op::new_session);
  if (request.process->terminal) {
    if (request.console_socket < 0)
      return Error(Errc::invalid_argument, "process.terminal needs a console socket");
    plan_console(request, &plan);
  }
  exec->places = exec->cgroup.entries();
  if (!plan_cgroup_entry(exec->places, &plan) && !exec->places.empty())
    plan.add(Op::wait_order).flags = kOrderCgroup;
  const oci::Linux* l =
      request.spec != nullptr && request.spec->linux_ ? &*request.spec->linux_ : nullptr;
  exec->has_resctrl = l != nullptr && l->intel_rdt.has_value();
  ProcessInput input{
      *request.process,        l,       exec->host, other_user,      stdio,  &request.preserve_fds,
      request.die_with_parent, nullptr, true,       &exec->warnings, nullptr};
  TRY(build_process(input, &plan));
  return open_cgroup_entry(&plan);
}

// What may be another one at each run: where the container's processes belong, and the root, which
// nobody holds in between.
Status open_places(ExecPlan* exec, sys::UniqueFd* root, sys::UniqueFd* cgroup) {
  LaunchPlan& plan = exec->launch;
  *root = TRY_CTX(sys::open(concat("/proc/", exec->init_pid, "/root"), O_PATH | O_DIRECTORY),
                  "the container's root");
  plan.steps[exec->root_step].fd = root->get();
  plan.between_cgroup_fd = -1;
  if (plan.child_enters_cgroup || exec->places.empty()) return {};
  exec->places[0].path = place_on_v2(exec->places[0].path, exec->init_pid);
  if (auto dir = sys::open(exec->places[0].path, O_RDONLY | O_DIRECTORY)) *cgroup = std::move(*dir);
  plan.between_cgroup_fd = cgroup->get();
  return {};
}

// Up to the order to start: the child is in its place.
Result<Launched> begin_exec(ExecPlan* exec, std::vector<std::string>* warnings) {
  LaunchPlan& plan = exec->launch;
  sys::UniqueFd root, cgroup;
  TRY(open_places(exec, &root, &cgroup));
  Launched child = TRY(launch(&plan));
  Rollback rollback;
  rollback.add([&child]() {
    ignore(child.pidfd.kill(SIGKILL), "it may be dead already");
    ignore(sys::wait_pid(child.pid), "reaping");
  });
  if (!exec->places.empty() && !plan.child_enters_cgroup) {
    // From outside: once in the container's cgroup namespace the kernel lets nobody in from
    // elsewhere (ENOENT with nsdelegate, as systemd mounts v2).
    Status entered = child.in_cgroup
                         ? Status()
                         : CgroupBuilder::enter(CgroupBuilder::make(exec->places, ""), child.pid);
    // An ordinary user may not cross from a login's scope into his own manager's tree.
    bool refused = !entered && (entered.error().sys() == EACCES || entered.error().sys() == EPERM);
    if (refused && (exec->host.uid != 0 || !exec->host.init_user_namespace))
      warnings->push_back(entered.error().message());
    else
      TRY(std::move(entered));
    ignore(send_order(child.socket.get(), kOrderCgroup), "a dead child has left its reason");
  }
  if (exec->has_resctrl) {
    std::string group = resctrl_group_of(exec->init_pid);
    if (!group.empty()) TRY_CTX(enter_resctrl_group(group, child.pid), "linux.intelRdt");
  }
  ignore(send_order(child.socket.get(), kOrderStart), "a dead child has left its reason");
  rollback.dismiss();
  return child;
}

// One report: true when the program runs.
Result<bool> take_report(const ExecPlan& exec, int socket) {
  std::optional<Report> report = TRY(receive_report(socket));
  if (!report) return true;
  if (report->kind == ReportKind::failed) return report_error(exec.launch, *report);
  return false;
}

Result<Execed> run_exec(ExecPlan* exec) {
  Execed out;
  out.warnings = exec->warnings;
  Launched child = TRY(begin_exec(exec, &out.warnings));
  for (;;) {
    auto running = take_report(*exec, child.socket.get());
    if (!running) {
      ignore(child.pidfd.kill(SIGKILL), "it may be dead already");
      ignore(sys::wait_pid(child.pid), "reaping");
      return std::move(running.error());
    }
    if (*running) break;
  }
  out.pid = child.pid;
  out.pidfd = std::move(child.pidfd);
  return out;
}

// Puts `stdio` where the plan looks for it, for the time of one launch.
class LentStreams {
 public:
  static Result<LentStreams> lend(const ExecPlan& exec, const int (&stdio)[3]) {
    for (int i = 0; i < 3; ++i)
      if (::dup3(stdio[i], exec.streams[i].get(), O_CLOEXEC) < 0)
        return Error::from_errno(errno, "the standard streams of a prepared process");
    return LentStreams(exec);
  }
  LentStreams(LentStreams&& o) noexcept : exec_(std::exchange(o.exec_, nullptr)) {}
  LentStreams& operator=(LentStreams&&) = delete;
  ~LentStreams() {
    if (exec_ == nullptr) return;
    for (const sys::UniqueFd& stream : exec_->streams)
      ::dup3(exec_->launch.proc, stream.get(), O_CLOEXEC);
  }

 private:
  explicit LentStreams(const ExecPlan& exec) : exec_(&exec) {}
  const ExecPlan* exec_;
};

}  // namespace

Result<Execed> exec(const ExecRequest& request) {
  ExecPlan plan;
  TRY(plan_exec(request, request.stdio, &plan));
  return run_exec(&plan);
}

PreparedExec::PreparedExec(std::unique_ptr<ExecPlan> plan) : plan_(std::move(plan)) {}
PreparedExec::PreparedExec(PreparedExec&&) noexcept = default;
PreparedExec& PreparedExec::operator=(PreparedExec&&) noexcept = default;
PreparedExec::~PreparedExec() = default;

Result<PreparedExec> PreparedExec::make(const ExecRequest& request) {
  auto plan = std::make_unique<ExecPlan>();
  int stdio[3];
  sys::UniqueFd null = TRY(sys::open("/dev/null", O_RDWR));
  for (int i = 0; i < 3; ++i) {
    // Above all that a process is given, so that the plan names them as they are.
    plan->streams[i].reset(::fcntl(null.get(), F_DUPFD_CLOEXEC, kStreamsFrom));
    if (!plan->streams[i]) return Error::from_errno(errno, "descriptors for a prepared process");
    stdio[i] = plan->streams[i].get();
  }
  TRY(plan_exec(request, stdio, plan.get()));
  return PreparedExec(std::move(plan));
}

Result<Execed> PreparedExec::run(const int (&stdio)[3]) const {
  LentStreams lent = TRY(LentStreams::lend(*plan_, stdio));
  return run_exec(plan_.get());
}

Result<PreparedExec::Begun> PreparedExec::begin(const int (&stdio)[3]) const {
  LentStreams lent = TRY(LentStreams::lend(*plan_, stdio));
  std::vector<std::string> warnings;
  Launched child = TRY(begin_exec(plan_.get(), &warnings));
  return Begun{child.pid, std::move(child.socket)};
}

Result<bool> PreparedExec::is_running(const Begun& begun) const {
  return take_report(*plan_, begun.reports.get());
}

bool PreparedExec::is_frozen() const {
  auto frozen = plan_->cgroup.frozen();
  return frozen && *frozen;
}

}  // namespace minke::runtime
