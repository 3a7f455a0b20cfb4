// For tests of the monitor with real containers: busybox, a bundle in a temporary folder. Root runs
// them as they are, a user in a user namespace of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/rand.h"
#include "base/str.h"
#include "monitor/client.h"
#include "monitor/logs.h"
#include "monitor/protocol.h"
#include "oci/spec.h"
#include "runtime/container.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace minke::monitor {

inline constexpr char kBusybox[] = "/bin/busybox";

// Root inside; unchanged for root.
inline bool enter_namespace(std::string* why) {
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

inline bool is_real_root() {
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

}  // namespace minke::monitor
