// create, start, destroy: the parent's side of a container's birth and end.
#include "runtime/container.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/build.h"
#include "runtime/cgroup_create.h"
#include "runtime/cgroup_enter.h"
#include "runtime/child.h"
#include "runtime/hooks.h"
#include "runtime/idmap.h"
#include "runtime/keep.h"
#include "runtime/launch.h"
#include "runtime/resctrl.h"
#include "runtime/seccomp.h"
#include "sys/socket.h"

namespace minke::runtime {

void bind(json::Binder& b, OverlayRoot& o) {
  b("lower", o.lower);
  b("upper", o.upper);
  b("work", o.work);
  b("userxattr", o.userxattr);
  b("volatile", o.volatile_);
  b("fuseProgram", o.fuse_program);
}

void bind(json::Binder& b, ContainerHandle& h) {
  b.required("id", h.id);
  b.required("pid", h.pid);
  b("startTime", h.start_time);
  b("cgroup", h.cgroup);
  b("resctrl", h.resctrl);
}

namespace {

constexpr const char* kRlimitNames[] = {
    "CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
    "MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};

oci::State make_state(const oci::Spec& spec, const std::string& id, const std::string& bundle,
                      const char* status, pid_t pid) {
  oci::State state;
  state.oci_version = spec.oci_version;
  state.id = id;
  state.status = status;
  state.bundle = bundle;
  state.pid = pid;
  state.annotations = spec.annotations;
  return state;
}

void warn_clamped(std::uint32_t bits, std::vector<std::string>* warnings) {
  std::string names;
  for (std::size_t i = 0; i < std::size(kRlimitNames); ++i)
    if ((bits >> i & 1) != 0) names += concat(names.empty() ? "" : ", ", kRlimitNames[i]);
  if (!names.empty())
    warnings->push_back(concat("limits above what this host allows were lowered: ", names));
}

// A new user namespace takes the right to raise hard limits away, so they are raised before it is
// entered for good.
void raise_limits(pid_t pid, const oci::Process& process) {
  for (const oci::Rlimit& limit : process.rlimits) {
    auto resource = static_cast<__rlimit_resource>(*oci::rlimit_number(limit.type));
    struct rlimit64 now;
    if (::prlimit64(pid, resource, nullptr, &now) < 0 || now.rlim_max >= limit.hard) continue;
    now.rlim_max = limit.hard;
    // Refused: init lowers the wish and says so.
    if (::prlimit64(pid, resource, &now, nullptr) < 0) continue;
  }
}

Status set_oom_score(pid_t pid, const oci::Process& process, bool tolerant) {
  if (!process.oom_score_adj) return {};
  Status status =
      sys::write_existing(concat("/proc/", pid, "/oom_score_adj"), concat(*process.oom_score_adj));
  if (status) return {};
  if (tolerant && (status.error().sys() == EACCES || status.error().sys() == EPERM)) return {};
  return std::move(status.error()).wrap(concat("set oomScoreAdj to ", *process.oom_score_adj));
}

// Everything between the clone and the report that init waits for start.
class Birth {
 public:
  Birth(const CreateRequest& request, LaunchPlan& plan, const HostFacts& host, Launched& launched,
        std::vector<std::string>* warnings)
      : request_(request),
        spec_(*request.spec),
        plan_(plan),
        host_(host),
        child_(launched),
        warnings_(warnings) {}

  Status run(Cgroup* cgroup) {
    const oci::Linux& l = *spec_.linux_;
    bool new_user = (plan_.clone_flags & 0x10000000 /* CLONE_NEWUSER */) != 0;
    TRY(set_oom_score(child_.pid, *spec_.process, !host_.init_user_namespace || host_.uid != 0));
    if (new_user) {
      raise_limits(child_.pid, *spec_.process);
      TRY(write_id_maps(child_.pid, l.uid_mappings, l.gid_mappings));
      TRY(order(kOrderMaps));
    }
    if (!cgroup->entries().empty() && !plan_.child_enters_cgroup) {
      TRY(enter(cgroup));
      TRY(order(kOrderCgroup));
    }
    if (spec_.hooks && !spec_.hooks->create_container.empty()) TRY(order_state("creating"));
    return wait_ready();
  }

 private:
  Status enter(Cgroup* cgroup) {
    if (request_.cgroup_manager == CgroupManager::systemd) {
      Status status = CgroupBuilder::adopt(request_, child_.pid, cgroup, warnings_);
      if (status || !request_.tolerate_missing_cgroup) return status;
      *cgroup = Cgroup();
      warnings_->push_back(concat("resource limits are not set: ", status.error().message()));
      return {};
    }
    return plan_.cgroup_fd < 0 ? CgroupBuilder::enter(*cgroup, child_.pid) : Status();
  }
  Status order(Order what) {
    Status sent = send_order(child_.socket.get(), what);
    // It died: its last report says why, and is read below.
    if (!sent && sent.error().sys() != EPIPE && sent.error().sys() != ECONNRESET) return sent;
    return {};
  }
  Status order_state(const char* status) {
    std::string text =
        json::dump_struct(make_state(spec_, request_.id, request_.bundle, status, child_.pid));
    if (text.size() >= sizeof(ChildState::state_text))
      return Error(Errc::invalid_argument,
                   "annotations: too long to be given to hooks in the container");
    return send_order(child_.socket.get(), kOrderState, text);
  }

  Status wait_ready() {
    for (;;) {
      std::optional<Report> report = TRY(receive_report(child_.socket.get()));
      if (!report) return Error(Errc::internal, "the container's init died while it was set up");
      switch (report->kind) {
        case ReportKind::failed:
          return report_error(plan_, *report);
        case ReportKind::ready:
          warn_clamped(static_cast<std::uint32_t>(report->err), warnings_);
          return {};
        case ReportKind::at_hooks: {
          std::string state = json::dump_struct(
              make_state(spec_, request_.id, request_.bundle, "creating", child_.pid));
          TRY(run_hooks(spec_.hooks->prestart, "prestart", state, request_.bundle));
          TRY(run_hooks(spec_.hooks->create_runtime, "createRuntime", state, request_.bundle));
          TRY(order(kOrderHooks));
          break;
        }
        case ReportKind::listener:
          return Error(Errc::internal, "the container's init asked for a listener too early");
      }
    }
  }

  const CreateRequest& request_;
  const oci::Spec& spec_;
  LaunchPlan& plan_;
  const HostFacts& host_;
  Launched& child_;
  std::vector<std::string>* warnings_;
};

// The reason of a failed setup that is worth more than ours: what init itself reported before it
// died.
void prefer_child_report(const LaunchPlan& plan, const Launched& child, Status* status) {
  for (;;) {
    struct timeval soon {
      0, 50000
    };
    ::setsockopt(child.socket.get(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    auto report = receive_report(child.socket.get());
    if (!report || !*report) return;
    if ((*report)->kind != ReportKind::failed) continue;
    *status = report_error(plan, **report);
    return;
  }
}

void kill_and_reap(const Launched& child, bool ours) {
  ignore(child.pidfd.kill(SIGKILL), "it may be dead already");
  if (ours)
    ignore(sys::wait_pid(child.pid), "reaping");
  else
    ignore(child.pidfd.wait_exit(5000), "its parent reaps it");
}

Result<sys::UniqueFd> listen_for_start(const std::string& path) {
  return sys::listen_unix(path, SOCK_SEQPACKET, 0600, 4);
}

}  // namespace

namespace {

void run_poststop(const oci::Spec& spec, const std::string& id, const std::string& bundle,
                  std::vector<std::string>* warnings) {
  if (!spec.hooks || spec.hooks->poststop.empty()) return;
  run_poststop_hooks(spec, json::dump_struct(make_state(spec, id, bundle, "stopped", 0)), bundle,
                     warnings);
}

}  // namespace

Result<Created> create(const CreateRequest& request) {
  Created created;
  // What a hook has done for a container that did not come about, a poststop hook takes back.
  Rollback last;
  HostFacts host = TRY(read_host_facts());
  Cgroup cgroup = TRY(CgroupBuilder::create(request, &created.warnings));
  ResctrlGroup resctrl;
  Launched child;
  Rollback rollback;  // before what it takes back goes
  rollback.add([&cgroup]() { ignore(cgroup.remove(), "the first failure is the one to tell"); });
  rollback.add([&resctrl]() {
    if (resctrl.made) remove_resctrl_group(resctrl.path);
  });
  if (const auto& rdt = request.spec->linux_->intel_rdt)
    resctrl = TRY(open_resctrl_group(*rdt, request.id));
  LaunchPlan plan;
  BuildInput input{request, host, cgroup.entries(), &created.warnings};
  TRY(build_init_plan(input, &plan));
  if (!request.start_fifo.empty())
    plan.start_listener =
        plan.keep_fd(TRY_CTX(listen_for_start(request.start_fifo), "start socket"));
  bool by_systemd = request.cgroup_manager == CgroupManager::systemd;
  if (!by_systemd && cgroup.entries().size() == 1 && cgroup.entries()[0].controllers.empty()) {
    // Linux 5.7: born there, never moved.
    if (auto dir = sys::open(cgroup.entries()[0].path, O_RDONLY | O_DIRECTORY))
      plan.cgroup_fd = plan.keep_fd(std::move(*dir));
  }
  TRY(open_cgroup_entry(&plan));
  child = TRY(launch(&plan));
  bool ours = !request.clone_parent;
  rollback.add([&child, ours]() { kill_and_reap(child, ours); });
  if (!resctrl.path.empty())
    TRY_CTX(enter_resctrl_group(resctrl.path, child.pid), "linux.intelRdt");
  last.add([&request]() { run_poststop(*request.spec, request.id, request.bundle, nullptr); });
  Birth birth(request, plan, host, child, &created.warnings);
  Status status = birth.run(&cgroup);
  if (!status) {
    if (status.error().sys() != 0 || status.error().code() == Errc::internal)
      prefer_child_report(plan, child, &status);
    if (status.error().code() == Errc::internal && cgroup.oom_kills().value_or(0) > 0)
      return Error(Errc::unavailable,
                   "the container's init was killed for want of memory while it was set up: its "
                   "memory limit is too low")
          .with_exit(126);
    return std::move(status.error());
  }
  created.handle.id = request.id;
  created.handle.pid = child.pid;
  created.handle.start_time = TRY(sys::process_start_time(child.pid));
  created.handle.cgroup = cgroup.save();
  if (resctrl.made) created.handle.resctrl = resctrl.path;
  rollback.dismiss();
  last.dismiss();
  created.pidfd = std::move(child.pidfd);
  created.start_fd = std::move(child.socket);
  return created;
}

Result<std::string> print_create_plan(const CreateRequest& request) {
  HostFacts host = TRY(read_host_facts());
  Cgroup cgroup = TRY(CgroupBuilder::plan(request));
  std::vector<std::string> warnings;
  LaunchPlan plan;
  BuildInput input{request, host, cgroup.entries(), &warnings};
  TRY(build_init_plan(input, &plan));
  std::string out;
  for (const Cgroup::Entry& entry : cgroup.entries()) out += concat("cgroup ", entry.path, "\n");
  out += print_plan(plan);
  for (const std::string& warning : warnings) out += concat("warning: ", warning, "\n");
  return out;
}

namespace {

// Reads reports until the program runs.
Status wait_running(int socket, const CreateRequest& request, const ContainerHandle& handle) {
  const oci::Spec& spec = *request.spec;
  for (;;) {
    std::optional<Report> report = TRY(receive_report(socket));
    if (!report) return {};
    if (report->kind == ReportKind::failed) return start_error(*report, spec.process->args[0]);
    if (report->kind != ReportKind::listener) continue;
    TRY(hand_over_listener(*spec.linux_->seccomp, handle.pid, report->err,
                           make_state(spec, handle.id, request.bundle, "creating", handle.pid)));
    TRY(send_order(socket, kOrderListener));
  }
}

}  // namespace

Status keep(Created& created) {
  TRY_CTX(send_order(created.start_fd.get(), kOrderKeep), concat("keep ", created.handle.id));
  created.start_fd.reset();
  return {};
}

void clear_unkept(const std::string& start_fifo, const std::string& id, const oci::Spec& spec,
                  CgroupManager manager) {
  // Init alone has that socket open: it hangs up with the end of init.
  if (auto socket = sys::connect_unix(start_fifo, SOCK_SEQPACKET)) {
    struct pollfd hangup {
      socket->get(), 0, 0
    };
    ::poll(&hangup, 1, 5000);  // what still lives then keeps the cgroup
  }
  if (manager != CgroupManager::cgroupfs || !spec.linux_) return;
  CreateRequest request;
  request.id = id;
  request.spec = &spec;
  auto planned = CgroupBuilder::plan(request);
  // A process leaves its cgroup a little later than its files.
  for (int tries = 0; planned && !planned->try_remove() && tries < 20; ++tries) ::usleep(10000);
}

Status start(const CreateRequest& request, Created& created) {
  const oci::Spec& spec = *request.spec;
  sys::UniqueFd socket;
  if (request.start_fifo.empty())
    socket = std::move(created.start_fd);
  else
    socket = TRY_CTX(sys::connect_unix(request.start_fifo, SOCK_SEQPACKET),
                     concat("start ", request.id));
  if (spec.hooks && !spec.hooks->start_container.empty()) {
    std::string state = json::dump_struct(
        make_state(spec, request.id, request.bundle, "created", created.handle.pid));
    TRY(send_order(socket.get(), kOrderState, state));
  }
  Status sent = send_order(socket.get(), kOrderStart);
  if (!sent && sent.error().sys() != EPIPE)
    return std::move(sent.error()).wrap(concat("start ", request.id));
  TRY(wait_running(socket.get(), request, created.handle));
  if (spec.hooks && !spec.hooks->poststart.empty()) {
    std::string state = json::dump_struct(
        make_state(spec, request.id, request.bundle, "running", created.handle.pid));
    Status hooked = run_hooks(spec.hooks->poststart, "poststart", state, request.bundle);
    if (!hooked) {
      // The specification's lifecycle, step 10: it is stopped then.
      if (auto init = sys::Pidfd::open(created.handle.pid, created.handle.start_time))
        ignore(init->kill(SIGKILL), "it may have ended");
      return hooked;
    }
  }
  return {};
}

void clear_unrecorded_cgroup(const std::string& id, const oci::Spec& spec, CgroupManager manager) {
  if (manager != CgroupManager::cgroupfs || !spec.linux_) return;
  CreateRequest request;
  request.id = id;
  request.spec = &spec;
  if (auto planned = CgroupBuilder::plan(request)) planned->try_remove();
}

Status destroy(const ContainerHandle& handle, const oci::Spec* spec, const std::string& bundle,
               std::vector<std::string>* warnings) {
  ErrorList errors;
  auto cgroup = Cgroup::open(handle.cgroup);
  if (!cgroup) {
    errors.add(std::move(cgroup.error()));
  } else if (!cgroup->entries().empty() && !cgroup->try_remove()) {
    ignore(cgroup->kill_all(SIGKILL), "what cannot be killed keeps the cgroup, and that is told");
    errors.add(cgroup->remove());
  }
  if (handle.resctrl.starts_with(kResctrlRoot)) remove_resctrl_group(handle.resctrl);
  if (spec != nullptr) run_poststop(*spec, handle.id, bundle, warnings);
  return std::move(errors).to_status();
}

}  // namespace minke::runtime
