#include "monitor/client.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/str.h"
#include "monitor/wire.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

constexpr char kGone[] = "the container's monitor ended unexpectedly";

// Waits for `wanted` and unpacks it into `out`; an Error in its place comes back as it is.
template <typename T>
Status expect(int control, Verb wanted, T& out) {
  sys::Message message = TRY_CTX(receive_sized(control), kGone);
  if (message.data.empty()) return Error(Errc::unavailable, kGone);
  Unpacker unpacker(message.data);
  if (unpacker.verb() == Verb::failed) return unpack_error(message.data);
  if (unpacker.verb() != wanted)
    return Error(Errc::corrupt, concat("monitor: message ", static_cast<int>(unpacker.verb()),
                                       " in place of ", static_cast<int>(wanted)));
  unpacker("", out);
  return unpacker.finish();
}

struct MonitorProcess {
  sys::UniqueFd control;
  sys::Pidfd pidfd;
};

Result<MonitorProcess> spawn_monitor(const std::string& path, std::vector<std::string> argv) {
  auto pair = TRY(sys::make_seqpacket_pair());
  sys::SpawnOptions options;
  options.path = path;
  options.argv = std::move(argv);
  for (int& fd : options.stdio) fd = -2;
  options.pass_fds = {pair.second.get()};
  options.new_session = true;
  auto spawned = TRY_CTX(sys::spawn(options), "start the monitor");
  raise_send_buffer(pair.first.get());
  return MonitorProcess{std::move(pair.first), std::move(spawned.pidfd)};
}

}  // namespace

Result<Handle> Handle::launch(const std::string& monitor_path, const std::string& id,
                              const std::string& name) {
  // The words are for those who look at ps.
  MonitorProcess process = TRY(spawn_monitor(monitor_path, {"minke-monitor", id, name}));
  Handle handle;
  handle.control_ = std::move(process.control);
  handle.monitor_ = std::move(process.pidfd);
  return handle;
}

Result<Handle> Handle::spawn(const SpawnRequest& request) {
  Handle handle = TRY(launch(request.monitor_path, request.plan->id, request.plan->name));
  TRY(handle.send(request));
  return handle;
}

Status Handle::send(const SpawnRequest& request) {
  PlanHeader header;
  std::vector<int> fds;
  for (int i = 0; i < 3; ++i) {
    header.has_stdio[i] = request.stdio[i] >= 0;
    if (header.has_stdio[i]) fds.push_back(request.stdio[i]);
  }
  sys::UniqueFd client;
  if (request.attach) {
    auto pair = TRY(sys::make_seqpacket_pair());
    attach_ = std::move(pair.first);
    client = std::move(pair.second);
    header.attach = true;
    header.attach_stdin = request.attach_stdin;
    fds.push_back(client.get());
    winsize size{};
    if (request.plan->terminal && ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
      header.rows = size.ws_row;
      header.columns = size.ws_col;
    }
  }
  header.has_lock = request.lock_fd >= 0;
  if (header.has_lock) fds.push_back(request.lock_fd);
  header.has_root = request.root_fd >= 0;
  if (header.has_root) fds.push_back(request.root_fd);
  Plan sent = *request.plan;
  sent.preserve_fds = static_cast<std::int32_t>(request.preserve_fds.size());
  fds.insert(fds.end(), request.preserve_fds.begin(), request.preserve_fds.end());
  sent.netd.listeners = static_cast<std::int32_t>(request.listeners.size());
  fds.insert(fds.end(), request.listeners.begin(), request.listeners.end());
  if (fds.size() > 60)
    return Error(Errc::unsupported,
                 "more than 56 preserved descriptors and listeners are not supported");
  TRY_CTX(sys::send_message(control_.get(), pack(Verb::plan, header, sent), fds), kGone);
  return {};
}

Result<StateRecord> Handle::wait_created() {
  CreatedMessage created;
  TRY(expect(control_.get(), Verb::created, created));
  warnings_ = std::move(created.warnings);
  return std::move(created.state);
}

Result<StateRecord> Handle::start() {
  TRY_CTX(sys::send_message(control_.get(), pack(Verb::start)), kGone);
  StateRecord state;
  TRY(expect(control_.get(), Verb::started, state));
  return state;
}

Result<ExitRecord> Handle::wait_exit() {
  ExitRecord record;
  TRY(expect(control_.get(), Verb::exited, record));
  // From here the clean-up is the caller's; without this word the monitor would run it.
  ignore(sys::send_message(control_.get(), pack(Verb::claimed)),
         "then the monitor is gone already");
  return record;
}

void Handle::abandon(const StateRecord* created, const Error& why) {
  constexpr int kWaitMs = 10000;
  // The clean-up is the caller's, who holds the lock that another one would wait for.
  ignore(sys::send_message(control_.get(), pack(Verb::claimed)), "then it is gone already");
  ignore(sys::send_message(control_.get(), pack_error(why)), "then it is gone already");
  control_.reset();  // nobody will ever say start
  attach_.reset();   // nor read what it has said
  // One that was to be kept waiting does not mind that.
  if (created != nullptr)
    if (auto init = sys::Pidfd::open(created->pid, created->start_time))
      ignore(init->kill(SIGKILL), "it may end at this moment");
  ignore(monitor_.wait_exit(kWaitMs), "the next clean-up ends it");
}

void Handle::wait_gone() {
  // Its end of the socket closes with the process.
  while (auto message = sys::receive_message(control_.get()))
    if (message->data.empty()) return;
}

Result<ExecStarted> spawn_exec(const std::string& monitor_path, const ExecPlan& plan) {
  MonitorProcess process = TRY(spawn_monitor(
      monitor_path, {"minke-monitor", plan.container_id, concat("exec/", plan.session)}));
  ExecPlan sent = plan;
  std::string process_json = json::dump_struct(plan.process);
  std::string message = pack(Verb::exec_plan, sent.session, sent.container_id, sent.bundle,
                             sent.run_dir, process_json, sent.process.terminal, sent.stdin_open,
                             sent.events, sent.container_name, sent.image_name, sent.labels);
  TRY_CTX(sys::send_message(process.control.get(), message), kGone);
  CreatedMessage created;
  TRY(expect(process.control.get(), Verb::created, created));
  StateRecord state;
  TRY(expect(process.control.get(), Verb::started, state));
  return ExecStarted{state.pid};
}

}  // namespace minke::monitor
