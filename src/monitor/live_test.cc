// The monitor with real containers.
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <algorithm>
#include <thread>

#include "monitor/notify.h"
#include "monitor/testing_live.h"

namespace minke::monitor {
namespace {

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
