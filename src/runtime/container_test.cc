// Real containers in real namespaces. They need root and a static busybox, and are skipped without.
#include "runtime/container.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/seccomp_default.h"
#include "sys/socket.h"

namespace minke::runtime {
namespace {

constexpr const char* kBusybox = "/bin/busybox";

oci::Mount make_mount(std::string destination, std::string type, std::string source,
                      std::vector<std::string> options) {
  oci::Mount m;
  m.destination = std::move(destination);
  m.type = std::move(type);
  m.source = std::move(source);
  m.options = std::move(options);
  return m;
}

struct Outcome {
  std::string output, error;
  int code = -1, exit_code = 0;
  std::vector<std::string> warnings;
};

class ContainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    if (::access(kBusybox, X_OK) != 0) GTEST_SKIP() << "needs " << kBusybox;
    char name[] = "/tmp/minke-runtime-test.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    ::chmod(name, 0755);
    dir_ = name;
    root_ = dir_ + "/rootfs";
    for (const char* sub : {"", "/bin", "/etc", "/proc", "/dev", "/sys", "/tmp", "/data"})
      ASSERT_EQ(::mkdir((root_ + sub).c_str(), 0755), 0);
    ASSERT_EQ(::system(concat("cp ", kBusybox, " ", root_, "/bin/busybox").c_str()), 0);
    for (const char* applet :
         {"sh", "cat", "id", "ls", "true", "mount", "stat", "sleep", "grep", "hostname", "readlink",
          "touch", "echo", "env", "pwd", "chroot", "kill"})
      ASSERT_EQ(::symlink("busybox", concat(root_, "/bin/", applet).c_str()), 0);
    write(root_ + "/etc/passwd",
          "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n");
    make_spec();
  }
  void TearDown() override {
    if (!dir_.empty()) ignore(sys::remove_tree_at(sys::DirFd::cwd(), dir_.c_str()), "test folder");
  }

  void make_spec() {
    spec_ = {};
    spec_.oci_version = "1.2.0";
    oci::Process& p = spec_.process.emplace();
    p.cwd = "/";
    p.env = {"PATH=/bin"};
    p.capabilities.emplace();
    spec_.root = oci::Root{root_, false};
    spec_.hostname = "box";
    spec_.mounts = {
        make_mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
        make_mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
        make_mount("/dev/pts", "devpts", "devpts",
                   {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
        make_mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"})};
    oci::Linux& l = spec_.linux_.emplace();
    for (const char* type : {"pid", "network", "ipc", "uts", "mount"})
      l.namespaces.push_back({type, ""});
    request_ = {};
    request_.bundle = dir_;
    request_.cgroup_manager = CgroupManager::disabled;
  }
  static void write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(sys::write_file(path, text, 0644).ok());
  }

  // Creates, starts, waits; stdout and stderr together.
  Outcome run(std::vector<std::string> args) {
    spec_.process->args = std::move(args);
    return run();
  }
  Outcome shell(std::string script) { return run({"sh", "-c", std::move(script)}); }
  Outcome run() {
    Outcome out;
    if (Status valid = oci::validate_spec(spec_); !valid) {
      out.error = valid.error().message();
      return out;
    }
    auto pipe = sys::make_pipe();
    int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    request_.spec = &spec_;
    request_.id = concat("test-", ::getpid(), "-", ++serial_);
    request_.stdio[0] = null;
    request_.stdio[1] = request_.stdio[2] = pipe->second.get();
    auto created = create(request_);
    if (!created) {
      out.error = created.error().message();
      out.exit_code = created.error().exit_code();
    } else {
      out.warnings = created->warnings;
      Status started = start(request_, *created);
      if (!started) {
        out.error = started.error().message();
        out.exit_code = started.error().exit_code();
      }
      pipe->second.reset();
      if (auto text = sys::read_all(pipe->first.get())) out.output = *text;
      if (auto status = sys::wait_pid(created->handle.pid)) out.code = sys::exit_code_of(*status);
      Status destroyed = destroy(created->handle, &spec_, dir_);
      EXPECT_TRUE(destroyed.ok()) << (destroyed.ok() ? "" : destroyed.error().message());
      EXPECT_TRUE(destroy(created->handle, nullptr, "").ok());
    }
    ::close(null);
    return out;
  }

  std::string dir_, root_;
  oci::Spec spec_;
  CreateRequest request_;
  static int serial_;
};
int ContainerTest::serial_ = 0;

TEST_F(ContainerTest, RunsAndReportsTheExitCode) {
  Outcome o = shell("echo hello; exit 42");
  EXPECT_EQ(o.error, "");
  EXPECT_EQ(o.output, "hello\n");
  EXPECT_EQ(o.code, 42);
}

TEST_F(ContainerTest, HasItsNamespacesAndHostname) {
  Outcome o = shell("hostname; echo $$; ls /proc/sys/net/ipv4/conf");
  EXPECT_EQ(o.output, "box\n1\nall\ndefault\nlo\n");
}

TEST_F(ContainerTest, AProgramThatIsMissingIs127AndOneThatMayNotRunIs126) {
  Outcome o = run({"nosuch"});
  EXPECT_EQ(o.error, "executable file `nosuch` not found in $PATH: No such file or directory");
  EXPECT_EQ(o.exit_code, 127);
  o = run({"/etc/passwd"});
  EXPECT_EQ(o.error, "open executable `/etc/passwd`: Permission denied");
  EXPECT_EQ(o.exit_code, 126);
  write(root_ + "/bin/script", "#!/no/such/interpreter\n");
  ::chmod((root_ + "/bin/script").c_str(), 0755);
  o = run({"/bin/script"});
  EXPECT_EQ(o.error, "exec /bin/script: No such file or directory");
  EXPECT_EQ(o.exit_code, 127);
}

TEST_F(ContainerTest, DefaultDevicesAndLinks) {
  Outcome o = shell(
      "stat -c '%n %a %t:%T %F' /dev/null /dev/urandom; readlink /dev/fd; readlink /dev/ptmx; echo "
      "x > /dev/null");
  EXPECT_EQ(
      o.output,
      "/dev/null 666 1:3 character special file\n/dev/urandom 666 1:9 character special file\n"
      "/proc/self/fd\npts/ptmx\n");
}

TEST_F(ContainerTest, UserGroupsCapabilitiesAndHome) {
  spec_.process->user.uid = 1000;
  spec_.process->user.gid = 1000;
  spec_.process->user.additional_gids = {7, 1000};
  spec_.process->user.umask = 027;
  spec_.process->capabilities->bounding = {"CAP_KILL", "CAP_CHOWN"};
  spec_.process->no_new_privileges = true;
  Outcome o = shell("id; echo $HOME; umask; grep -E '^(Cap|NoNew)' /proc/self/status");
  EXPECT_EQ(o.output,
            "uid=1000(user) gid=1000 groups=7,1000\n/home/user\n0027\nCapInh:\t0000000000000000\n"
            "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000021\n"
            "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n");
}

TEST_F(ContainerTest, AmbientCapabilitiesReachAnOrdinaryUser) {
  spec_.process->user.uid = 1000;
  for (auto* set : {&spec_.process->capabilities->bounding, &spec_.process->capabilities->permitted,
                    &spec_.process->capabilities->inheritable,
                    &spec_.process->capabilities->effective, &spec_.process->capabilities->ambient})
    *set = {"CAP_NET_BIND_SERVICE"};
  Outcome o = shell("grep -E '^Cap(Eff|Amb)' /proc/self/status");
  EXPECT_EQ(o.output, "CapEff:\t0000000000000400\nCapAmb:\t0000000000000400\n");
}

TEST_F(ContainerTest, BindsFilesAndFoldersAndMakesTheirTargets) {
  write(dir_ + "/file", "content\n");
  ASSERT_EQ(::mkdir((dir_ + "/folder").c_str(), 0755), 0);
  spec_.mounts.push_back(make_mount("/a/b/file", "bind", dir_ + "/file", {"ro"}));
  spec_.mounts.push_back(make_mount("/data/x", "none", dir_ + "/folder", {"rbind", "rprivate"}));
  Outcome o = shell("cat /a/b/file; echo y > /a/b/file; touch /data/x/new && echo made");
  EXPECT_EQ(o.output, "content\nsh: can't create /a/b/file: Read-only file system\nmade\n");
  EXPECT_TRUE(sys::exists(dir_ + "/folder/new"));
}

TEST_F(ContainerTest, TargetsNeverLeaveTheRoot) {
  std::string canary = dir_ + "/canary";
  ASSERT_EQ(::mkdir(canary.c_str(), 0755), 0);
  ASSERT_EQ(::symlink(canary.c_str(), (root_ + "/absolute").c_str()), 0);
  ASSERT_EQ(::symlink("../canary", (root_ + "/relative").c_str()), 0);
  ASSERT_EQ(::symlink("/absolute/deeper", (root_ + "/chain").c_str()), 0);
  write(dir_ + "/file", "x");
  spec_.mounts.push_back(make_mount("/absolute/one", "bind", dir_ + "/file", {}));
  spec_.mounts.push_back(make_mount("/relative/two", "bind", dir_ + "/file", {}));
  spec_.mounts.push_back(make_mount("/chain/three", "tmpfs", "tmpfs", {}));
  Outcome o = run({"true"});
  EXPECT_EQ(o.error, "");
  auto names = sys::list_dir(sys::DirFd::cwd(), canary.c_str());
  ASSERT_TRUE(names.ok());
  EXPECT_TRUE(names->empty());
}

TEST_F(ContainerTest, DevAsASymlinkStaysInside) {
  std::string canary = dir_ + "/canary";
  ASSERT_EQ(::mkdir(canary.c_str(), 0755), 0);
  ASSERT_EQ(::rmdir((root_ + "/dev").c_str()), 0);
  ASSERT_EQ(::symlink(canary.c_str(), (root_ + "/dev").c_str()), 0);
  spec_.mounts.erase(spec_.mounts.begin() + 1, spec_.mounts.begin() + 3);
  ignore(sys::ensure_dirs(root_ + canary, 0755), "what the link means inside");
  Outcome o = run({"true"});
  EXPECT_TRUE(sys::list_dir(sys::DirFd::cwd(), canary.c_str())->empty());
}

TEST_F(ContainerTest, MasksAndReadOnlyPaths) {
  write(root_ + "/data/secret", "s3cret\n");
  ASSERT_EQ(::mkdir((root_ + "/data/folder").c_str(), 0755), 0);
  write(root_ + "/data/folder/x", "x");
  spec_.linux_->masked_paths = {"/data/secret", "/data/folder", "/proc/kcore", "/no/such"};
  spec_.linux_->readonly_paths = {"/proc/sys", "/tmp"};
  Outcome o = shell(
      "cat /data/secret; ls /data/folder; touch /data/folder/y; echo 1 > "
      "/proc/sys/kernel/domainname; touch /tmp/z");
  EXPECT_EQ(o.output,
            "touch: /data/folder/y: Read-only file system\nsh: can't create "
            "/proc/sys/kernel/domainname: Read-only file system\n"
            "touch: /tmp/z: Read-only file system\n");
  EXPECT_FALSE(sys::exists(root_ + "/tmp/z"));
}

TEST_F(ContainerTest, ReadOnlyRoot) {
  spec_.root->readonly = true;
  spec_.mounts.push_back(make_mount("/tmp", "tmpfs", "tmpfs", {"size=1m"}));
  Outcome o = shell("touch /x; touch /tmp/x && echo ok");
  EXPECT_EQ(o.output, "touch: /x: Read-only file system\nok\n");
}

TEST_F(ContainerTest, SysctlsOfItsNamespaces) {
  spec_.linux_->sysctl = {{"net.ipv4.ip_forward", "1"}, {"kernel.shmmni", "100"}};
  Outcome o = shell("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni");
  EXPECT_EQ(o.output, "1\n100\n");
  spec_.linux_->sysctl = {{"kernel.panic", "1"}};
  EXPECT_EQ(run({"true"}).error,
            "linux.sysctl.kernel.panic: is not bound to a namespace, so it would change the host");
}

TEST_F(ContainerTest, OverlayInsideItsOwnNamespace) {
  OverlayRoot& o = request_.overlay.emplace();
  o.lower = {root_};
  for (int i = 0; i < 130; ++i) {
    std::string layer = concat(dir_, "/layer", i);
    ASSERT_EQ(::mkdir(layer.c_str(), 0755), 0);
    write(concat(layer, "/from-", i), "x");
    o.lower.insert(o.lower.begin(), layer);
  }
  o.upper = dir_ + "/upper";
  o.work = dir_ + "/work";
  ::mkdir(o.upper.c_str(), 0755);
  ::mkdir(o.work.c_str(), 0755);
  o.volatile_ = true;
  Outcome out = shell("ls -d /from-0 /from-129; echo new > /data/file; id -u");
  EXPECT_EQ(out.error, "");
  EXPECT_EQ(out.output, "/from-0\n/from-129\n0\n");
  EXPECT_TRUE(sys::exists(o.upper + "/data/file"));
  auto mounts = sys::read_small_file("/proc/self/mountinfo");
  EXPECT_EQ(mounts->find(dir_), std::string::npos);
}

TEST_F(ContainerTest, TheOldMountWayGivesTheSame) {
  ::setenv("MINKE_OLD_MOUNT_API", "1", 1);
  OverlayRoot& o = request_.overlay.emplace();
  o.lower = {root_};
  for (int i = 0; i < 130; ++i) {
    std::string layer = concat(dir_, "/layer", i);
    ::mkdir(layer.c_str(), 0755);
    o.lower.insert(o.lower.begin(), layer);
  }
  o.upper = dir_ + "/upper";
  o.work = dir_ + "/work";
  ::mkdir(o.upper.c_str(), 0755);
  ::mkdir(o.work.c_str(), 0755);
  write(dir_ + "/file", "content\n");
  spec_.mounts.push_back(make_mount("/a/b/file", "bind", dir_ + "/file", {"ro", "nosuid"}));
  spec_.mounts.push_back(make_mount("/etc", "tmpfs", "tmpfs", {"tmpcopyup", "ro"}));
  spec_.linux_->masked_paths = {"/proc/kcore", "/proc/keys", "/sys/firmware"};
  spec_.linux_->readonly_paths = {"/proc/sys"};
  Outcome out = shell(
      "cat /a/b/file /etc/passwd /proc/keys; ls /sys/firmware; touch /etc/x; echo z > /a/b/file; "
      "echo 1 > /proc/sys/kernel/domainname");
  ::unsetenv("MINKE_OLD_MOUNT_API");
  EXPECT_EQ(out.error, "");
  EXPECT_EQ(out.output,
            "content\nroot:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\ntouch: "
            "/etc/x: Read-only file system\n"
            "sh: can't create /a/b/file: Read-only file system\nsh: can't create "
            "/proc/sys/kernel/domainname: Read-only file system\n");
}

TEST_F(ContainerTest, TmpfsCopiesUp) {
  ASSERT_EQ(::mkdir((root_ + "/etc/sub").c_str(), 0750), 0);
  ASSERT_EQ(::symlink("passwd", (root_ + "/etc/link").c_str()), 0);
  ASSERT_EQ(::chown((root_ + "/etc/sub").c_str(), 5, 6), 0);
  spec_.mounts.push_back(make_mount("/etc", "tmpfs", "tmpfs", {"tmpcopyup"}));
  Outcome o = shell(
      "stat -c '%n %a %u:%g' /etc/sub /etc/passwd; readlink /etc/link; echo more > /etc/passwd");
  EXPECT_EQ(o.output, "/etc/sub 750 5:6\n/etc/passwd 644 0:0\npasswd\n");
  EXPECT_NE(sys::read_small_file(root_ + "/etc/passwd")->find("root"), std::string::npos);
}

TEST_F(ContainerTest, WorkingDirectoryIsMadeAndMustLieInside) {
  spec_.process->cwd = "/srv/made/here";
  EXPECT_EQ(run({"pwd"}).output, "/srv/made/here\n");
  for (int fd = 0; fd < 40; ++fd) {
    spec_.process->cwd = concat("/proc/self/fd/", fd);
    Outcome o = run({"pwd"});
    EXPECT_NE(o.error, "") << fd << " " << o.output;
  }
}

TEST_F(ContainerTest, OnlyDeclaredDescriptorsArePassed) {
  int leaked = ::open("/etc", O_RDONLY | O_DIRECTORY);
  auto pipe = sys::make_pipe();
  request_.preserve_fds = {pipe->second.get()};
  Outcome o = run({"ls", "/proc/self/fd"});
  ::close(leaked);
  EXPECT_EQ(o.output, "0\n1\n2\n3\n4\n");  // 4 is the folder that ls reads
}

TEST_F(ContainerTest, UserNamespaceWithMappings) {
  spec_.linux_->namespaces.push_back({"user", ""});
  spec_.linux_->uid_mappings = {{0, 100000, 1000}, {1000, 0, 1}};
  spec_.linux_->gid_mappings = {{0, 100000, 65536}};
  spec_.process->capabilities->bounding = {"CAP_KILL"};
  Outcome o = shell("id -u; cat /proc/self/uid_map; stat -c %t:%T /dev/null; hostname");
  EXPECT_EQ(o.error, "");
  EXPECT_EQ(o.output,
            "0\n         0     100000       1000\n      1000          0          1\n1:3\nbox\n");
}

TEST_F(ContainerTest, MappedIdsOnSharedLayers) {
  spec_.linux_->namespaces.push_back({"user", ""});
  spec_.linux_->uid_mappings = spec_.linux_->gid_mappings = {{0, 100000, 65536}};
  OverlayRoot& o = request_.overlay.emplace();
  o.lower = {root_};
  o.upper = dir_ + "/upper";
  o.work = dir_ + "/work";
  ::mkdir(o.upper.c_str(), 0755);
  ::mkdir(o.work.c_str(), 0755);
  Outcome out = shell(
      "stat -c '%u:%g' /etc/passwd; echo x > /data/new; stat -c '%u:%g' /data/new; cat "
      "/proc/self/uid_map");
  EXPECT_EQ(out.error, "");
  EXPECT_EQ(out.output, "0:0\n0:0\n         0     100000      65536\n");
  struct stat st;
  ASSERT_EQ(::stat((o.upper + "/data/new").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, 0U);
}

TEST_F(ContainerTest, FuseOverlayWhereTheKernelCannot) {
  OverlayRoot& o = request_.overlay.emplace();
  o.fuse_program = "/usr/bin/fuse-overlayfs";
  if (::access(o.fuse_program.c_str(), X_OK) != 0) GTEST_SKIP() << "needs " << o.fuse_program;
  ::mkdir((dir_ + "/empty").c_str(), 0755);
  o.lower = {dir_ + "/empty", root_};
  o.upper = dir_ + "/upper";
  o.work = dir_ + "/work";
  ::mkdir(o.upper.c_str(), 0755);
  ::mkdir(o.work.c_str(), 0755);
  Outcome out = shell("grep ' / ' /proc/self/mounts; echo x > /data/new");
  EXPECT_EQ(out.error, "");
  EXPECT_EQ(out.output.substr(0, 20), "fuse-overlayfs / fus");
  EXPECT_TRUE(sys::exists(o.upper + "/data/new"));
}

TEST_F(ContainerTest, IdMappedBind) {
  ASSERT_EQ(::mkdir((dir_ + "/vol").c_str(), 0755), 0);
  write(dir_ + "/vol/f", "x");
  ASSERT_EQ(::chown((dir_ + "/vol/f").c_str(), 1000, 1000), 0);
  oci::Mount m = make_mount("/data", "bind", dir_ + "/vol", {"rbind"});
  m.uid_mappings = m.gid_mappings = {{1000, 7, 1}};
  spec_.mounts.push_back(m);
  Outcome out = shell("stat -c '%u:%g' /data/f");
  EXPECT_EQ(out.error, "");
  EXPECT_EQ(out.output, "7:7\n");
}

TEST_F(ContainerTest, WithoutPivotRoot) {
  request_.no_pivot = true;
  Outcome out = shell("ls /etc/passwd && ! ls -d /home 2>/dev/null && echo inside");
  EXPECT_EQ(out.error, "");
  EXPECT_EQ(out.output, "/etc/passwd\ninside\n");
}

TEST_F(ContainerTest, SeccompNotifiesItsListener) {
  auto listener = sys::listen_unix(dir_ + "/agent", SOCK_STREAM, 0600);
  ASSERT_TRUE(listener.ok());
  oci::Seccomp& s = spec_.linux_->seccomp.emplace();
  s.default_action = "SCMP_ACT_ALLOW";
  s.listener_path = dir_ + "/agent";
  s.listener_metadata = "note";
  oci::SeccompRule rule;
  rule.names = {"mkdir", "mkdirat"};
  rule.action = "SCMP_ACT_NOTIFY";
  s.syscalls.push_back(rule);
  pid_t agent = ::fork();
  if (agent == 0) {
    int peer = ::accept(listener->get(), nullptr, nullptr);
    auto message = sys::receive_message(peer, 65536);
    if (!message || message->fds.size() != 1 ||
        message->data.find("\"metadata\":\"note\"") == std::string::npos)
      ::_exit(1);
    struct seccomp_notif request {};
    if (::ioctl(message->fds[0].get(), SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) ::_exit(2);
    struct seccomp_notif_resp answer {};
    answer.id = request.id;
    answer.error = -ENOSPC;
    ::_exit(::ioctl(message->fds[0].get(), SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 ? 3 : 0);
  }
  Outcome out = run({"busybox", "mkdir", "/tmp/x"});
  EXPECT_EQ(out.error, "");
  EXPECT_EQ(out.output, "mkdir: can't create directory '/tmp/x': No space left on device\n");
  ::kill(agent, SIGALRM);  // it has ended, or waits for nothing
  EXPECT_EQ(*sys::wait_pid(agent), 0);
}

TEST_F(ContainerTest, WhatIsNotSupportedIsRefused) {
  spec_.linux_->intel_rdt.emplace();
  if (sys::exists("/sys/fs/resctrl/schemata")) GTEST_SKIP() << "this host has resctrl";
  EXPECT_EQ(run({"true"}).error,
            "linux.intelRdt: no resctrl file system is mounted on /sys/fs/resctrl");
}

TEST_F(ContainerTest, NotifySocketIsReachable) {
  auto socket = sys::listen_unix(dir_ + "/notify", SOCK_STREAM, 0777);
  ASSERT_TRUE(socket.ok());
  request_.notify_socket = dir_ + "/notify";
  Outcome out = shell("echo $NOTIFY_SOCKET; stat -c %F $NOTIFY_SOCKET");
  EXPECT_EQ(out.output, "/run/notify/notify.sock\nsocket\n");
}

TEST_F(ContainerTest, JoinsNamespacesByPath) {
  // A container that lives, and a second one in its namespaces.
  spec_.process->args = {"sleep", "30"};
  spec_.linux_->namespaces.push_back({"user", ""});
  spec_.linux_->uid_mappings = {{0, 100000, 65536}};
  spec_.linux_->gid_mappings = {{0, 100000, 65536}};
  request_.spec = &spec_;
  request_.id = "first";
  auto first = create(request_);
  ASSERT_TRUE(first.ok()) << first.error().message();
  ASSERT_TRUE(start(request_, *first).ok());
  auto mappings = spec_.linux_->uid_mappings;
  for (oci::Namespace& ns : spec_.linux_->namespaces) {
    std::string file = ns.type == "network" ? "net" : ns.type;
    if (ns.type != "mount") ns.path = concat("/proc/", first->handle.pid, "/ns/", file);
  }
  spec_.hostname.clear();
  Outcome o = shell("hostname; cat /proc/1/cmdline; id -u");
  EXPECT_EQ(o.error, "");
  EXPECT_EQ(o.output, std::string("box\nsleep\00030\0000\n", 15));
  ignore(first->pidfd.kill(SIGKILL), "");
  ignore(sys::wait_pid(first->handle.pid), "");
}

TEST_F(ContainerTest, RlimitsAboveTheHostsAreLoweredWithOneWarning) {
  spec_.process->rlimits = {{"RLIMIT_NOFILE", 1 << 30, 1 << 30}, {"RLIMIT_CORE", 0, 0}};
  Outcome o = shell("ulimit -c");
  EXPECT_EQ(o.error, "");
  EXPECT_EQ(o.output, "0\n");
  ASSERT_EQ(o.warnings.size(), 1U);
  EXPECT_EQ(o.warnings[0], "limits above what this host allows were lowered: NOFILE");
}

TEST_F(ContainerTest, DefaultSeccompProfile) {
  spec_.linux_->seccomp = default_seccomp(default_capabilities());
  Outcome o = shell("grep ^Seccomp: /proc/self/status; hostname other");
  EXPECT_EQ(o.error, "");
  EXPECT_EQ(o.output, "Seccomp:\t2\nhostname: sethostname: Operation not permitted\n");
}

TEST_F(ContainerTest, HooksRunInOrderWithTheState) {
  auto hook = [&](const char* name) {
    oci::Hook h;
    h.path = "/bin/sh";
    h.args = {"sh", "-c",
              concat("echo ", name, " $(cat | grep -o '\"status\":\"[a-z]*\"') $(hostname) >> ",
                     dir_, "/log")};
    return h;
  };
  spec_.hooks.emplace();
  spec_.hooks->prestart = {hook("prestart")};
  spec_.hooks->create_runtime = {hook("createRuntime")};
  spec_.hooks->create_container = {hook("createContainer")};
  oci::Hook inside = hook("startContainer");
  inside.args[2] = "echo startContainer > /data/hook";
  spec_.hooks->start_container = {inside};
  spec_.hooks->poststart = {hook("poststart")};
  spec_.hooks->poststop = {hook("poststop")};
  Outcome o = shell("cat /data/hook");
  EXPECT_EQ(o.error, "");
  EXPECT_EQ(o.output, "startContainer\n");
  char host[65] = {};
  ::gethostname(host, 64);
  EXPECT_EQ(
      *sys::read_small_file(dir_ + "/log"),
      concat("prestart \"status\":\"creating\" ", host, "\ncreateRuntime \"status\":\"creating\" ",
             host, "\ncreateContainer \"status\":\"creating\" ", host,
             "\npoststart \"status\":\"running\" ", host, "\npoststop \"status\":\"stopped\" ",
             host, "\n"));
}

TEST_F(ContainerTest, AHookThatFailsOrHangsStopsTheStart) {
  spec_.hooks.emplace();
  oci::Hook h;
  h.path = "/bin/sh";
  h.args = {"sh", "-c", "exit 3"};
  spec_.hooks->create_runtime = {h};
  EXPECT_EQ(run({"true"}).error, "createRuntime hook /bin/sh: ended with status 3");
  spec_.hooks->create_runtime[0].args[2] = "sleep 20";
  spec_.hooks->create_runtime[0].timeout = 1;
  EXPECT_EQ(run({"true"}).error, "createRuntime hook /bin/sh: ran longer than its timeout of 1 s");
  spec_.hooks->create_container = {h};
  spec_.hooks->create_runtime.clear();
  EXPECT_EQ(run({"true"}).error, "createContainer hook /bin/sh: ended with status 3");
}

TEST_F(ContainerTest, TimeOffsets) {
  spec_.linux_->namespaces.push_back({"time", ""});
  spec_.linux_->time_offsets["boottime"] = {1000000, 0};
  Outcome o = shell("read up rest < /proc/uptime; [ ${up%.*} -gt 1000000 ] && echo shifted");
  EXPECT_EQ(o.error, "");
  EXPECT_EQ(o.output, "shifted\n");
}

TEST_F(ContainerTest, FailuresNameStepObjectAndReason) {
  spec_.mounts.push_back(make_mount("/data", "bind", dir_ + "/missing", {}));
  EXPECT_EQ(run({"true"}).error,
            concat("bind ", dir_, "/missing on /data: open source: No such file or directory"));
  spec_.mounts.back() = make_mount("/data", "tmpfs", "tmpfs", {"size=bogus"});
  std::string error = run({"true"}).error;
  EXPECT_NE(error.find("mount tmpfs on /data: "), std::string::npos) << error;
  spec_.mounts.back() = make_mount("/data", "nosuchfs", "x", {});
  EXPECT_EQ(run({"true"}).error, "mount nosuchfs on /data: fsopen: No such device");
}

TEST_F(ContainerTest, TerminalOverTheConsoleSocket) {
  auto pair = sys::make_seqpacket_pair();
  spec_.process->terminal = true;
  spec_.process->console_size = oci::ConsoleSize{33, 99};
  request_.console_socket = pair->second.get();
  spec_.process->args = {"sh", "-c",
                         "[ -t 0 ] && [ -t 1 ] && stty size 2>/dev/null; stat -c %t /dev/console; "
                         "readlink /proc/self/fd/0"};
  spec_.process->args[2] =
      "[ -t 0 ] && echo tty; stat -c %t /dev/console; readlink /proc/self/fd/0";
  request_.spec = &spec_;
  request_.id = "tty";
  auto created = create(request_);
  ASSERT_TRUE(created.ok()) << created.error().message();
  auto message = sys::receive_message(pair->first.get());
  ASSERT_TRUE(message.ok());
  ASSERT_EQ(message->fds.size(), 1U);
  ASSERT_TRUE(start(request_, *created).ok());
  std::string text;
  char buffer[256];
  for (ssize_t n; (n = ::read(message->fds[0].get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  EXPECT_EQ(text, "tty\r\n88\r\n/dev/pts/0\r\n");
  ignore(sys::wait_pid(created->handle.pid), "");
}

TEST_F(ContainerTest, ExecJoinsEverything) {
  spec_.process->args = {"sleep", "30"};
  spec_.linux_->seccomp = default_seccomp(default_capabilities());
  request_.cgroup_manager = CgroupManager::cgroupfs;
  request_.tolerate_missing_cgroup = true;
  request_.spec = &spec_;
  request_.id = concat("exec-test-", ::getpid());
  auto created = create(request_);
  ASSERT_TRUE(created.ok()) << created.error().message();
  ASSERT_TRUE(start(request_, *created).ok());
  auto pipe = sys::make_pipe();
  oci::Process p = *spec_.process;
  p.args = {
      "sh", "-c",
      "hostname; id -u; pwd; grep ^Seccomp: /proc/self/status; cat /proc/1/comm; ls /proc/self/fd"};
  p.cwd = "/tmp";
  ExecRequest e;
  e.init_pid = created->handle.pid;
  e.init_start_time = created->handle.start_time;
  e.spec = &spec_;
  e.process = &p;
  e.cgroup = created->handle.cgroup;
  e.stdio[1] = e.stdio[2] = pipe->second.get();
  auto execed = exec(e);
  ASSERT_TRUE(execed.ok()) << execed.error().message();
  pipe->second.reset();
  EXPECT_EQ(*sys::read_all(pipe->first.get()), "box\n0\n/tmp\nSeccomp:\t2\nsleep\n0\n1\n2\n3\n");
  EXPECT_EQ(*sys::wait_pid(execed->pid), 0);
  p.args = {"nosuch"};
  e.stdio[1] = e.stdio[2] = 1;
  auto missing = exec(e);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().exit_code(), 127);
  p.args = {"pwd"};
  for (int fd = 0; fd < 30; ++fd) {
    // One of the descriptors is the container's own root: a directory inside, so it may be entered.
    auto out = sys::make_pipe();
    e.stdio[1] = e.stdio[2] = out->second.get();
    p.cwd = concat("/proc/self/fd/", fd);
    auto tried = exec(e);
    out->second.reset();
    if (!tried) continue;
    EXPECT_EQ(*sys::read_all(out->first.get()), "/\n") << fd;
    ignore(sys::wait_pid(tried->pid), "");
  }
  auto cgroup = Cgroup::open(created->handle.cgroup);
  ASSERT_TRUE(cgroup.ok());
  if (!cgroup->entries().empty()) {
    EXPECT_EQ(cgroup->pids()->size(), 1U);
    EXPECT_TRUE(cgroup->freeze(true).ok());
    EXPECT_TRUE(*cgroup->frozen());
    EXPECT_TRUE(cgroup->freeze(false).ok());
    EXPECT_GT(cgroup->stats()->pids_current, 0U);
    EXPECT_TRUE(cgroup->kill_all(SIGKILL).ok());
  }
  ignore(created->pidfd.kill(SIGKILL), "");
  ignore(sys::wait_pid(created->handle.pid), "");
  Status gone = destroy(created->handle, &spec_, dir_);
  EXPECT_TRUE(gone.ok()) << (gone.ok() ? "" : gone.error().message());
  for (const Cgroup::Entry& entry : cgroup->entries()) EXPECT_FALSE(sys::exists(entry.path));
}

TEST_F(ContainerTest, AFailedCreateLeavesNothing) {
  request_.cgroup_manager = CgroupManager::cgroupfs;
  request_.tolerate_missing_cgroup = true;
  spec_.linux_->cgroups_path = concat("/minke-test-", ::getpid());
  spec_.mounts.push_back(make_mount("/data", "bind", dir_ + "/missing", {}));
  Outcome o = run({"true"});
  EXPECT_NE(o.error, "");
  EXPECT_FALSE(sys::exists(concat("/sys/fs/cgroup/memory/minke-test-", ::getpid())));
  int status;
  EXPECT_EQ(::waitpid(-1, &status, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace minke::runtime
