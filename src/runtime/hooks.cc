#include "runtime/hooks.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "runtime/build.h"
#include "runtime/child.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::runtime {

namespace {

Status run_hook(const oci::Hook& hook, std::string_view kind, const std::string& state,
                const std::string& bundle) {
  LaunchPlan owner;
  HookPlan plan = make_hook(hook, &owner);
  if (!bundle.empty()) plan.folder = bundle.c_str();
  Call call = Call::itself;
  int status = 0;
  if (child_run_hook(plan, state.data(), state.size(), &call, &status) == 0) return {};
  int err = errno;
  std::string what = concat(kind, " hook ", hook.path);
  if (call == Call::hook_timeout)
    return Error(Errc::timeout,
                 concat(what, ": ran longer than its timeout of ", *hook.timeout, " s"));
  if (call == Call::hook_status)
    return Error(Errc::io,
                 concat(what, WIFSIGNALED(status) ? ": killed by " : ": ended with status ",
                        WIFSIGNALED(status) ? sys::signal_name(WTERMSIG(status))
                                            : concat(WEXITSTATUS(status))));
  return Error::from_errno(err, what);
}

}  // namespace

Status run_hooks(const std::vector<oci::Hook>& hooks, std::string_view kind,
                 const std::string& state, const std::string& bundle) {
  for (const oci::Hook& hook : hooks) TRY(run_hook(hook, kind, state, bundle));
  return {};
}

void run_poststop_hooks(const oci::Spec& spec, const std::string& state, const std::string& bundle,
                        std::vector<std::string>* warnings) {
  if (!spec.hooks) return;
  for (const oci::Hook& hook : spec.hooks->poststop) {
    Status status = run_hook(hook, "poststop", state, bundle);
    if (!status && warnings != nullptr) warnings->push_back(status.error().message());
  }
}

namespace {

struct ProcessState {  // config-linux.md
  std::string oci_version, metadata;
  std::int32_t pid = 0;
  oci::State state;
};
void bind(json::Binder& b, ProcessState& s) {
  std::vector<std::string> fds = {"seccompFd"};
  b("ociVersion", s.oci_version);
  b("fds", fds);
  b("pid", s.pid);
  b("metadata", s.metadata);
  b("state", s.state);
}

}  // namespace

Status hand_over_listener(const oci::Seccomp& profile, pid_t pid, int number,
                          const oci::State& state) {
  sys::Pidfd process = TRY(sys::Pidfd::open(pid));
  sys::UniqueFd listener;
  std::int64_t deadline = monotonic_ns() + 10 * kSecond;
  while (!listener) {
    listener =
        sys::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (listener) break;
    if (errno != EBADF || monotonic_ns() > deadline)
      return Error::from_errno(errno, "seccomp: take over the notify descriptor");
    struct timespec t {
      0, 200000
    };
    ::nanosleep(&t, nullptr);
  }
  std::string link =
      TRY(sys::read_link_at(sys::DirFd::cwd(), concat("/proc/self/fd/", listener.get()).c_str()));
  if (link != "anon_inode:seccomp notify")
    return Error(Errc::internal,
                 "seccomp: the descriptor of the container's init is no notify descriptor");
  sys::UniqueFd agent =
      TRY_CTX(sys::connect_unix(profile.listener_path, SOCK_STREAM), "seccomp listenerPath");
  ProcessState message{state.oci_version, profile.listener_metadata, pid, state};
  return sys::send_message(agent.get(), json::dump_struct(message), {listener.get()});
}

}  // namespace minke::runtime
