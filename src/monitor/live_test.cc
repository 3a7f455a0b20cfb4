// The monitor with real containers: busybox, a bundle in a temporary folder. Root runs them as they
// are, a user in a user namespace of the test's own.
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/rand.h"
#include "base/str.h"
#include "monitor/client.h"
#include "monitor/logs.h"
#include "monitor/notify.h"
#include "monitor/protocol.h"
#include "oci/spec.h"
#include "runtime/container.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::monitor {
namespace {

constexpr char kBusybox[] = "/bin/busybox";

// Root inside; unchanged for root.
bool enter_namespace(std::string* why) {
  static const int result = [] {
    uid_t uid = ::geteuid();
    gid_t gid = ::getegid();
    if (uid == 0) return 0;
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return errno;
    bool ok = sys::write_existing("/proc/self/setgroups", "deny") &&
              sys::write_existing("/proc/self/uid_map", concat("0 ", uid, " 1")) &&
              sys::write_existing("/proc/self/gid_map", concat("0 ", gid, " 1"));
    return ok ? 0 : EPERM;
  }();
  if (result != 0) *why = concat("no user namespace: ", ::strerror(result));
  return result == 0;
}

bool is_real_root() {
  auto map = sys::read_small_file("/proc/self/uid_map");
  return ::geteuid() == 0 && map && map->find("4294967295") != std::string::npos;
}

class LiveTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!sys::exists(kBusybox)) GTEST_SKIP() << kBusybox << " is not installed (busybox-static)";
    std::string self = *sys::read_link_at(sys::DirFd::cwd(), "/proc/self/exe");
    bin_ = concat(self.substr(0, self.rfind("/test/")), "/bin");
    monitor_ = concat(bin_, "/minke-monitor");
    if (!sys::exists(monitor_)) GTEST_SKIP() << monitor_ << " is not built";
    if (!enter_namespace(&why)) GTEST_SKIP() << why;
    char name[] = "/tmp/minke-live-test.XXXXXX";
    folder_ = ::mkdtemp(name);
    std::string bundle = concat(folder_, "/bundle"), run = concat(folder_, "/run");
    for (const char* dir : {"/bundle/rootfs/bin", "/bundle/rootfs/proc", "/bundle/rootfs/dev",
                            "/bundle/rootfs/tmp", "/bundle/rootfs/sys", "/run"})
      ASSERT_TRUE(sys::ensure_dirs(concat(folder_, dir), 0755));
    std::string busybox = *sys::read_small_file(kBusybox);
    ASSERT_TRUE(sys::write_file(concat(bundle, "/rootfs/bin/busybox"), busybox, 0755));
    for (const char* applet : {"sh", "true", "cat", "sleep", "dd", "tty", "stty", "kill", "head",
                               "tail", "yes", "seq", "test"})
      ASSERT_EQ(::symlink("busybox", concat(bundle, "/rootfs/bin/", applet).c_str()), 0);

    plan_.id = random_hex(32);
    plan_.name = "live";
    plan_.bundle = bundle;
    plan_.run_dir = run;
    plan_.cgroup_manager = is_real_root() ? "cgroupfs" : "disabled";
    plan_.tolerate_missing_cgroup = true;
    plan_.log.path = concat(bundle, "/ctr.log");

    spec_.oci_version = "1.0.2";
    spec_.root.emplace();
    spec_.root->path = "rootfs";
    spec_.process.emplace();
    spec_.process->cwd = "/";
    spec_.process->env = {"PATH=/bin"};
    spec_.mounts.push_back({"/proc", "proc", "proc", {}, {}, {}});
    spec_.mounts.push_back({"/dev", "tmpfs", "tmpfs", {"mode=755"}, {}, {}});
    spec_.mounts.push_back(
        {"/dev/pts", "devpts", "devpts", {"newinstance", "ptmxmode=0666", "mode=0620"}, {}, {}});
    spec_.linux_.emplace();
    for (const char* type : {"pid", "mount", "ipc", "uts"})
      spec_.linux_->namespaces.push_back({type, ""});
    if (is_real_root()) spec_.linux_->cgroups_path = concat("/minke-test/", plan_.id.substr(0, 12));
  }

  void TearDown() override {
    if (folder_.empty()) return;
    std::vector<std::string> left = processes();
    for (int i = 0; i < 1000 && !left.empty(); ++i, left = processes()) ::usleep(20'000);
    EXPECT_TRUE(left.empty()) << "left: " << left.front();
    ignore(sys::remove_tree_at(sys::DirFd::cwd(), folder_.c_str()), "test");
  }

  void command(const std::string& script) { spec_.process->args = {"/bin/sh", "-c", script}; }

  Result<Handle> spawn(bool attach = false, bool attach_stdin = false) {
    spec_.process->terminal = plan_.terminal;
    TRY(sys::write_file(concat(plan_.bundle, "/spec.json"), json::dump_struct(spec_), 0600));
    SpawnRequest request;
    request.monitor_path = monitor_;
    request.plan = &plan_;
    request.attach = attach;
    request.attach_stdin = attach_stdin;
    return Handle::spawn(request);
  }
  Result<Handle> begin(bool attach = false, bool attach_stdin = false) {
    Handle handle = TRY(spawn(attach, attach_stdin));
    TRY(handle.wait_created());
    TRY(handle.start());
    return handle;
  }
  // Runs to the end; reports a failure of any step as exit code -1.
  ExitRecord run() {
    ExitRecord record;
    record.exit_code = -1;
    auto handle = begin();
    EXPECT_TRUE(handle) << (handle ? "" : handle.error().message());
    if (!handle) return record;
    auto end = handle->wait_exit();
    EXPECT_TRUE(end) << (end ? "" : end.error().message());
    handle->wait_gone();
    return end ? *end : record;
  }
  std::string logged() {
    std::string out;
    Status status = read_logs(plan_.log, plan_.id, {}, [&](const LogLine& line) {
      out += line.text + (line.partial ? "" : "\n");
      return true;
    });
    EXPECT_TRUE(status);
    return out;
  }
  std::optional<ExitRecord> exit_file(const std::string& folder) {
    auto text = sys::read_small_file(concat(folder, "/exit"));
    if (!text) return std::nullopt;
    auto record = json::parse_struct<ExitRecord>(*text);
    return record ? std::optional(*record) : std::nullopt;
  }
  StateRecord state_file() {
    auto text = sys::read_small_file(concat(plan_.run_dir, "/state"));
    if (!text) return {};
    auto record = json::parse_struct<StateRecord>(*text);
    return record ? *record : StateRecord();
  }
  // What the next command does when the monitor was killed.
  void destroy(const StateRecord& state) {
    if (state.cgroup.empty()) return;
    EXPECT_TRUE(runtime::destroy({plan_.id, state.pid, state.start_time, state.cgroup}, nullptr,
                                 plan_.bundle));
  }
  // A generous bound: only a fault takes it whole, a busy machine does not.
  template <typename F>
  static bool within(int ms, F condition) {
    for (int waited = 0; waited <= 10 * ms; waited += 5) {
      if (condition()) return true;
      ::usleep(5000);
    }
    return false;
  }
  // Processes of this container that still run: the monitor, its starter and a waiting init by the
  // id on their command line, the container's program by its token.
  std::vector<std::string> processes() {
    std::vector<std::string> out;
    auto pids = sys::list_dir(sys::DirFd::cwd(), "/proc");
    for (const std::string& pid : *pids) {
      if (!parse_int(pid)) continue;
      auto line = sys::read_small_file(concat("/proc/", pid, "/cmdline"));
      if (line && line->find(plan_.id.substr(0, 20)) != std::string::npos)
        out.push_back(concat(pid, " ", *line));
    }
    return out;
  }
  // A program whose command line names the container.
  std::string sleeper() { return concat("sleep 1000; : ", plan_.id); }
  // Everything a raw client gets until the connection ends.
  static std::string drain(int fd, int pause_us = 0) {
    std::string all, buffer(kMaxFrame, '\0');
    while (true) {
      ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (n < 0 && (errno == ECONNRESET || errno == EINTR)) continue;
      if (n <= 0) return all;
      all.append(buffer, 1, static_cast<std::size_t>(n) - 1);
      if (pause_us > 0) ::usleep(static_cast<useconds_t>(pause_us));
    }
  }
  static void send(int fd, Frame type, std::string_view data) {
    EXPECT_TRUE(sys::send_message(fd, concat(static_cast<char>(type), data)));
  }

  std::string folder_, bin_, monitor_;
  Plan plan_;
  oci::Spec spec_;
};

TEST_F(LiveTest, RunsAndRecords) {
  command("echo out; echo err >&2; exit 7");
  auto handle = begin();
  ASSERT_TRUE(handle) << handle.error().message();
  auto end = handle->wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 7);
  EXPECT_FALSE(end->oom_killed);
  EXPECT_GE(end->finished_at, end->started_at);
  auto record = exit_file(plan_.bundle);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->exit_code, 7);
  EXPECT_EQ(record->finished_at, end->finished_at);
  handle->wait_gone();
  EXPECT_FALSE(sys::exists(concat(plan_.run_dir, "/state")));
  EXPECT_FALSE(sys::exists(concat(plan_.run_dir, "/attach")));
  std::string log = logged();
  EXPECT_NE(log.find("out\n"), std::string::npos);
  EXPECT_NE(log.find("err\n"), std::string::npos);
}

TEST_F(LiveTest, StateWhileItRuns) {
  plan_.pid_file = concat(folder_, "/pid");
  plan_.monitor_pid_file = concat(folder_, "/monitor.pid");
  command(sleeper());
  auto handle = spawn();
  ASSERT_TRUE(handle);
  auto created = handle->wait_created();
  ASSERT_TRUE(created) << created.error().message();
  EXPECT_EQ(state_file().status, "created");
  auto started = handle->start();
  ASSERT_TRUE(started);
  StateRecord state = state_file();
  EXPECT_EQ(state.status, "running");
  EXPECT_EQ(state.pid, started->pid);
  EXPECT_TRUE(sys::process_alive(state.pid, state.start_time));
  EXPECT_TRUE(sys::process_alive(state.monitor_pid, state.monitor_start_time));
  EXPECT_EQ(*sys::read_small_file(plan_.pid_file), concat(state.pid));
  EXPECT_EQ(*sys::read_small_file(plan_.monitor_pid_file), concat(state.monitor_pid));
  ::kill(state.pid, SIGKILL);
  auto end = handle->wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 137);
}

TEST_F(LiveTest, ProgramThatIsNotThere) {
  spec_.process->args = {"/bin/nosuch"};
  auto handle = spawn();
  ASSERT_TRUE(handle);
  auto created = handle->wait_created();
  Error error = created ? std::move(handle->start().error()) : std::move(created.error());
  EXPECT_EQ(error.exit_code(), 127) << error.message();
  EXPECT_TRUE(within(2000, [&] { return exit_file(plan_.bundle).has_value(); }));
  EXPECT_EQ(exit_file(plan_.bundle)->exit_code, 127);
  EXPECT_FALSE(exit_file(plan_.bundle)->error.empty());
}

TEST_F(LiveTest, InvalidSpecIsRefused) {
  spec_.process->cwd = "relative";
  command("true");
  auto handle = spawn();
  ASSERT_TRUE(handle);
  auto created = handle->wait_created();
  ASSERT_FALSE(created);
  EXPECT_NE(created.error().message().find("cwd"), std::string::npos) << created.error().message();
}

TEST_F(LiveTest, Timeout) {
  plan_.timeout = 1;
  command(sleeper());
  ExitRecord end = run();
  EXPECT_EQ(end.exit_code, 255);
  EXPECT_TRUE(end.timed_out);
}

TEST_F(LiveTest, CleanupRunsWhenTheStarterHasLeft) {
  std::string proof = concat(folder_, "/cleaned");
  plan_.cleanup_command = {"/bin/sh", "-c",
                           concat("cat '", plan_.bundle, "/exit' > '", proof, "'")};
  command("sleep 0.2; exit 3");
  { ASSERT_TRUE(begin()); }
  EXPECT_TRUE(
      within(3000, [&] { return sys::exists(proof) && *sys::read_small_file(proof) != ""; }));
  EXPECT_NE(sys::read_small_file(proof)->find("\"exit_code\":3"), std::string::npos);
}

TEST_F(LiveTest, CleanupIsLeftToTheWaitingStarter) {
  std::string proof = concat(folder_, "/cleaned");
  plan_.cleanup_command = {"/bin/sh", "-c", concat("> '", proof, "'")};
  command("true");
  run();
  EXPECT_TRUE(within(2000, [&] { return processes().empty(); }));
  EXPECT_FALSE(sys::exists(proof));
}

TEST_F(LiveTest, NothingIsLostToASlowClientFromTheStart) {
  constexpr std::size_t kTotal = 5 << 20;
  plan_.log.max_size = 1 << 20;
  plan_.log.max_files = 100;
  command(concat("yes 0123456789abcde | head -c ", kTotal));
  auto handle = begin(true);
  ASSERT_TRUE(handle);
  sys::UniqueFd client = handle->take_attach();
  std::string got = drain(client.get(), 200);
  EXPECT_EQ(got.size(), kTotal);
  auto end = handle->wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0);
  EXPECT_EQ(logged(), got);
}

TEST_F(LiveTest, StdinThroughAndHalfClose) {
  plan_.stdin_open = true;
  command("cat; echo end");
  auto handle = begin(true, true);
  ASSERT_TRUE(handle);
  sys::UniqueFd client = handle->take_attach();
  std::string text(200'000, 'i');
  std::thread typist([&] {
    for (std::size_t at = 0; at < text.size(); at += 20'000)
      send(client.get(), Frame::stdin_data, text.substr(at, 20'000));
    send(client.get(), Frame::stdin_eof, "");
  });
  EXPECT_EQ(drain(client.get()), text + "end\n");
  typist.join();
  EXPECT_TRUE(handle->wait_exit());
}

TEST_F(LiveTest, Terminal) {
  plan_.terminal = plan_.stdin_open = true;
  command("tty; read line; stty size; echo got $line; exit 4");
  auto handle = begin(true, true);
  ASSERT_TRUE(handle) << handle.error().message();
  sys::UniqueFd client = handle->take_attach();
  send(client.get(), Frame::resize, std::string("\x1e\0\x64\0", 4));
  send(client.get(), Frame::stdin_data, "hello\r");
  std::string got = drain(client.get());
  EXPECT_NE(got.find("/dev/"), std::string::npos) << got;
  EXPECT_NE(got.find("30 100"), std::string::npos) << got;
  EXPECT_NE(got.find("got hello"), std::string::npos) << got;
  auto end = handle->wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 4);
}

TEST_F(LiveTest, LaterClientsAndResize) {
  plan_.terminal = plan_.stdin_open = true;
  command("while read line; do echo \"<$line>\"; done");
  auto handle = begin();
  ASSERT_TRUE(handle);
  EXPECT_TRUE(resize(plan_.run_dir, 11, 22));
  auto a = connect_attach(plan_.run_dir, true), b = connect_attach(plan_.run_dir, false);
  ASSERT_TRUE(a && b);
  ::usleep(50'000);
  send(a->get(), Frame::stdin_data, "one\r\x04");
  EXPECT_NE(drain(a->get()).find("<one>"), std::string::npos);
  EXPECT_NE(drain(b->get()).find("<one>"), std::string::npos);
  EXPECT_TRUE(handle->wait_exit());
}

TEST_F(LiveTest, TermToTheMonitorReachesInit) {
  command(concat("trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done; : ", plan_.id));
  auto handle = begin();
  ASSERT_TRUE(handle);
  EXPECT_TRUE(within(3000, [&] { return logged().find("ready") != std::string::npos; }));
  ::kill(state_file().monitor_pid, SIGTERM);
  auto end = handle->wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 9);
}

TEST_F(LiveTest, KilledMonitorTakesInitWithIt) {
  command(sleeper());
  auto handle = begin();
  ASSERT_TRUE(handle);
  StateRecord state = state_file();
  ::kill(state.monitor_pid, SIGKILL);
  EXPECT_TRUE(within(2000, [&] { return !sys::process_alive(state.pid, state.start_time); }));
  EXPECT_FALSE(handle->wait_exit());
  destroy(state);
}

// Wherever the blow falls, nothing of the container lives on.
TEST_F(LiveTest, KillAtEveryStage) {
  command(sleeper());
  for (bool starter : {false, true}) {
    for (int delay_us = 0; delay_us < 16'000; delay_us += 500) {
      auto handle = spawn();
      ASSERT_TRUE(handle);
      std::thread killer([&, delay_us] {
        ::usleep(static_cast<useconds_t>(delay_us));
        std::vector<pid_t> pids;
        for (const std::string& entry : processes())
          pids.push_back(static_cast<pid_t>(std::atoi(entry.c_str())));
        std::sort(pids.begin(), pids.end());
        std::size_t at = starter ? 1 : 0;  // in the order of their making: monitor, starter, init
        if (pids.size() > at) ::kill(pids[at], SIGKILL);
      });
      if (handle->wait_created()) ignore(handle->start(), "killed");
      killer.join();
      for (const std::string& entry : processes()) {
        // Too late a blow, or one that hit nothing: the container runs.
        if (entry.find("minke-monitor") != std::string::npos)
          ::kill(std::atoi(entry.c_str()), SIGKILL);
      }
      EXPECT_TRUE(within(2000, [&] { return processes().empty(); }))
          << (starter ? "starter" : "monitor") << " killed after " << delay_us << ": "
          << processes().front();
      StateRecord state = state_file();
      destroy(state);
      ::unlink(concat(plan_.run_dir, "/state").c_str());
    }
  }
}

TEST_F(LiveTest, StarterThatLeavesBeforeStart) {
  command(sleeper());
  {
    auto handle = spawn();
    ASSERT_TRUE(handle);
    ASSERT_TRUE(handle->wait_created());
  }
  EXPECT_TRUE(within(3000, [&] { return processes().empty(); }));
  EXPECT_FALSE(sys::exists(concat(plan_.run_dir, "/state")));
  EXPECT_NE(exit_file(plan_.bundle)->error, "");
}

TEST_F(LiveTest, Passthrough) {
  plan_.log.driver = "passthrough";
  command("echo direct; cat >&2");
  ASSERT_TRUE(sys::write_file(concat(plan_.bundle, "/spec.json"), json::dump_struct(spec_), 0600));
  auto in = *sys::make_pipe(), out = *sys::make_pipe(), err = *sys::make_pipe();
  SpawnRequest request;
  request.monitor_path = monitor_;
  request.plan = &plan_;
  request.stdio[0] = in.first.get();
  request.stdio[1] = out.second.get();
  request.stdio[2] = err.second.get();
  auto handle = Handle::spawn(request);
  ASSERT_TRUE(handle && handle->wait_created() && handle->start());
  in.first.reset();
  out.second.reset();
  err.second.reset();
  ASSERT_TRUE(sys::write_all(in.second.get(), "through"));
  in.second.reset();
  EXPECT_EQ(*sys::read_all(err.first.get()), "through");
  EXPECT_EQ(*sys::read_all(out.first.get()), "direct\n");
  EXPECT_TRUE(handle->wait_exit());
}

TEST_F(LiveTest, PreservedDescriptors) {
  command("cat <&3; cat <&4");
  ASSERT_TRUE(sys::write_file(concat(plan_.bundle, "/spec.json"), json::dump_struct(spec_), 0600));
  auto a = *sys::make_memfd("a", "first "), b = *sys::make_memfd("b", "second");
  SpawnRequest request;
  request.monitor_path = monitor_;
  request.plan = &plan_;
  request.preserve_fds = {a.get(), b.get()};
  auto handle = Handle::spawn(request);
  ASSERT_TRUE(handle && handle->wait_created() && handle->start());
  EXPECT_TRUE(handle->wait_exit());
  EXPECT_EQ(logged(), "first second\n");
}

TEST_F(LiveTest, DetachedExecSession) {
  command(sleeper());
  auto handle = begin();
  ASSERT_TRUE(handle);
  ExecPlan exec;
  exec.session = random_hex(32);
  exec.container_id = plan_.id;
  exec.bundle = plan_.bundle;
  exec.run_dir = plan_.run_dir;
  exec.process = *spec_.process;
  exec.process.args = {"/bin/sh", "-c", "sleep 0.1; exit 21"};
  auto started = spawn_exec(monitor_, exec);
  EXPECT_TRUE(started) << (started ? "" : started.error().message());
  EXPECT_GT(started ? started->pid : 0, 0);
  std::string folder = concat(plan_.run_dir, "/exec/", exec.session);
  EXPECT_TRUE(within(3000, [&] { return exit_file(folder).has_value(); }));
  EXPECT_EQ(exit_file(folder).value_or(ExitRecord()).exit_code, 21);
  exec.session = random_hex(32);
  exec.process.args = {"nosuch"};
  auto missing = spawn_exec(monitor_, exec);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().exit_code(), 127) << missing.error().message();
  ::kill(state_file().pid, SIGKILL);
  EXPECT_TRUE(handle->wait_exit());
}

TEST_F(LiveTest, ForegroundExec) {
  command(sleeper());
  auto handle = begin();
  ASSERT_TRUE(handle);
  StateRecord state = state_file();
  oci::Process process = *spec_.process;
  process.args = {"/bin/sh", "-c", "cat; exit 5"};
  auto out = *sys::make_pipe();
  auto in = *sys::make_memfd("in", "to the other side");
  ExecForeground exec;
  exec.request.init_pid = state.pid;
  exec.request.init_start_time = state.start_time;
  exec.request.spec = &spec_;
  exec.request.process = &process;
  exec.request.cgroup = state.cgroup;
  exec.request.stdio[0] = in.get();
  exec.request.stdio[1] = out.second.get();
  bool detached = true;
  auto code = exec_foreground(exec, &detached);
  EXPECT_TRUE(code) << (code ? "" : code.error().message());
  EXPECT_EQ(std::move(code).value_or(-1), 5);
  EXPECT_FALSE(detached);
  out.second.reset();
  EXPECT_EQ(*sys::read_all(out.first.get()), "to the other side");
  ::kill(state.pid, SIGKILL);
  EXPECT_TRUE(handle->wait_exit());
}

TEST_F(LiveTest, ExecWithATerminalAndDetach) {
  command(sleeper());
  auto handle = begin();
  ASSERT_TRUE(handle);
  StateRecord state = state_file();
  for (bool detach : {false, true}) {
    winsize size{20, 60, 0, 0};
    int master = -1;
    pid_t child = ::forkpty(&master, nullptr, nullptr, &size);
    ASSERT_GE(child, 0);
    if (child == 0) {
      oci::Process process = *spec_.process;
      process.terminal = true;
      process.args = {"/bin/sh", "-c",
                      "stty size; read line; echo got:$line; sleep 0.3; : > /tmp/done; exit 8"};
      ExecForeground exec;
      exec.request.init_pid = state.pid;
      exec.request.init_start_time = state.start_time;
      exec.request.spec = &spec_;
      exec.request.process = &process;
      exec.request.cgroup = state.cgroup;
      exec.attach.terminal = true;
      bool detached = false;
      auto code = exec_foreground(exec, &detached);
      ::_exit(!code ? 99 : detached ? 77 : *code);
    }
    sys::UniqueFd terminal(master);
    std::string seen;
    bool answered = false;
    char buffer[4096];
    for (ssize_t n; (n = ::read(master, buffer, sizeof buffer)) > 0;) {
      seen.append(buffer, static_cast<std::size_t>(n));
      if (seen.find("20 60") != std::string::npos && !answered) {
        answered = true;
        ASSERT_TRUE(sys::write_all(master, detach ? "more\r\x10\x11" : "hello\r"));
      }
    }
    int status = *sys::wait_pid(child);
    EXPECT_EQ(sys::exit_code_of(status), detach ? 77 : 8) << seen;
    EXPECT_EQ(seen.find("got:hello") != std::string::npos, !detach) << seen;
    // It went on after its user had left.
    std::string proof = concat(plan_.bundle, "/rootfs/tmp/done");
    EXPECT_TRUE(within(3000, [&] { return sys::exists(proof); }));
    ::unlink(proof.c_str());
  }
  ::kill(state.pid, SIGKILL);
  EXPECT_TRUE(handle->wait_exit());
}

TEST_F(LiveTest, TinyInit) {
  std::string init = concat(bin_, "/minke-init");
  if (!sys::exists(init)) GTEST_SKIP() << init << " is not built";
  std::string program = *sys::read_small_file(init);
  EXPECT_LT(program.size(), 30u << 10);
  ASSERT_TRUE(sys::write_file(concat(plan_.bundle, "/rootfs/init"), program, 0755));
  // An orphan becomes a zombie unless process 1 reaps it; the signal goes to process 1 and is
  // handed on.
  std::string script = concat(
      "trap 'exit 23' TERM; sh -c 'sleep 0.05 &' ; sleep 0.2; ",
      "grep -l 'State:.Z' /proc/[0-9]*/status; echo pid $$; while :; do sleep 0.02; done; : ",
      plan_.id);
  spec_.process->args = {"/init", "--", "sh", "-c", script};
  ASSERT_EQ(::symlink("busybox", concat(plan_.bundle, "/rootfs/bin/grep").c_str()), 0);
  auto handle = begin();
  ASSERT_TRUE(handle) << handle.error().message();
  EXPECT_TRUE(within(3000, [&] { return logged() == "pid 2\n"; })) << logged();
  ::kill(state_file().pid, SIGTERM);
  auto end = handle->wait_exit();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 23);
  spec_.process->args = {"/init", "--", "nosuch"};
  EXPECT_EQ(run().exit_code, 127);
}

TEST_F(LiveTest, MonitorWithoutAPlanEnds) {
  {
    auto handle = Handle::launch(monitor_, plan_.id, "early");
    ASSERT_TRUE(handle);
    // Before its exec it has another name.
    EXPECT_TRUE(within(2000, [&] { return !processes().empty(); }));
  }
  EXPECT_TRUE(within(2000, [&] { return processes().empty(); }));
}

TEST_F(LiveTest, OutOfMemoryIsSeen) {
  if (!is_real_root()) GTEST_SKIP() << "needs a memory cgroup";
  spec_.linux_->resources.emplace();
  spec_.linux_->resources->memory.emplace();
  spec_.linux_->resources->memory->limit = 16 << 20;
  spec_.linux_->resources->memory->swap = 16 << 20;
  command("tail /dev/zero; exit 1");
  ExitRecord end = run();
  EXPECT_TRUE(end.oom_killed);
}

TEST_F(LiveTest, ServiceManagerIsTold) {
  auto socket = *listen_notify(concat(folder_, "/manager"));
  ASSERT_TRUE(sys::set_nonblocking(socket.get(), false));
  ::setenv("NOTIFY_SOCKET", concat(folder_, "/manager").c_str(), 1);
  plan_.sdnotify = "conmon";
  command("true");
  run();
  ::unsetenv("NOTIFY_SOCKET");
  auto message = sys::receive_message(socket.get());
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->data.starts_with("MAINPID="));
  EXPECT_TRUE(message->data.ends_with("\nREADY=1"));
}

TEST_F(LiveTest, ContainerSpeaksToTheServiceManager) {
  auto socket = *listen_notify(concat(folder_, "/manager"));
  ASSERT_TRUE(sys::set_nonblocking(socket.get(), false));
  ::setenv("NOTIFY_SOCKET", concat(folder_, "/manager").c_str(), 1);
  plan_.sdnotify = "container";
  command(concat("test -S $NOTIFY_SOCKET && echo has socket; ", sleeper()));
  auto handle = begin();
  ::unsetenv("NOTIFY_SOCKET");
  ASSERT_TRUE(handle) << handle.error().message();
  std::string monitor = concat("MAINPID=", state_file().monitor_pid);
  EXPECT_EQ(sys::receive_message(socket.get())->data, monitor);
  EXPECT_TRUE(within(2000, [&] { return logged() == "has socket\n"; })) << logged();
  // What the container would send: its own main process is none of the manager's business.
  ASSERT_TRUE(notify_manager(concat(plan_.run_dir, "/notify"), "MAINPID=1\nREADY=1"));
  EXPECT_EQ(sys::receive_message(socket.get())->data, "READY=1\n");
  ::kill(state_file().pid, SIGKILL);
  EXPECT_TRUE(handle->wait_exit());
}

TEST_F(LiveTest, OtherRuntime) {
  if (!sys::exists("/usr/bin/crun")) GTEST_SKIP() << "crun is not installed";
  if (!is_real_root()) GTEST_SKIP() << "crun wants the cgroups of root here";
  plan_.runtime = "/usr/bin/crun";
  plan_.overlay.lower = {concat(plan_.bundle, "/rootfs")};
  plan_.overlay.upper = concat(plan_.bundle, "/upper");
  plan_.overlay.work = concat(plan_.bundle, "/work");
  for (const std::string& dir : {plan_.overlay.upper, plan_.overlay.work})
    ASSERT_TRUE(sys::ensure_dirs(dir, 0755));
  command("echo by crun; > /written; exit 6");
  EXPECT_EQ(run().exit_code, 6);
  EXPECT_EQ(logged(), "by crun\n");
  EXPECT_TRUE(sys::exists(concat(plan_.overlay.upper, "/written")));
  plan_.terminal = true;
  command("tty; exit 2");
  EXPECT_EQ(run().exit_code, 2);
  spec_.process->args = {"nosuch"};
  plan_.terminal = false;
  auto handle = spawn();
  auto created = handle->wait_created();
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().exit_code(), 127) << created.error().message();
}

TEST_F(LiveTest, IdleMonitorIsSmall) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "measured without sanitizers";
#endif
  command(sleeper());
  auto handle = begin();
  ASSERT_TRUE(handle);
  ::usleep(300'000);
  StateRecord state = state_file();
  auto rollup = sys::read_small_file(concat("/proc/", state.monitor_pid, "/smaps_rollup"));
  ASSERT_TRUE(rollup);
  // Its own memory: how many clean pages of the program are mapped depends on how the page cache
  // holds the file, and they are shared with every other monitor.
  std::int64_t kib = 0;
  for (std::string_view line : split(*rollup, '\n'))
    if (line.starts_with("Private_Dirty:")) kib += std::atoi(std::string(line.substr(14)).c_str());
  EXPECT_LT(kib, 150) << *rollup;
  RecordProperty("private_dirty_kib", static_cast<int>(kib));
  ::kill(state.pid, SIGKILL);
  EXPECT_TRUE(handle->wait_exit());
}

}  // namespace
}  // namespace minke::monitor
