#include "monitor/starter.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "monitor/child.h"
#include "monitor/external.h"
#include "monitor/wire.h"
#include "oci/spec.h"
#include "runtime/container.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::monitor {
namespace {

Result<oci::Spec> load_spec(const std::string& bundle) {
  std::string path = concat(bundle, "/spec.json");
  std::string text = TRY(sys::read_small_file(path));
  return TRY_CTX(oci::parse_spec(text), path);
}

Result<runtime::CgroupManager> cgroup_manager(const std::string& name) {
  if (name.empty() || name == "cgroupfs") return runtime::CgroupManager::cgroupfs;
  if (name == "systemd") return runtime::CgroupManager::systemd;
  if (name == "disabled") return runtime::CgroupManager::disabled;
  return Error(Errc::invalid_argument, concat("cgroup manager ", quote(name), " is unknown"));
}

// Waits for the word to go; false when it will never come (the monitor gives up).
Result<bool> wait_for_start(int report) {
  sys::Message message = TRY(receive_sized(report));
  return Unpacker(message.data).verb() == Verb::start;
}

Status report_created(const StarterInput& input, const runtime::ContainerHandle& handle,
                      const std::vector<std::string>& warnings, bool poststop) {
  CreatedMessage message;
  message.state.status = "created";
  message.state.pid = handle.pid;
  message.state.start_time = handle.start_time;
  message.state.cgroup = handle.cgroup;
  message.warnings = warnings;
  message.has_poststop = poststop;
  return sys::send_message(input.report, pack(Verb::created, message));
}

Status start_container(const StarterInput& input) {
  const Plan& plan = *input.plan;
  oci::Spec spec = TRY(load_spec(plan.bundle));
  if (spec.process)
    spec.process->env.insert(spec.process->env.end(), plan.secret_env.begin(),
                             plan.secret_env.end());
  runtime::CreateRequest request;
  request.id = plan.id;
  request.bundle = plan.bundle;
  request.spec = &spec;
  if (!plan.overlay.lower.empty()) request.overlay = plan.overlay;
  request.cgroup_manager = TRY(cgroup_manager(plan.cgroup_manager));
  request.tolerate_missing_cgroup = plan.tolerate_missing_cgroup;
  request.no_new_keyring = plan.no_new_keyring;
  for (int i = 0; i < 3; ++i) request.stdio[i] = input.stdio[i];
  request.console_socket = input.console;
  request.preserve_fds = input.preserve;
  request.root_fd = input.root;
  request.clone_parent = true;
  request.die_with_parent = true;
  request.notify_socket = input.notify_socket;
  runtime::Created created = TRY(runtime::create(request));
  bool poststop = spec.hooks && !spec.hooks->poststop.empty();
  TRY(report_created(input, created.handle, created.warnings, poststop));
  if (!TRY(wait_for_start(input.report))) return {};
  TRY(runtime::start(request, created));
  return sys::send_message(input.report, pack(Verb::started));
}

Status start_exec(const StarterInput& input) {
  const ExecTarget& target = *input.exec;
  oci::Spec spec = TRY(load_spec(target.bundle));
  oci::Process process = TRY(oci::parse_process(target.process_json));
  auto text = sys::read_small_file(concat(target.run_dir, "/state"));
  if (!text) return Error(Errc::conflict, "the container is not running");
  StateRecord state = TRY(json::parse_struct<StateRecord>(*text));
  runtime::ExecRequest request;
  request.init_pid = state.pid;
  request.init_start_time = state.start_time;
  request.spec = &spec;
  request.process = &process;
  request.cgroup = state.cgroup;
  for (int i = 0; i < 3; ++i) request.stdio[i] = input.stdio[i];
  request.console_socket = input.console;
  request.preserve_fds = input.preserve;
  runtime::Execed execed = TRY(runtime::exec(request));
  runtime::ContainerHandle handle;
  handle.pid = execed.pid;
  // It may have ended already; then nobody asks for its start time.
  if (auto ticks = sys::process_start_time(execed.pid)) handle.start_time = *ticks;
  TRY(report_created(input, handle, execed.warnings, false));
  return sys::send_message(input.report, pack(Verb::started));
}

Status start_external(const StarterInput& input) {
  ExternalRequest request;
  request.plan = input.plan;
  for (int i = 0; i < 3; ++i) request.stdio[i] = input.stdio[i];
  request.console = input.console;
  request.preserve = input.preserve;
  runtime::ContainerHandle handle = TRY(create_external(request));
  TRY(report_created(input, handle, {}, true));
  if (!TRY(wait_for_start(input.report))) return {};
  TRY(start_external_container(*input.plan));
  return sys::send_message(input.report, pack(Verb::started));
}

}  // namespace

void run_starter(const StarterInput& input, pid_t monitor) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != monitor) ::_exit(1);  // it died before the line above
  unblock_signals();
  std::vector<int> keep = input.preserve;
  keep.insert(keep.end(), {input.stdio[0], input.stdio[1], input.stdio[2], input.console,
                           input.report, input.root});
  close_all_but(std::move(keep));
  Status status = input.exec != nullptr          ? start_exec(input)
                  : !input.plan->runtime.empty() ? start_external(input)
                                                 : start_container(input);
  if (!status)
    ignore(sys::send_message(input.report, pack_error(status.error())),
           "then the monitor is gone too");
  ::_exit(status ? 0 : 1);
}

void clear_after_failure(const Plan& plan) {
  if (!plan.runtime.empty()) return;
  auto spec = load_spec(plan.bundle);
  auto manager = cgroup_manager(plan.cgroup_manager);
  if (spec && manager) runtime::clear_unrecorded_cgroup(plan.id, *spec, *manager);
}

void destroy_container(const Plan& plan, const StateRecord& state, bool poststop) {
  if (!plan.runtime.empty()) {
    ignore(delete_external(plan), "the end is recorded; the next command clears what is left");
    return;
  }
  runtime::ContainerHandle handle{plan.id, state.pid, state.start_time, state.cgroup};
  if (!poststop) {
    ignore(runtime::destroy(handle, nullptr, plan.bundle), "as above");
    return;
  }
  pid_t child = ::fork();
  if (child == 0) {
    unblock_signals();
    auto spec = load_spec(plan.bundle);
    Status status = runtime::destroy(handle, spec ? &*spec : nullptr, plan.bundle);
    ::_exit(status ? 0 : 1);
  }
  if (child > 0) ignore(sys::wait_pid(child), "as above");
}

}  // namespace minke::monitor
