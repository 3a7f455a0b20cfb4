// Exec sessions in real containers.
#include <pty.h>
#include <signal.h>
#include <unistd.h>

#include "monitor/testing_live.h"

namespace minke::monitor {
namespace {

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

}  // namespace
}  // namespace minke::monitor
