#include "monitor/monitor.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "base/str.h"
#include "monitor/child.h"
#include "monitor/client.h"
#include "monitor/monitor_internal.h"
#include "monitor/notify.h"
#include "monitor/restart.h"
#include "monitor/settle.h"
#include "monitor/starter.h"
#include "sys/life_lock.h"
#include "sys/process.h"

namespace minke::monitor {
namespace {

// How long attached clients may take to read the rest after the end.
constexpr std::int64_t kLastReadMs = 10'000;
constexpr std::int32_t kTimedOutCode = 255;  // Podman's, of conmon's -1

}  // namespace

Status Monitor::set_up() {
  // SIGPIPE only has to be harmless; the others are read from the descriptor.
  signals_ = TRY(
      sys::make_signalfd({SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}));
  TRY(read_plan());
  alive_ = TRY(sys::lock_for_life(concat(plan_.bundle, "/monitor"), 10'000));
  ContainerEnds theirs;
  TRY(open_streams(&theirs));
  TRY(start_starter(std::move(theirs)));
  // All below happens while the starter is at work.
  TRY(loop_->add(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); }));
  TRY(loop_->add(control_.get(), EPOLLIN, [this](std::uint32_t) { on_control(); }));
  TRY(loop_->add(starter_.get(), EPOLLIN, [this](std::uint32_t) { on_starter(); }));
  if (console_) TRY(loop_->add(console_.get(), EPOLLIN, [this](std::uint32_t) { on_console(); }));
  if (notify_) TRY(loop_->add(notify_.get(), EPOLLIN, [this](std::uint32_t) { on_notify(); }));
  std::string socket = concat(plan_.run_dir, "/attach");
  ::unlink(socket.c_str());  // of a run that was killed
  TRY(hub_.listen(socket));
  if (plan_.keep_created) hub_.on_start = [this] { let_start(); };
  if (!exec_) hub_.on_replan = [this](std::string_view payload) { return replan(payload); };
  checks_.on_result = [this](const HealthResult& result) { act_on_health(result); };
  std::string exit = concat(plan_.bundle, "/exit");
  if (::unlink(exit.c_str()) < 0 && errno != ENOENT)
    return Error::from_errno(errno, concat("remove ", exit));
  state_.monitor_pid = ::getpid();
  if (auto ticks = sys::process_start_time(state_.monitor_pid)) state_.monitor_start_time = *ticks;
  if (!plan_.monitor_pid_file.empty())
    TRY(sys::write_file(plan_.monitor_pid_file, concat(state_.monitor_pid), 0644));
  return {};
}

Status Monitor::read_plan() {
  sys::Message message = TRY(receive_sized(control_.get()));
  Unpacker unpacker(message.data);
  PlanHeader header;
  if (unpacker.verb() == Verb::plan) {
    unpacker("header", header);
    unpacker("plan", plan_);
  } else if (unpacker.verb() == Verb::exec_plan) {
    exec_.emplace();
    std::string session;
    unpacker("session", session);
    unpacker("id", plan_.id);
    unpacker("bundle", exec_->bundle);
    unpacker("run_dir", exec_->run_dir);
    unpacker("process", exec_->process_json);
    unpacker("terminal", plan_.terminal);
    unpacker("stdin", plan_.stdin_open);
    unpacker("events", plan_.events);
    unpacker("name", plan_.name);
    unpacker("image_name", plan_.image_name);
    unpacker("labels", plan_.labels);
    plan_.run_dir = plan_.bundle = concat(exec_->run_dir, "/exec/", session);
    plan_.log.driver = "none";
    may_start_ = true;
    TRY(sys::ensure_dirs(plan_.run_dir, 0700));
  } else {
    return Error(Errc::corrupt, "monitor: the first message is no plan");
  }
  TRY(unpacker.finish());

  std::size_t next = 0;
  auto take = [&]() -> sys::UniqueFd {
    return next < message.fds.size() ? std::move(message.fds[next++]) : sys::UniqueFd();
  };
  for (int i = 0; i < 3; ++i)
    if (header.has_stdio[i]) passthrough_[i] = take();
  sys::UniqueFd client;
  if (header.attach) client = take();
  attached_from_start_ = header.attach;
  if (header.has_lock) lock_ = take();
  if (header.has_root) root_ = take();
  for (std::int32_t i = 0; i < plan_.preserve_fds; ++i) {
    passed_.push_back(take());
    if (!passed_.back())
      return Error(Errc::corrupt, "monitor: descriptors are missing from the plan");
  }
  for (std::int32_t i = 0; i < plan_.netd.listeners; ++i) {
    listeners_.push_back(take());
    if (!listeners_.back())
      return Error(Errc::corrupt, "monitor: descriptors are missing from the plan");
  }
  hub_.set_size(header.rows, header.columns);
  if (client) TRY(hub_.add_client(std::move(client), true, header.attach_stdin));
  return {};
}

// Pipes or the way for a terminal's master, and the log.
Status Monitor::open_streams(ContainerEnds* theirs) {
  hub_.set_log(TRY(LogWriter::open(plan_)));
  hub_.set_stdin_once(plan_.stdin_once);
  if (plan_.sdnotify != "ignore" && !plan_.sdnotify.empty()) {
    const char* socket = ::getenv("NOTIFY_SOCKET");
    if (socket != nullptr) host_notify_ = socket;
    if (plan_.sdnotify == "container" && !host_notify_.empty())
      notify_ = TRY(listen_notify(concat(plan_.run_dir, "/notify")));
    else if (plan_.sdnotify != "container" && plan_.sdnotify != "conmon" &&
             plan_.sdnotify != "healthy")
      return Error(Errc::unsupported,
                   concat("sdnotify mode ", quote(plan_.sdnotify), " is not supported"));
  }
  ::unsetenv("NOTIFY_SOCKET");
  if (plan_.terminal) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
      return Error::from_errno(errno, "socketpair");
    console_.reset(pair[0]);
    theirs->console.reset(pair[1]);
    return {};
  }
  if (plan_.log.driver.starts_with("passthrough")) {
    for (int i = 0; i < 3; ++i) theirs->stdio[i] = std::move(passthrough_[i]);
    for (sys::UniqueFd& fd : theirs->stdio)
      if (!fd) fd = TRY(sys::open("/dev/null", O_RDWR));
    return hub_.set_pipes({}, {}, {});
  }
  auto out = TRY(sys::make_pipe());
  auto err = TRY(sys::make_pipe());
  sys::UniqueFd in;
  if (plan_.stdin_open) {
    auto pipe = TRY(sys::make_pipe());
    theirs->stdio[0] = std::move(pipe.first);
    in = std::move(pipe.second);
  } else {
    theirs->stdio[0] = TRY(sys::open("/dev/null", O_RDONLY));
  }
  theirs->stdio[1] = std::move(out.second);
  theirs->stdio[2] = std::move(err.second);
  return hub_.set_pipes(std::move(in), std::move(out.first), std::move(err.first));
}

Status Monitor::start_starter(ContainerEnds theirs) {
  auto pair = TRY(sys::make_seqpacket_pair());
  starter_ = std::move(pair.first);
  // An external runtime's `create`, and a starter that runs an exec session, leave their child
  // behind them.
  if (!plan_.runtime.empty() || exec_) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t self = ::getpid();
  starter_pid_ = ::fork();
  if (starter_pid_ < 0) return Error::from_errno(errno, "fork");
  if (starter_pid_ == 0) {
    StarterInput input;
    input.plan = &plan_;
    input.exec = exec_ ? &*exec_ : nullptr;
    for (int i = 0; i < 3; ++i)  // with a terminal ours stand for them until it is there: /dev/null
      if (theirs.stdio[i]) input.stdio[i] = theirs.stdio[i].get();
    input.console = theirs.console.get();
    for (const sys::UniqueFd& fd : passed_) input.preserve.push_back(fd.get());
    input.report = pair.second.get();
    input.root = root_.get();
    if (notify_) input.notify_socket = concat(plan_.run_dir, "/notify");
    run_starter(input, self);
  }
  passed_.clear();
  root_.reset();
  return {};
}

void Monitor::tell(const std::string& message) {
  if (control_)
    ignore(sys::send_message(control_.get(), message), "the engine went away: on_control sees it");
}

void Monitor::write_state(const char* status) {
  state_.status = status;
  ignore(
      sys::write_file(concat(plan_.run_dir, "/state"), json::dump_struct(state_), 0600),
      "without it the container counts as not running, and the engine is told the same directly");
}

void Monitor::on_signal() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGCHLD) reap();
    if (info.ssi_signo == SIGTERM && created_ && !init_status_) ::kill(state_.pid, SIGTERM);
    if (ended_) return;
  }
}

void Monitor::reap() {
  int status;
  pid_t pid;
  bool starter_ended = false;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == starter_pid_)
      starter_pid_ = -1, starter_ended = true;
    else if (created_ && pid == state_.pid)
      init_status_ = status, checks_.end();
    else if (!checks_.reaped(pid, status) && !created_)
      early_.emplace_back(pid, status);
  }
  // Its socket alone would not tell: an init that it cloned holds a copy until it execs.
  if (starter_ended && starter_) {
    ::shutdown(starter_.get(), SHUT_RD);
    while (starter_ && !ended_) on_starter();
  }
  maybe_end();
}

void Monitor::on_control() {
  auto message = receive_sized(control_.get());
  if (message && !message->data.empty()) {
    switch (Unpacker(message->data).verb()) {
      case Verb::start:
        return let_start();
      case Verb::claimed:
        claimed_ = true;
        if (told_) leave();
        return;
      case Verb::failed:
        return start_failed(unpack_error(message->data));
      case Verb::plan:
      case Verb::exec_plan:
      case Verb::created:
      case Verb::started:
      case Verb::exited:
        return;
    }
    return;
  }
  loop_->remove(control_.get());
  control_.reset();
  if (told_) return leave();
  if (plan_.tied && started_ && !init_status_) ::kill(state_.pid, SIGKILL);
  // Nobody will ever say start.
  if (!may_start_ && !killed_ && !(plan_.keep_created && created_))
    start_failed(Error(Errc::unavailable, "the command that started it went away"));
}

void Monitor::let_start() {
  may_start_ = true;
  if (created_ && !started_ && starter_)
    ignore(sys::send_message(starter_.get(), pack(Verb::start)), "its end is seen by on_starter");
}

void Monitor::on_console() {
  auto message = sys::receive_message(console_.get(), 4096);
  loop_->remove(console_.get());
  console_.reset();
  if (!message || message->fds.empty()) return;  // the starter says why
  Status set = hub_.set_terminal(std::move(message->fds[0]));
  if (!set) start_failed(std::move(set.error()));
}

void Monitor::on_starter() {
  auto message = receive_sized(starter_.get());
  if (!message || message->data.empty()) {
    loop_->remove(starter_.get());
    starter_.reset();
    if (!started_ && !failure_)
      start_failed(Error(Errc::internal, "the starter of the container was killed"));
    maybe_end();
    return;
  }
  Unpacker unpacker(message->data);
  if (unpacker.verb() == Verb::created) {
    CreatedMessage created;
    unpacker("", created);
    on_created(std::move(created));
  } else if (unpacker.verb() == Verb::started) {
    on_started();
  } else if (unpacker.verb() == Verb::failed) {
    start_failed(unpack_error(message->data));
  }
}

void Monitor::on_created(CreatedMessage message) {
  if (failure_) return;
  if (console_) on_console();  // sent before the report: it is there
  message.state.monitor_pid = state_.monitor_pid;
  message.state.monitor_start_time = state_.monitor_start_time;
  state_ = message.state;
  poststop_ = message.has_poststop;
  created_ = true;
  for (const auto& [pid, status] : early_)
    if (pid == state_.pid) init_status_ = status;
  early_.clear();
  if (!exec_) memory_.watch(*loop_, state_.cgroup);
  write_state("created");
  if (plan_.keep_created) lock_.reset();
  if (!plan_.pid_file.empty())
    ignore(sys::write_file(plan_.pid_file, concat(state_.pid), 0644),
           "the state names the pid too");
  message.state.status = "created";
  tell(pack(Verb::created, message));
  if (may_start_ && !exec_)
    ignore(sys::send_message(starter_.get(), pack(Verb::start)), "its end is seen by on_starter");
}

void Monitor::note(const char* status, std::optional<int> exit_code) {
  Event event;
  event.type = "container";
  event.status = status;
  event.id = plan_.id;
  event.name = plan_.name;
  event.image = plan_.image_name;
  event.attributes = plan_.labels;
  event.has_exit_code = exit_code.has_value();
  event.exit_code = exit_code.value_or(0);
  ignore(record_event(plan_.events, event), "nobody to tell; the container goes on");
}

// Before anybody is told of the end: who hears of it finds the wait recorded.
void Monitor::restart_if_wanted(const ExitRecord& record) {
  if (exec_ || failure_ || plan_.restart.command.empty()) return;
  bool stopped = sys::exists(plan_.bundle + "/stopped");
  if (!(wants_restart_ && !stopped) && !policy_restarts(plan_.restart, record.exit_code, stopped))
    return;
  restarts_ =
      schedule_restart(plan_, record.finished_at - record.started_at, netd_.listeners()).ok();
}

void Monitor::on_started() {
  started_ = true;
  state_.started_at = now();
  write_state("running");
  // Who waited to start it has done that: it is nobody's to wait for any more.
  if (!exec_ && plan_.restart.count > 0)
    ignore(save_restart(plan_.run_dir, {plan_.restart.count, plan_.restart.delay_ms, -1, 0}),
           "its process ends by itself");
  lock_.reset();
  // Noted here, where what follows it is noted too: the order is the true one.
  note(exec_ ? "exec" : "start");
  if (attached_from_start_) note("attach");
  tell(pack(Verb::started, state_));
  hub_.started({});
  if (!host_notify_.empty()) {
    std::string text = concat("MAINPID=", state_.monitor_pid);
    if (plan_.sdnotify == "conmon") text += "\nREADY=1";
    ignore(notify_manager(host_notify_, text), "no service manager listens");
  }
  sys::UniqueFd within;
  // The last one is what its network's helper program lives by: nobody else's.
  if (sys::exists(plan_.run_dir + "/helper") && !listeners_.empty()) {
    helper_life_ = std::move(listeners_.back());
    listeners_.pop_back();
    within.reset(::open(concat("/proc/", state_.pid, "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  }
  netd_.start(plan_.netd, plan_.id, std::move(listeners_), std::move(within));
  if (plan_.timeout > 0)
    loop_->add_timer(plan_.timeout * 1000, [this] {
      if (init_status_) return;
      timed_out_ = true;
      ::kill(state_.pid, SIGKILL);
    });
  if (!exec_ && !init_status_) checks_.begin(state_);
  settle_memory_soon(*loop_);
  maybe_end();
}

void Monitor::start_failed(Error error) {
  if (failure_) return;
  failure_ = std::move(error);
  killed_ = true;
  // Ends the starter (it waits for a word, or dies of the signal) and init, whose pid may not be
  // known yet.
  kill_children();
  maybe_end();
}

void Monitor::kill_children() {
  auto list = sys::read_small_file(concat("/proc/self/task/", ::getpid(), "/children"));
  if (list) {
    for (std::string_view word : split(trim(*list), ' '))
      if (auto pid = parse_int(word); pid && *pid > 0) ::kill(static_cast<pid_t>(*pid), SIGKILL);
    return;
  }
  if (starter_pid_ > 0) ::kill(starter_pid_, SIGKILL);
  if (created_) ::kill(state_.pid, SIGKILL);
}

void Monitor::maybe_end() {
  if (ended_) return;
  if (failure_) {
    // A child that the starter cloned just before it died may have appeared after the list was
    // read.
    if (starter_pid_ > 0) return;
    kill_children();
    pid_t pid;
    do {
      pid = ::waitpid(-1, nullptr, WNOHANG);
    } while (pid > 0);
    if (pid < 0 && errno == ECHILD) end();
    return;
  }
  // One that was only made may be killed while it waits; the starter waits with it.
  bool ended_waiting = plan_.keep_created && created_ && !may_start_ && init_status_;
  if (ended_waiting) kill_children();
  if ((started_ || ended_waiting) && init_status_) end();
}

void Monitor::end() {
  ended_ = true;
  ExitRecord record;
  record.started_at = state_.started_at;
  record.finished_at = now();
  record.timed_out = timed_out_;
  if (failure_) {
    record.error = failure_->message();
    record.exit_code = failure_->exit_code() != 0 ? failure_->exit_code() : 125;
  } else {
    record.exit_code = timed_out_ ? kTimedOutCode : sys::exit_code_of(*init_status_);
  }
  if (created_ && !exec_) record.oom_killed = memory_.killed(state_.cgroup, init_status_);
  hub_.on_progress = [this] {
    if (hub_.drained() && told_) leave();
  };
  // The record is there before the one who asked for the start learns of its failure.
  ignore(sys::write_file(concat(plan_.bundle, "/exit"), json::dump_struct(record), 0600),
         "then the engine learns it from the message below, or records an unknown end");
  restart_if_wanted(record);
  if (record.oom_killed) note("oom");
  if (started_) note(exec_ ? "exec_died" : "died", record.exit_code);
  if (failure_) hub_.started(Error(failure_->code(), std::string(failure_->message())));
  hub_.finish();
  // Told first: the engine tidies the files while the cgroup goes here, and waits for our end
  // (wait_gone). Another runtime keeps its own state in the folder that the engine removes, and
  // hooks are read from there, so these come first.
  bool destroys = created_ && !exec_, first = !plan_.runtime.empty() || poststop_;
  if (!created_ && !exec_) clear_after_failure(plan_);
  if (destroys && first) destroy_container(plan_, state_, poststop_);
  // By whom it is removed tells that in its place.
  if (destroys && !plan_.remove_at_exit) note("cleanup");
  tell(failure_ ? pack_error(*failure_) : pack(Verb::exited, record));
  if (destroys && !first) destroy_container(plan_, state_, poststop_);
  // The state goes last: whoever starts the container anew waits for this process while it is
  // there.
  if (notify_) ::unlink(concat(plan_.run_dir, "/notify").c_str());
  for (const char* name : {"/attach", "/state"}) ::unlink(concat(plan_.run_dir, name).c_str());
  told_ = true;
  loop_->add_timer(kLastReadMs, [this] {
    if (!control_) hub_.drop_clients(), leave();
  });
  leave();
}

// Ends the monitor when the engine has answered (or is gone) and the clients have read all.
void Monitor::leave() {
  if (hub_.drained() && (claimed_ || !control_)) loop_->stop();
}

void Monitor::on_notify() {
  std::string states = read_notify(notify_.get());
  if (!states.empty()) ignore(notify_manager(host_notify_, states), "no service manager listens");
}

void Monitor::report_failure(const Error& error) {
  ExitRecord record;
  record.finished_at = now();
  record.exit_code = 125;
  record.error = error.message();
  if (!plan_.bundle.empty())
    ignore(sys::write_file(concat(plan_.bundle, "/exit"), json::dump_struct(record), 0600),
           "told below too");
  kill_children();
  tell(pack_error(error));
}

int run_monitor(int control) {
  ::mallopt(M_TRIM_THRESHOLD, 64 << 10);
  ::umask(022);
  ignore(sys::set_cloexec(control, true), "a descriptor that was given to us");
  auto loop = sys::EventLoop::create();
  if (!loop) return 1;
  std::vector<std::string> cleanup;
  {
    Monitor monitor(sys::UniqueFd(control), std::move(*loop));
    Status status = monitor.set_up();
    if (!status) {
      monitor.report_failure(status.error());
      return 1;
    }
    if (!monitor.run()) return 1;
    cleanup = monitor.cleanup();
  }
  if (cleanup.empty()) return 0;
  std::vector<char*> argv;
  for (std::string& word : cleanup) argv.push_back(word.data());
  argv.push_back(nullptr);
  unblock_signals();
  ::execv(argv[0], argv.data());
  return 127;
}

}  // namespace minke::monitor
